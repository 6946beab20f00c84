use super::*;

fn names(text: &str, generation: Generation) -> Vec<String> {
    extract(text, generation)
        .commands
        .into_iter()
        .map(|command| command.name)
        .collect()
}

/// Text, what the current generation executes, what the older one executes.
const CASES: &[(&str, &[&str], &[&str])] = &[
    ("/close", &["close"], &["close"]),
    ("/CLOSE", &["close"], &["close"]),
    ("hello\n/close\nworld", &["close"], &["close"]),
    ("hello\n\n/close\n\nworld", &["close"], &["close"]),
    (
        "/close\n/reopen",
        &["close", "reopen"],
        &["close", "reopen"],
    ),
    (
        "/close\r\n/reopen\r\n",
        &["close", "reopen"],
        &["close", "reopen"],
    ),
    ("/close  ", &["close"], &["close"]),
    ("/close\t\nx", &["close"], &["close"]),
    ("/label ~a ~\"b c\"", &["label"], &["label"]),
    ("/spend 1h / 2h", &["spend"], &["spend"]),
    ("hello /close", &[], &[]),
    ("/closed", &[], &[]),
    ("/close!", &[], &[]),
    ("/etc/passwd", &[], &[]),
    ("/unknown_word", &[], &[]),
    ("\\/close", &[], &[]),
    (" /close", &[], &[]),
    ("    /close", &[], &[]),
    ("&#47;close", &[], &[]),
    ("> /close", &[], &[]),
    ("> quoted\n/close", &[], &["close"]),
    (">>>\n/close\n>>>", &[], &[]),
    ("- item\n/close", &[], &["close"]),
    ("- item\n\n/close", &["close"], &["close"]),
    ("# heading\n/close", &["close"], &["close"]),
    ("/close\n---", &[], &["close"]),
    ("```\n/close\n```", &[], &[]),
    ("```rust\n/close\n```", &[], &[]),
    ("~~~\n/close\n~~~", &[], &["close"]),
    ("```\n/close", &[], &["close"]),
    ("```\n/close\n``", &[], &["close"]),
    // The older expression takes the inner fence for the end of the outer one.
    ("````\n```\n/close\n```\n````", &[], &["close"]),
    (" ```\n /close\n ```", &[], &[]),
    ("`code`\n/close", &["close"], &["close"]),
    ("a `span\n/close\nend` b", &[], &[]),
    ("a ` stray\n/close", &["close"], &["close"]),
    ("<div>\n/close\n</div>", &[], &[]),
    (
        "<details><summary>more</summary>\n/close\n</details>",
        &[],
        &["close"],
    ),
    (
        "<details><summary>more</summary>\n\n/close\n\n</details>",
        &["close"],
        &["close"],
    ),
    ("<!-- note\n/close\n-->", &[], &["close"]),
    ("text <b>bold\n/close\n</b>", &["close"], &["close"]),
    ("<span title=\"\n/close\n\">x</span>", &[], &["close"]),
    ("| a |\n|---|\n/close", &[], &["close"]),
    ("[ref]: /url\n/close", &["close"], &["close"]),
    ("Term\n/close\n\n: details", &[], &["close"]),
    ("[^1]\n\n[^1]: note\n/close", &[], &["close"]),
    ("/cc @alice", &[], &[]),
];

#[test]
fn each_generation_executes_what_gitlab_executed() {
    let read = CASES.iter().map(|(text, ..)| {
        (
            *text,
            names(text, Generation::Current),
            names(text, Generation::Legacy),
        )
    });
    let wrong: Vec<_> = read
        .zip(CASES)
        .filter(|((_, current, legacy), (_, known, old))| current != known || legacy != old)
        .map(|(read, _)| read)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_judge_executes_at_least_what_gitlab_executes() {
    for (text, current, legacy) in CASES {
        for (generation, known) in [(Generation::Current, current), (Generation::Legacy, legacy)] {
            let judged = extract_any(text, generation);
            assert!(
                known.is_empty() || !judged.commands.is_empty(),
                "{generation:?}: {text:?}"
            );
            assert!(
                judged.commands.is_empty() || any_slash_line(text),
                "{generation:?}: {text:?}"
            );
        }
    }
}

#[test]
fn the_judge_knows_words_of_releases_to_come() {
    for generation in [Generation::Current, Generation::Legacy] {
        let judged = extract_any("hello\n/brand_new2 with args", generation);
        let expected = Command {
            name: "brand_new2".to_owned(),
            args: "with args".to_owned(),
        };
        assert_eq!(judged.commands, [expected]);
        assert!(extract_any("/etc/passwd", generation).commands.is_empty());
    }
}

#[test]
fn the_judge_counts_every_wording_of_the_older_expression() {
    let executed = [
        // The wording that knew fences only without an info string.
        "```rust\n/close\n```",
        // The wordings without, or with a narrower, idea of inline code.
        "a `span\n/close\nend` b",
        // A stray backtick before a fence shifts what is taken for inline code.
        "a ` b\n```\nfoo ` bar\n/close\n```",
    ];
    for text in executed {
        assert!(
            !extract_any(text, Generation::Legacy).commands.is_empty(),
            "{text:?}"
        );
    }
    let inert = [
        "```\n/close\n```",
        " ```rust\n /close\n ```",
        "\\/close",
        " /close",
        "x /close",
    ];
    for text in inert {
        assert!(
            extract_any(text, Generation::Legacy).commands.is_empty(),
            "{text:?}"
        );
    }
}

#[test]
fn executed_lines_leave_the_text() {
    let cases = [
        ("/close\nworld", "world"),
        ("hello\n/close\nworld", "hello\nworld"),
        ("hello\n/close", "hello"),
        ("hello\n/close\n\nworld", "hello\nworld"),
        ("/close", ""),
    ];
    for generation in [Generation::Current, Generation::Legacy] {
        for (text, rest) in cases {
            assert_eq!(
                extract(text, generation).rest,
                rest,
                "{generation:?}: {text:?}"
            );
        }
    }
}

#[test]
fn even_without_a_command_cr_and_trailing_space_are_lost() {
    for generation in [Generation::Current, Generation::Legacy] {
        let plain = extract("a  \r\n\r\nb\r \t\n\n", generation);
        assert_eq!(
            plain,
            Extraction {
                commands: Vec::new(),
                rest: "a  \n\nb".to_owned()
            }
        );
    }
}

#[test]
fn substitutions_are_executed_and_leave_their_text() {
    for generation in [Generation::Current, Generation::Legacy] {
        let shrugged = extract("well\n/sHRuG who knows\nend", generation);
        assert_eq!(shrugged.rest, "well\nwho knows ¯\\_(ツ)_/¯\nend");
        assert_eq!(
            shrugged.commands,
            [Command {
                name: "shrug".to_owned(),
                args: "who knows".to_owned()
            }]
        );
        assert_eq!(extract("/tableflip", generation).rest, "(╯°□°)╯︵ ┻━┻");
    }
}

#[test]
fn arguments_arrive_whole() {
    let found = extract("/label ~foo ~\"bar baz\" \nx", Generation::Current);
    assert_eq!(
        found.commands,
        [Command {
            name: "label".to_owned(),
            args: "~foo ~\"bar baz\"".to_owned()
        }]
    );
}
