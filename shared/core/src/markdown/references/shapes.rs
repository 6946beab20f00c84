//! What a reference to the source project looks like, and beside what it may become a link.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::Reference;
use crate::ids::Iid;
use crate::markdown::uploads::{SourceProject, strip_address};

static HINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)[#!][0-9]|GL-[0-9]|/(?:issues|work_items)/[0-9]|[0-9a-f]{7}").ok()
});

static SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let path = "(?P<path>[A-Za-z0-9_.][A-Za-z0-9_./-]*)?";
    Regex::new(&format!(
        "{path}#(?P<issue>[0-9]+)|{path_again}!(?P<request>[0-9]+)|(?i:GL-)(?P<old>[0-9]+)\
         |(?P<hash>[0-9a-f]{{7,40}})",
        path_again = path.replace("path", "home"),
    ))
    .ok()
});

/// Whether it is worth to look closer.
pub(super) fn may_refer(text: &str) -> bool {
    HINT.as_ref().is_some_and(|hint| hint.is_match(text))
}

/// Every reference to the source project in a text node, with its place.
pub(super) fn all(text: &str, source: &SourceProject<'_>) -> Vec<(Range<usize>, Reference)> {
    let found = SHAPE.iter().flat_map(|shape| shape.captures_iter(text));
    found
        .filter_map(|captures| {
            let range = captures.get(0)?.range();
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let before = text.get(..range.start)?.ends_with(word);
            let after = text.get(range.end..)?.starts_with(word);
            let meaning = meaning(&captures, source).filter(|_| !before && !after)?;
            Some((range, meaning))
        })
        .collect()
}

/// What a whole link target names: a reference by itself, or an issue's address.
pub(super) fn whole(target: &str, source: &SourceProject<'_>) -> Option<Reference> {
    if let Some(below) = strip_address(target, source.web_url.trim_end_matches('/')) {
        let page = below.strip_prefix("/-").unwrap_or(below);
        let number = page
            .strip_prefix("/issues/")
            .or_else(|| page.strip_prefix("/work_items/"))?;
        let end = number.find(['#', '?']).unwrap_or(number.len());
        return issue(number.get(..end)?);
    }
    let mut found = all(target, source).into_iter();
    let (range, meaning) = found.next()?;
    let is_hash = matches!(meaning, Reference::Commit(_));
    (range == (0..target.len()) && !is_hash).then_some(meaning)
}

fn meaning(captures: &Captures<'_>, source: &SourceProject<'_>) -> Option<Reference> {
    let of_source = |path: &str| {
        let path_there = |there: &str| path.eq_ignore_ascii_case(there);
        path_there(source.path) || source.path.rsplit('/').next().is_some_and(path_there)
    };
    for path in ["path", "home"] {
        if captures
            .name(path)
            .is_some_and(|path| !of_source(path.as_str()))
        {
            return None;
        }
    }
    let group = |name| captures.name(name).map(|found| found.as_str());
    if let Some(number) = group("issue").or_else(|| group("old")) {
        return issue(number);
    }
    if let Some(number) = group("request") {
        return numbered(number).map(Reference::MergeRequest);
    }
    group("hash")
        .filter(|hash| is_commit(hash))
        .map(|hash| Reference::Commit(hash.to_owned()))
}

fn issue(number: &str) -> Option<Reference> {
    numbered(number).map(|number| Reference::Issue(Iid(number)))
}

/// GitLab counts in 31 bits; more names nothing.
fn numbered(number: &str) -> Option<i64> {
    let plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    let number: i32 = number.parse().ok().filter(|_| plain)?;
    Some(i64::from(number))
}

/// Short or whole, and no number, no word: dates, digests and names look alike otherwise.
fn is_commit(hash: &str) -> bool {
    let has = |what: fn(&u8) -> bool| hash.bytes().any(|byte| what(&byte));
    let length = hash.len() <= 12 || hash.len() == 40;
    length && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

/// Whether a link in this place changes nothing of what stands around it.
pub(in crate::markdown) fn stands_free(text: &str, range: &Range<usize>) -> bool {
    let before = text.get(..range.start).unwrap_or("");
    let after = text.get(range.end..).unwrap_or("");
    may_precede(before) && may_follow(after)
}

/// Brackets change what marks of emphasis mean that stand between them and anything but white space,
/// and what marks of several kinds mean.
const MARKS: [char; 3] = ['*', '_', '~'];

fn is_one_kind(marks: Option<&str>) -> bool {
    let mut marks = marks.unwrap_or("").chars();
    let first = marks.next();
    marks.all(|mark| Some(mark) == first)
}

fn may_precede(before: &str) -> bool {
    if before.trim_end().ends_with("]:") {
        // To some reader it may be a definition.
        return false;
    }
    let outer = before.trim_end_matches(MARKS);
    let mut nearest = outer.chars().rev();
    match (nearest.next(), nearest.next()) {
        _mixed if !is_one_kind(before.get(outer.len()..)) => false,
        (None, _) => true,
        (Some(c), _) if c.is_whitespace() => true,
        _beside_marks if outer.len() < before.len() => false,
        (Some('('), further) => further != Some(']'),
        (Some('['), further) => !matches!(further, Some('!' | '^')),
        (Some('/'), further) => further.is_some_and(|c| c.is_ascii_digit()),
        (Some(c), _) => ",;:\"'|>".contains(c) || !c.is_ascii(),
    }
}

fn may_follow(after: &str) -> bool {
    let outer = after.trim_start_matches(MARKS);
    let mut nearest = outer.chars();
    match (nearest.next(), nearest.next()) {
        _mixed if !is_one_kind(after.get(..after.len() - outer.len())) => false,
        (None, _) => true,
        (Some(c), _) if c.is_whitespace() => true,
        _beside_marks if outer.len() < after.len() => false,
        (Some('.' | ':'), further) => {
            further.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '/')
        }
        (Some('/'), further) => matches!(further, Some('#' | '!')),
        (Some(c), _) => ",;!?)]\"'|<".contains(c) || !c.is_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Reference, all, stands_free, whole};
    use crate::ids::{Iid, ProjectId};
    use crate::markdown::uploads::SourceProject;

    fn source() -> SourceProject<'static> {
        SourceProject {
            id: ProjectId(7),
            path: "group/app",
            web_url: "https://gl.example/sub/group/app",
        }
    }

    #[test]
    fn what_names_an_object_of_the_source_is_found() {
        let issue = |iid| Reference::Issue(Iid(iid));
        let cases = [
            ("#1 and GL-2, gl-3", vec![issue(1), issue(2), issue(3)]),
            (
                "app#4, group/app#5 GROUP/App#6",
                vec![issue(4), issue(5), issue(6)],
            ),
            (
                "!7 app!8",
                vec![Reference::MergeRequest(7), Reference::MergeRequest(8)],
            ),
            ("0a1b2c3d", vec![Reference::Commit("0a1b2c3d".to_owned())]),
            ("other#1 other/app#2 x/group/app#3 &4 $5 %6", vec![]),
            ("#1a a#1 #0 #01 #99999999999 #12_ GL-1x", vec![]),
            ("20261122 defaced 0a1b2c3d4e5f6 0A1B2C3D", vec![]),
        ];
        for (text, expected) in cases {
            let found: Vec<Reference> = all(text, &source())
                .into_iter()
                .map(|(_, meaning)| meaning)
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn an_address_names_an_issue_only_as_a_whole() {
        for target in [
            "https://gl.example/sub/group/app/-/issues/12",
            "http://GL.example/sub/group/app/-/work_items/12",
            "https://gl.example/sub/group/app/-/issues/12#note_3",
            "https://gl.example/sub/group/app/issues/12?a=b",
            "#12",
            "group/app#12",
            "GL-12",
        ] {
            let found = whole(target, &source());
            assert_eq!(found, Some(Reference::Issue(Iid(12))), "{target}");
        }
        for target in [
            "https://gl.example/sub/group/app/-/issues/12/designs",
            "https://gl.example/sub/group/app/-/issues",
            "https://gl.example/sub/group/app2/-/issues/12",
            "https://other.example/sub/group/app/-/issues/12",
            "#12-a",
            "0a1b2c3d",
            "",
        ] {
            assert_eq!(whole(target, &source()), None, "{target}");
        }
    }

    #[test]
    fn a_link_needs_room() {
        let free = |text: &str| {
            let start = text.find("#12").unwrap_or(0);
            stands_free(text, &(start..start + 3))
        };
        for text in [
            "#12",
            "(#12)",
            "[#12]",
            "a #12, b",
            "**#12**",
            "#12/#13",
            "见#12。",
            "#12.",
        ] {
            assert!(free(text), "{text}");
        }
        for text in [
            "!#12", "](#12", "]#12", "^[#12", "*#12*b", "a**#12**", "(*#12*)", "\\#12", "#12(x)",
            "#12[x]", "#12{x}", "a/#12", "#12.5", "-#12", "#12+", "&#12",
        ] {
            assert!(!free(text), "{text}");
        }
    }
}
