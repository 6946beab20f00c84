//! Copies that another mirroring tool made before us, known by the footer it wrote under them.

use crate::ids::Iid;

/// What stands before the link to the original, in the two footers that it wrote.
const OPENINGS: [&str; 2] = [
    "> This issue is automatically mirrored from [",
    "> **Source:** [",
];

/// The number of the issue in the project with this web address that a text says it is the copy of:
/// by a link to exactly that address, in a footer line of that tool's. A title tells nothing, and a
/// link anywhere else may be anybody's.
pub fn original(body: &str, project_web_url: &str) -> Option<Iid> {
    let issues = format!("{}/-/issues/", project_web_url.trim_end_matches('/'));
    let (_, footer) = body.rsplit_once("\n---")?;
    let mut lines = footer.lines().skip(1).map(str::trim_end);
    lines.find_map(|line| {
        let link = OPENINGS
            .iter()
            .find_map(|opening| line.strip_prefix(opening))?;
        let (_, target) = link.rsplit_once("](")?;
        let number = target.strip_suffix(')')?.strip_prefix(issues.as_str())?;
        // Only as GitLab itself would write it.
        let iid: i64 = number.parse().ok()?;
        (iid > 0 && iid.to_string() == number).then_some(Iid(iid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROJECT: &str = "https://gitlab.a/shop/source";

    fn footer(line: &str) -> String {
        format!(
            "Text.\n\n---\n> **🔄 Mirror Information**\n>\n{line}\n>\n> Last synced: 2026-01-01\n"
        )
    }

    #[test]
    fn both_footers_are_known() {
        for line in [
            "> This issue is automatically mirrored from [gitlab.a/shop#7](https://gitlab.a/shop/source/-/issues/7)",
            "> **Source:** [shop/source#7](https://gitlab.a/shop/source/-/issues/7)",
        ] {
            assert_eq!(original(&footer(line), PROJECT), Some(Iid(7)), "{line}");
        }
    }

    #[test]
    fn host_project_and_number_are_exact() {
        for url in [
            "https://gitlab.b/shop/source/-/issues/7",
            "https://gitlab.a/shop/source2/-/issues/7",
            "https://gitlab.a/shop/source/-/issues/7#note_1",
            "https://gitlab.a/shop/source/-/issues/07",
            "https://gitlab.a/shop/source/-/issues/0",
            "https://gitlab.a/shop/source/-/issues/-7",
            "https://gitlab.a/shop/source/-/issues/",
            "http://gitlab.a/shop/source/-/issues/7",
        ] {
            let line = format!("> **Source:** [shop/source#7]({url})");
            assert_eq!(original(&footer(&line), PROJECT), None, "{url}");
        }
    }

    #[test]
    fn a_link_that_is_no_footer_is_anybodys() {
        let line = "> **Source:** [x](https://gitlab.a/shop/source/-/issues/7)";
        for body in [
            line.to_owned(),
            format!("{line}\n\n---\n> Something else"),
            footer(&format!("See {line}")),
            footer("> See [x](https://gitlab.a/shop/source/-/issues/7)"),
        ] {
            assert_eq!(original(&body, PROJECT), None, "{body}");
        }
    }
}
