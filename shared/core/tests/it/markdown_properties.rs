//! Generated bodies: no release of GitLab finds a command, a mention or a reference in them, and a
//! reader sees what the source shows.
//!
//! A run judges the change at hand, so it draws the same bodies every time, however many. 100,000 for
//! each property:
//! `PROPTEST_CASES=100000 cargo test --release -p mirror-core --test it markdown_properties`
//!
//! To search for new ones give `PROPTEST_RNG_SEED`, too; what is found is mended, or listed in the
//! exceptions, and kept among the cases that once broke. Known to be left, of a million bodies drawn
//! from these fragments about one: tables and terms behind link definitions, tags within alerts, and
//! tildes that touch other marks.
//!
//! The judges are the simulator's extractors and the visible text of another Markdown library than
//! the one the renderer parses with.

use gitlab_sim::text::quick_actions::{Generation, any_slash_line, extract_any};
use gitlab_sim::text::references::{Live, find, find_in_title_with_base, find_with_base};
use gitlab_sim::text::visible::visible_text;
use mirror_core::markdown::{
    Inert, closing, code, defuse, defuse_title_with, defuse_with, literal,
};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::RngSeed;

use crate::markdown_exceptions::reads_alike;
use crate::markdown_fragments::FRAGMENTS;

const INSTANCE: &str = "https://gl.example";

pub(crate) fn settings() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let unasked = asked.cases == 256;
    ProptestConfig {
        cases: if unasked { 2_000 } else { asked.cases },
        rng_seed: match asked.rng_seed {
            RngSeed::Random => RngSeed::Fixed(1),
            fixed => fixed,
        },
        failure_persistence: None,
        ..asked
    }
}

pub(crate) fn bodies() -> impl Strategy<Value = String> {
    let fragments =
        prop::collection::vec(select(FRAGMENTS), 1..10).prop_map(|fragments| fragments.concat());
    let free = "[ -~\n@#`~<>&]{0,40}";
    prop_oneof![8 => fragments, 1 => free]
}

/// What GitLab makes of every text, and the bytes that it cannot hold.
pub(crate) fn normalised(text: &str) -> String {
    let text = text.replace('\r', "");
    let text = text.trim_start_matches('\u{FEFF}');
    let text =
        text.trim_end_matches(|c: char| c.is_ascii_whitespace() || c == '\u{B}' || c == '\0');
    text.replace('\0', "\u{FFFD}")
        .replace(['\u{B}', '\u{C}'], " ")
}

/// A body as it is sent.
pub(crate) fn sent(body: &str) -> String {
    format!(
        "<!-- issue-mirror:1 x -->\n\n{body}{}\n\n---\n\nthe footer",
        closing(body)
    )
}

pub(crate) fn judge_inert(text: &str) -> Result<(), String> {
    let body = defuse(text);
    for text in [&body, &sent(&body)] {
        for generation in [Generation::Current, Generation::Legacy] {
            let commands = extract_any(text, generation).commands;
            if !commands.is_empty() || any_slash_line(text) {
                return Err(format!("{generation:?} executes {commands:?} in {text:?}"));
            }
        }
        let live = find(text);
        if !live.is_empty() {
            return Err(format!("{live:?} in {text:?}"));
        }
    }
    let body = defuse_with(
        text,
        &Inert {
            target: Some(INSTANCE),
            source_project_web_url: "https://gl.example/g/p",
            ..Inert::default()
        },
    );
    let live = find_with_base(&body, INSTANCE);
    if live.is_empty() {
        Ok(())
    } else {
        Err(format!("{live:?} in {body:?}"))
    }
}

pub(crate) fn judge_view(text: &str) -> Result<(), String> {
    let text = normalised(text);
    let before = visible_text(&format!("{text}\n"));
    let plain = defuse(&text);
    let closed = format!("{plain}{}", closing(&plain));
    let shared = defuse_with(
        &text,
        &Inert {
            target: Some(INSTANCE),
            source_project_web_url: "",
            ..Inert::default()
        },
    );
    for body in [&plain, &closed, &shared] {
        let after = visible_text(&format!("{body}\n"));
        if !reads_alike(&text, &before, &after) {
            return Err(format!(
                "{text:?}\n  shows {before:?}\n  then  {after:?}\n  from  {body:?}"
            ));
        }
    }
    let page = visible_text(&sent(&plain));
    if page.contains("the footer") {
        Ok(())
    } else {
        Err(format!("no footer on {page:?} of {:?}", sent(&plain)))
    }
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn nothing_in_a_body_acts_or_refers(text in bodies()) {
        prop_assert_eq!(judge_inert(&text), Ok(()));
    }

    #[test]
    fn a_reader_sees_the_same_and_the_footer(text in bodies()) {
        prop_assert_eq!(judge_view(&text), Ok(()));
    }

    #[test]
    fn the_same_text_becomes_the_same_body(text in bodies()) {
        prop_assert_eq!(defuse(&text), defuse(&text));
        prop_assert_eq!(defuse(&text), defuse(&normalised(&text)));
    }

    #[test]
    fn nothing_in_a_title_refers_and_it_fits(text in bodies()) {
        let title = defuse_title_with(&text, &Inert { target: Some(INSTANCE), ..Inert::default() });
        let live: Vec<Live> = find_in_title_with_base(&title, INSTANCE)
            .into_iter()
            // No milestone has a name that begins with a word joiner.
            .filter(|live| !matches!(live, Live::Milestone(name) if name.starts_with('\u{2060}')))
            .collect();
        prop_assert_eq!(live, vec![]);
        prop_assert!(title.chars().count() <= 255);
    }

    #[test]
    fn a_literal_shows_exactly_its_text(text in bodies()) {
        let shown = visible_text(&format!("x {} y", literal(&text)));
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        prop_assert_eq!(words(&shown), words(&format!("x {} y", plain.trim())));
        prop_assert_eq!(find_with_base(&literal(&text), INSTANCE), vec![]);
    }

    #[test]
    fn a_code_span_shows_exactly_its_text(text in bodies()) {
        let shown = visible_text(&format!("x {} y", code(&text)));
        let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let words = |text: &str| text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        prop_assert_eq!(words(&shown), words(&format!("x {plain} y")));
        prop_assert_eq!(find_with_base(&code(&text), INSTANCE), vec![]);
    }
}
