//! Looks for a text that stays live after it was made inert:
//! `cargo +nightly fuzz run markdown` (needs `cargo install cargo-fuzz`).
//! The same judges run on generated bodies with every test run, see
//! `shared/core/tests/it/markdown_properties.rs`.
#![no_main]

use gitlab_sim::text::quick_actions::{Generation, any_slash_line, extract_any};
use gitlab_sim::text::references::find;
use gitlab_sim::text::visible::visible_text;
use libfuzzer_sys::fuzz_target;
use mirror_core::markdown::{closing, defuse, literal};

fuzz_target!(|text: &str| {
    let body = defuse(text);
    let sent = format!(
        "<!-- issue-mirror:1 x -->\n\n{body}{}\n\n---\n\nthe footer",
        closing(&body)
    );
    for text in [&body, &sent] {
        for generation in [Generation::Current, Generation::Legacy] {
            let commands = extract_any(text, generation).commands;
            assert!(
                commands.is_empty(),
                "{generation:?} executes {commands:?} in {text:?}"
            );
        }
        assert!(!any_slash_line(text), "{text:?}");
        let live = find(text);
        assert!(live.is_empty(), "{live:?} in {text:?}");
    }
    assert!(visible_text(&sent).contains("the footer"), "{sent:?}");
    let live = find(&literal(text));
    assert!(live.is_empty(), "{live:?} in literal {text:?}");
});
