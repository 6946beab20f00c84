use super::*;

fn issue(iid: u64) -> Live {
    Live::Issue { project: None, iid }
}

fn user(name: &str) -> Live {
    Live::User(name.to_owned())
}

fn label(name: &str) -> Live {
    Live::Label(name.to_owned())
}

fn milestone(name: &str) -> Live {
    Live::Milestone(name.to_owned())
}

#[test]
fn every_shape_of_reference_is_live_in_prose() {
    let in_project = Some("group/app".to_owned());
    let cases = [
        ("@alice", vec![user("alice")]),
        ("hi @alice.", vec![user("alice")]),
        ("(@group/sub-group)", vec![user("group/sub-group")]),
        ("@all", vec![user("all")]),
        ("é@alice", vec![user("alice")]),
        ("see #12.", vec![issue(12)]),
        ("see #12+s", vec![issue(12)]),
        (
            "x#12",
            vec![Live::Issue {
                project: Some("x".to_owned()),
                iid: 12,
            }],
        ),
        (
            "group/app#12",
            vec![Live::Issue {
                project: in_project.clone(),
                iid: 12,
            }],
        ),
        ("GL-12", vec![issue(12)]),
        ("[issue:12]", vec![issue(12)]),
        (
            "group/app!3",
            vec![Live::MergeRequest {
                project: in_project.clone(),
                iid: 3,
            }],
        ),
        (
            "!3",
            vec![Live::MergeRequest {
                project: None,
                iid: 3,
            }],
        ),
        (
            "&4",
            vec![Live::Epic {
                group: None,
                iid: 4,
            }],
        ),
        ("%5", vec![milestone("5")]),
        ("%v1.0", vec![milestone("v1.0")]),
        ("%\"Big bang\"", vec![milestone("Big bang")]),
        ("~bug", vec![label("bug")]),
        ("~\"needs care\"", vec![label("needs care")]),
        ("~prio::high", vec![label("prio::high")]),
        (
            "$7",
            vec![Live::Snippet {
                project: None,
                id: 7,
            }],
        ),
        (
            "^alert#8",
            vec![Live::Alert {
                project: None,
                iid: 8,
            }],
        ),
        ("[vulnerability:9]", vec![Live::Vulnerability(9)]),
        (
            "fixed in 0a1b2c3d",
            vec![Live::Commit("0a1b2c3d".to_owned())],
        ),
        ("1234567 rows", vec![Live::Commit("1234567".to_owned())]),
    ];
    for (text, live) in cases {
        let found = find(text);
        for expected in &live {
            assert!(found.contains(expected), "{text:?} gives {found:?}");
        }
        assert!(find_in_title(text).contains(&live[0]), "title {text:?}");
    }
}

#[test]
fn what_only_looks_like_a_reference_is_dead() {
    let cases = [
        "mail alice@example.com",
        "#12abc",
        "# heading",
        "C# and F#",
        "100 % sure",
        "~ about",
        "wow!",
        "you & me",
        "abc123",
        "zabcdef12",
        "@",
        "@@@",
        "$x",
        "https://elsewhere.example/group/app/-/issues/x",
    ];
    for text in cases {
        assert_eq!(find(text), [], "{text:?}");
    }
}

#[test]
fn code_links_and_escapes_protect() {
    let cases = [
        "`@alice #12 ~bug`",
        "```\n@alice #12\n```",
        "    @alice #12",
        "<pre>\n@alice\n</pre>",
        "<code>@alice</code>",
        "[@alice and #12](https://elsewhere.example/)",
        "<a href=\"https://elsewhere.example/\">@alice</a>",
        "\\@alice \\#12 \\!3 \\&4 \\%5 \\~bug \\$7 \\^alert\\#8",
        "group/app\\#12",
        "<!-- @alice #12 -->",
        "@\u{200B}alice",
        "@<span></span>alice",
    ];
    for text in cases {
        assert_eq!(find(text), [], "{text:?}");
    }
}

#[test]
fn quotes_html_and_entities_do_not_protect() {
    let cases = [
        "> @alice",
        ">>>\n@alice\n>>>",
        "<div>@alice</div>",
        "<details>\n<summary>@alice</summary>\n</details>",
        "&#64;alice",
        "&commat;alice",
        "<div>&#64alice</div>",
        "**@alice**",
        "# @alice",
        "- @alice",
        "| @alice |\n|---|",
        "[^1]\n\n[^1]: @alice",
        "~~@alice~~",
        "\\\\@alice",
        "<code>@alice",
        "<pre>x</pre> @alice",
        "@<!-- -->alice",
        "@<unknown>alice</unknown>",
        "<p><code>x</p><p>@alice</code></p>",
    ];
    for text in cases {
        assert_eq!(find(text), [user("alice")], "{text:?}");
    }
}

#[test]
fn escapes_of_other_characters_protect_nothing() {
    assert_eq!(find("GL\\-12"), [issue(12)]);
    assert_eq!(find("\\[vulnerability:1\\]"), [Live::Vulnerability(1)]);
}

#[test]
fn link_targets_count() {
    assert_eq!(find("[x](#12)"), [issue(12)]);
    assert_eq!(find("[x](@alice)"), [user("alice")]);
    assert_eq!(find("[x](#12-anchor)"), []);
    assert_eq!(find("[x](%23heading)"), []);
    assert_eq!(find("[x]\n\n[x]: #12"), [issue(12)]);
    assert_eq!(find("<a href=\"#12\">x</a>"), [issue(12)]);
}

#[test]
fn urls_of_the_same_instance_count_bare_or_linked() {
    let base = "https://gitlab.example/sub";
    let object = "https://gitlab.example/sub/group/app/-/issues/12";
    for text in [
        object.to_owned(),
        format!("[x]({object})"),
        format!("<div>{object}</div>"),
        format!("<{object}>"),
    ] {
        assert_eq!(
            find_with_base(&text, base),
            [Live::Url(object.to_owned())],
            "{text:?}"
        );
        assert_eq!(find(&text), [], "{text:?}");
    }
    let note = format!("{object}#note_7");
    assert_eq!(find_with_base(&note, base), [Live::Url(note.clone())]);
    for text in [
        "https://gitlab.example/group/app/-/issues/12",
        "https://other.example/sub/group/app/-/issues/12",
        "https://gitlab.example/sub/group/app",
        "https://gitlab.example/sub/-/project/1/uploads/00112233445566778899aabbccddeeff/a.png",
        "`https://gitlab.example/sub/group/app/-/issues/12`",
    ] {
        assert_eq!(find_with_base(text, base), [], "{text:?}");
    }
}

#[test]
fn titles_know_no_escapes_and_no_code() {
    assert_eq!(find_in_title("\\@alice"), [user("alice")]);
    assert_eq!(find_in_title("`#12`"), [issue(12)]);
    assert_eq!(find_in_title("@\u{2060}alice"), []);
    assert!(!find_in_title("&#64;alice").contains(&user("alice")));
}

#[test]
fn each_reference_is_told_once() {
    assert_eq!(find("@alice @alice #1 @alice"), [user("alice"), issue(1)]);
}
