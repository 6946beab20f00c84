//! Links to uploads, in every form.

use mirror_core::ids::ProjectId;
use mirror_core::markdown::uploads::{SourceProject, UploadRef, candidates, find, rewrite};

const HEX: &str = "0123456789abcdef0123456789abcdef";

fn source() -> SourceProject<'static> {
    SourceProject {
        id: ProjectId(7),
        path: "group/project",
        web_url: "https://gl.example/sub/group/project",
    }
}

fn upload(filename: &str) -> UploadRef {
    UploadRef {
        secret: HEX.to_owned(),
        filename: filename.to_owned(),
    }
}

/// `HEX` stands for the secret in these texts.
fn text(text: &str) -> String {
    text.replace("HEX", HEX)
}

#[test]
fn every_form_gitlab_accepts_is_found_and_rewritten_alone() {
    let cases = [
        (
            "a ![i](/uploads/HEX/a.png){width=60%} b",
            "a ![i](/uploads/NEW){width=60%} b",
        ),
        (
            "[f](/uploads/HEX/a.png \"title\")",
            "[f](/uploads/NEW \"title\")",
        ),
        ("[f](</uploads/HEX/a.png>)", "[f](/uploads/NEW)"),
        (
            "[f][r]\n\n[r]: /uploads/HEX/a.png 'title'\n",
            "[f][r]\n\n[r]: /uploads/NEW 'title'\n",
        ),
        (
            "<img src=\"/uploads/HEX/a.png\" width=\"3\">",
            "<img src=\"/uploads/NEW\" width=\"3\">",
        ),
        (
            "<IMG SRC='/uploads/HEX/a.png'/>",
            "<IMG SRC='/uploads/NEW'/>",
        ),
        (
            "<video src=/uploads/HEX/a.png></video>",
            "<video src=/uploads/NEW></video>",
        ),
        (
            "<div>\n<a href = \"/uploads/HEX/a.png\">x</a>\n</div>",
            "<div>\n<a href = \"/uploads/NEW\">x</a>\n</div>",
        ),
        (
            "![i](https://gl.example/sub/group/project/uploads/HEX/a.png)",
            "![i](/uploads/NEW)",
        ),
        (
            "![i](HTTP://GL.example/sub/group/project/uploads/HEX/a.png)",
            "![i](/uploads/NEW)",
        ),
        (
            "![i](https://gl.example/sub/-/project/7/uploads/HEX/a.png)",
            "![i](/uploads/NEW)",
        ),
        ("![i](/-/project/7/uploads/HEX/a.png)", "![i](/uploads/NEW)"),
        (
            "![i](/sub/-/project/7/uploads/HEX/a.png)",
            "![i](/uploads/NEW)",
        ),
        (
            "![i](/group/project/uploads/HEX/a.png)",
            "![i](/uploads/NEW)",
        ),
        (
            "![i](/uploads/HEX/a.png?inline=false)",
            "![i](/uploads/NEW?inline=false)",
        ),
        (
            "> - ![i](\n>   /uploads/HEX/a.png)",
            "> - ![i](\n>   /uploads/NEW)",
        ),
        (
            "[![i](/uploads/HEX/a.png)](/uploads/HEX/a.png)",
            "[![i](/uploads/NEW)](/uploads/NEW)",
        ),
    ];
    for (before, after) in cases {
        let before = text(before);
        assert_eq!(find(&before, &source()), [upload("a.png")], "{before:?}");
        let rewritten = rewrite(&before, &source(), |_| Some("/uploads/NEW".to_owned()));
        assert_eq!(rewritten, after, "{before:?}");
    }
}

#[test]
fn a_bare_address_keeps_its_text() {
    let before = text("see https://gl.example/sub/group/project/uploads/HEX/a.png.");
    let after = rewrite(&before, &source(), |_| Some("/uploads/NEW".to_owned()));
    assert!(
        after.starts_with("see [https:") && after.ends_with("](/uploads/NEW)."),
        "{after}"
    );
}

#[test]
fn names_are_decoded_and_short_secrets_count() {
    let before = text(
        "![i](/uploads/HEX/a%20%C3%BC.png) ![j](/uploads/0123456789/b.png) ![i](/uploads/HEX/a%20%C3%BC.png)",
    );
    let short = UploadRef {
        secret: "0123456789".to_owned(),
        filename: "b.png".to_owned(),
    };
    assert_eq!(find(&before, &source()), [upload("a ü.png"), short]);
}

#[test]
fn code_comments_and_strangers_are_left() {
    let cases = [
        "`![i](/uploads/HEX/a.png)`",
        "```\n![i](/uploads/HEX/a.png)\n```",
        "    ![i](/uploads/HEX/a.png)",
        "<!-- ![i](/uploads/HEX/a.png) -->",
        "/uploads/HEX/a.png",
        "![i](/uploads/0123/a.png)",
        "![i](/uploads/HEX/../a.png)",
        "![i](/uploads/HEX/%2e%2e)",
        "![i](https://other.example/sub/group/project/uploads/HEX/a.png)",
        "![i](https://gl.example/sub/group/other/uploads/HEX/a.png)",
        "![i](https://gl.example/sub/-/project/8/uploads/HEX/a.png)",
        "![i](https://gl.example/sub/uploads/HEX/a.png)",
    ];
    for before in cases {
        let before = text(before);
        assert_eq!(find(&before, &source()), [], "{before:?}");
        assert_eq!(
            rewrite(&before, &source(), |_| Some("/uploads/NEW".to_owned())),
            before
        );
    }
}

#[test]
fn what_was_not_transferred_stays_reachable_at_the_source() {
    let cases = [
        (
            "![i](/uploads/HEX/a.png)",
            "![i](https://gl.example/sub/group/project/uploads/HEX/a.png)",
        ),
        (
            "![i](/-/project/7/uploads/HEX/a.png)",
            "![i](https://gl.example/sub/group/project/uploads/HEX/a.png)",
        ),
        (
            "![i](/-/project/8/uploads/HEX/a.png)",
            "![i](https://gl.example/sub/-/project/8/uploads/HEX/a.png)",
        ),
        (
            "![i](/group/other/uploads/HEX/a.png)",
            "![i](https://gl.example/sub/group/other/uploads/HEX/a.png)",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(
            rewrite(&text(before), &source(), |_| None),
            text(after),
            "{before:?}"
        );
    }
}

/// What each file of the source's text may have become in the copied one.
fn pairs(original: &str, copied: &str) -> Vec<(String, String)> {
    let target = SourceProject {
        id: ProjectId(9),
        path: "team/inbox",
        web_url: "https://other.example/team/inbox",
    };
    let found = candidates(&text(original), &source(), &text(copied), &target);
    found
        .into_iter()
        .map(|one| (one.original.filename, one.url.replace(HEX, "HEX")))
        .collect()
}

#[test]
fn a_copy_of_a_file_is_looked_for_in_its_place() {
    let original = "![a](/uploads/HEX/a.png) [b](/uploads/HEX/b%20c.txt) ![a](/uploads/HEX/a.png)";
    // GitLab spelt one otherwise; and one stayed at the source.
    let copied = "![a](/uploads/HEX/A.png) \
                  [b](https://gl.example/sub/group/project/uploads/HEX/b%20c.txt) \
                  ![a](/uploads/HEX/A.png)";
    let a = ("a.png".to_owned(), "/uploads/HEX/A.png".to_owned());
    assert_eq!(pairs(original, copied), [a]);
}

#[test]
fn where_the_texts_differ_a_copy_is_looked_for_by_its_name() {
    let original = "new: [n](/uploads/HEX/n.txt) [b](/uploads/HEX/b%20c.txt)";
    let copied = "[b](/uploads/HEX/b%20c.txt)";
    let b = ("b c.txt".to_owned(), "/uploads/HEX/b%20c.txt".to_owned());
    assert_eq!(pairs(original, copied), [b]);
}
