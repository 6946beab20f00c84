//! References to the source project: where they lead, and that nothing else changes.

use gitlab_sim::text::references::{Live, find_with_base};
use gitlab_sim::text::visible::visible_text;
use mirror_core::ids::{Iid, ProjectId};
use mirror_core::markdown::references::{Leads, find, link};
use mirror_core::markdown::uploads::SourceProject;
use mirror_core::markdown::{Inert, closing, defuse_with};
use proptest::prelude::*;

use crate::markdown_exceptions::reads_alike;
use crate::markdown_properties::{bodies, normalised, sent, settings};

const INSTANCE: &str = "https://gl.example";
const MIRROR: &str = "https://gl.example/team/mirror/-/issues/1";

fn source(web_url: &str) -> SourceProject<'_> {
    SourceProject {
        id: ProjectId(7),
        path: "g/p",
        web_url,
    }
}

/// The body as it is sent from one GitLab to another, or within one; even numbers have a mirror.
fn rendered(text: &str, within: bool) -> String {
    let web_url = if within {
        "https://gl.example/g/p"
    } else {
        "https://src.example/g/p"
    };
    let even = |iid: Iid| (iid.0 % 2 == 0).then(|| format!("{MIRROR}{iid}"));
    let leads = Leads {
        mirror: &even,
        to_source: !within,
    };
    let linked = link(text, &source(web_url), &leads);
    let inert = Inert {
        target: Some(INSTANCE),
        source_project_web_url: web_url,
        mirrors: &linked.mirrors,
    };
    defuse_with(&linked.text, &inert)
}

#[test]
fn a_reference_leads_to_the_mirror_or_else_to_the_source() {
    let cases = [
        (
            "see #2, not #3.",
            "see [\\#2](https://gl.example/team/mirror/-/issues/12), not \
             [\\#3](https://src.example/g/p/-/issues/3).",
        ),
        (
            "GL-2, g/p#2 and p#2",
            "[GL-2](MIRROR2), [g/p\\#2](MIRROR2) and [p\\#2](MIRROR2)",
        ),
        (
            "https://src.example/g/p/-/issues/2#note_7",
            "[https:<span></span>//src.example/g/p/-/issues/2\\#note\\_7](MIRROR2)",
        ),
        (
            "https://src.example/g/p/-/issues/3",
            "https://src.example/g/p/-/issues/3",
        ),
        (
            "[x](https://src.example/g/p/-/work_items/2) [y](#2) [z](#3)",
            "[x](MIRROR2) [y](MIRROR2) [z](https://src.example/g/p/-/issues/3)",
        ),
        ("[x]\n\n[x]: #2", "[x]\n\n[x]: MIRROR2"),
        (
            "!3 by 0a1b2c3d",
            "[\\!3](https://src.example/g/p/-/merge_requests/3) by \
             [0a1b2c3d](https://src.example/g/p/-/commit/0a1b2c3d)",
        ),
        ("*#2* (#2)", "*[\\#2](MIRROR2)* ([\\#2](MIRROR2))"),
        ("| a |\n|---|\n| #2 |", "| a |\n|---|\n| [\\#2](MIRROR2) |"),
        ("- [x] #2\n> #2", "- [x] [\\#2](MIRROR2)\n> [\\#2](MIRROR2)"),
        (
            "<details>\n\n#2\n\n</details>",
            "<details>\n\n<a href=\"MIRROR2\">#<span></span>2</a>\n\n</details>",
        ),
        (
            "`#2`\n\n    #2\n\n```\n#2\n```",
            "`#2`\n\n    #2\n\n```\n#2\n```",
        ),
        ("[a #2](https://x.example)", "[a #2](https://x.example)"),
        ("<!-- #2 -->", "<!-- #2 -->"),
        ("<pre>#2</pre>", "<pre><span>#</span>2</pre>"),
        ("x/y#2 &4 %v1 ~bug $7", "x/y\\#2 \\&4 \\%v1 \\~bug \\$7"),
        ("!#2 a#2 #2.5 #2[x]", "!\\#2 a\\#2 \\#2.5 \\#2[x]"),
        ("\\#2", "\\#2"),
    ];
    for (text, expected) in cases {
        let expected = expected.replace("MIRROR", MIRROR);
        assert_eq!(rendered(text, false), expected, "{text:?}");
    }
}

#[test]
fn within_one_instance_only_a_mirror_is_linked() {
    let cases = [
        ("see #2, not #3", "see [\\#2](MIRROR2), not \\#3"),
        ("!3 by 0a1b2c3d", "\\!3 by 0a1b2c<span></span>3d"),
        (
            "[x](https://gl.example/g/p/-/issues/2) [y](https://gl.example/g/p/-/issues/3)",
            "[x](MIRROR2) [y](https://gl.example:443/g/p/-/issues/3)",
        ),
        (
            "[x](https://gl.example/team/mirror/-/issues/12)",
            "[x](https://gl.example:443/team/mirror/-/issues/12)",
        ),
    ];
    for (text, expected) in cases {
        let expected = expected.replace("MIRROR", MIRROR);
        assert_eq!(rendered(text, true), expected, "{text:?}");
    }
}

#[test]
fn what_is_to_be_looked_up_is_told() {
    let text = "#1, GL-2 and g/p#3\n\n`#4` x/y#5 !6 [x](#7) \
                https://src.example/g/p/-/issues/8 <https://src.example/g/p/-/issues/9#note_1>";
    let found: Vec<i64> = find(text, &source("https://src.example/g/p"))
        .into_iter()
        .map(|iid| iid.0)
        .collect();
    assert_eq!(found, [1, 2, 3, 7, 8, 9]);
}

#[test]
fn a_text_of_nothing_but_references_does_not_swell_without_end() {
    let text = "#2 #3 ".repeat(10_000);
    let body = rendered(&text, false);
    assert_eq!(body.matches("](https://").count(), 2_000);
    assert_eq!(visible_text(&body), text.trim_end());
    assert_eq!(find_with_base(&body, INSTANCE).len(), 1);
}

fn judge_links(text: &str) -> Result<(), String> {
    let text = normalised(text);
    let before = visible_text(&format!("{text}\n"));
    for within in [false, true] {
        let body = rendered(&text, within);
        let closed = format!("{body}{}", closing(&body));
        for body in [&body, &closed] {
            let after = visible_text(&format!("{body}\n"));
            if !reads_alike(&text, &before, &after) {
                return Err(format!(
                    "{text:?}\n  shows {before:?}\n  then  {after:?}\n  from  {body:?}"
                ));
            }
        }
        let is_mirror = |live: &Live| matches!(live, Live::Url(url) if url.starts_with(MIRROR));
        for body in [&body, &sent(&body)] {
            let mut live = find_with_base(body, INSTANCE);
            live.retain(|live| !is_mirror(live));
            if !live.is_empty() {
                return Err(format!("{live:?} in {body:?} of {text:?}"));
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(settings())]

    #[test]
    fn links_show_the_same_and_lead_to_mirrors_alone(text in bodies()) {
        prop_assert_eq!(judge_links(&text), Ok(()));
    }

    #[test]
    fn what_is_linked_was_looked_up(text in bodies()) {
        let source = source("https://gl.example/g/p");
        let found = find(&text, &source);
        let asked = std::cell::RefCell::new(std::collections::BTreeSet::new());
        let mirror = |iid: Iid| { asked.borrow_mut().insert(iid); None };
        link(&text, &source, &Leads { mirror: &mirror, to_source: true });
        prop_assert_eq!(asked.into_inner(), found);
    }
}
