//! The shapes of GitLab's references in plain text.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use super::references::Live;

/// A path such as `group/project`, in front of a sigil.
const PATH: &str = r"(?P<path>(?:[A-Za-z0-9_.][A-Za-z0-9_.-]*/)*[A-Za-z0-9_.][A-Za-z0-9_.-]*)?";

type Reading = fn(&Captures<'_>) -> Option<Live>;

/// Every reference in a text, with its place. No object is looked up: whatever has the shape of a
/// reference counts.
pub(super) fn all(text: &str) -> Vec<(Range<usize>, Live)> {
    let mut found: Vec<(Range<usize>, Live)> = PATTERNS
        .iter()
        .flat_map(|(pattern, reading)| {
            pattern
                .captures_iter(text)
                .map(move |captures| (reading, captures))
        })
        .filter_map(|(reading, captures)| Some((captures.get(0)?.range(), reading(&captures)?)))
        .filter(|(range, live)| bounded(text, range, live))
        .collect();
    found.sort_by_key(|(range, _)| range.start);
    found
}

/// The reference that a whole text is, as GitLab reads link targets.
pub(super) fn whole(text: &str) -> Option<Live> {
    let mut found = all(text)
        .into_iter()
        .filter(|(range, _)| *range == (0..text.len()));
    found.next().map(|(_, live)| live)
}

static PATTERNS: LazyLock<Vec<(Regex, Reading)>> = LazyLock::new(|| {
    let with_path = |pattern: &str| regex(&format!("{PATH}{pattern}"));
    vec![
        (
            regex(
                r"@([A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}(?:/[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}){0,20})",
            ),
            user,
        ),
        (with_path(r"#(?P<n>[0-9]+)(?:\+s?)?"), issue),
        (regex(r"(?i)GL-(?P<n>[0-9]+)(?:\+s?)?"), issue),
        (
            regex(
                r"\[(?:issue|work_item):(?:(?P<path>[A-Za-z0-9_./-]+)/)?(?P<n>[0-9]+)(?:\+s?)?\]",
            ),
            issue,
        ),
        (with_path(r"!(?P<n>[0-9]+)(?:\+s?)?"), merge_request),
        (with_path(r"&(?P<n>[0-9]+)(?:\+s?)?"), epic),
        (
            regex(r"\[epic:(?:(?P<path>[A-Za-z0-9_./-]+)/)?(?P<n>[0-9]+)(?:\+s?)?\]"),
            epic,
        ),
        (
            with_path(r#"%(?P<name>"[^"\n]+"|[0-9]+|[^"\s<]+)"#),
            milestone,
        ),
        (
            with_path(r#"~(?P<name>"[^"\n]+"|[A-Za-z0-9_?.&:-]+)"#),
            label,
        ),
        (with_path(r"\$(?P<n>[0-9]+)"), snippet),
        (with_path(r"\^alert#(?P<n>[0-9]+)"), alert),
        (
            regex(r"\[vulnerability:(?:[A-Za-z0-9_./-]+/)?(?P<n>[0-9]+)\]"),
            vulnerability,
        ),
        (regex(r"(?P<sha>[0-9a-fA-F]{7,40})"), commit),
        (
            regex(r#"\*iteration:(?P<name>"[^"\n]+"|[A-Za-z0-9_-]+)"#),
            other,
        ),
        (
            regex(r"\[(?:feature_flag|contact|wiki_page|cadence|iteration):[^\]\n]+\]"),
            other,
        ),
        (
            regex(r"[A-Za-z0-9_.][A-Za-z0-9_./-]*/[A-Za-z0-9_.-]+>"),
            other,
        ),
    ]
});

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants of this file, compiled by its tests"
)]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

/// What GitLab demands around a match. Ruby's `\w` is ASCII: a letter with an accent bounds a word.
fn bounded(text: &str, range: &Range<usize>, live: &Live) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let before = text
        .get(..range.start)
        .and_then(|before| before.chars().next_back())
        .is_some_and(word);
    let after = text
        .get(range.end..)
        .and_then(|after| after.chars().next())
        .is_some_and(word);
    match live {
        Live::User(_) => !before,
        Live::Issue { .. } => !after,
        Live::Commit(_) => !before && !after,
        Live::MergeRequest { .. }
        | Live::Epic { .. }
        | Live::Milestone(_)
        | Live::Label(_)
        | Live::Snippet { .. }
        | Live::Alert { .. }
        | Live::Vulnerability(_)
        | Live::Other(_)
        | Live::Url(_) => true,
    }
}

fn path(captures: &Captures<'_>) -> Option<String> {
    captures.name("path").map(|path| path.as_str().to_owned())
}

/// Numbers too large for an id name nothing.
fn number(captures: &Captures<'_>) -> Option<u64> {
    captures.name("n")?.as_str().parse().ok()
}

fn name(captures: &Captures<'_>) -> Option<String> {
    let name = captures.name("name")?.as_str();
    let bare = name.trim_matches('"');
    let nameless =
        !name.starts_with('"') && !bare.contains(|c: char| c.is_alphanumeric() || c == '_');
    (!nameless).then(|| bare.to_owned())
}

fn user(captures: &Captures<'_>) -> Option<Live> {
    let name = captures.get(1)?.as_str().trim_end_matches('.');
    (!name.is_empty()).then(|| Live::User(name.to_owned()))
}

fn issue(captures: &Captures<'_>) -> Option<Live> {
    Some(Live::Issue {
        project: path(captures),
        iid: number(captures)?,
    })
}

fn merge_request(captures: &Captures<'_>) -> Option<Live> {
    Some(Live::MergeRequest {
        project: path(captures),
        iid: number(captures)?,
    })
}

fn epic(captures: &Captures<'_>) -> Option<Live> {
    Some(Live::Epic {
        group: path(captures),
        iid: number(captures)?,
    })
}

fn milestone(captures: &Captures<'_>) -> Option<Live> {
    name(captures).map(Live::Milestone)
}

fn label(captures: &Captures<'_>) -> Option<Live> {
    name(captures).map(Live::Label)
}

fn snippet(captures: &Captures<'_>) -> Option<Live> {
    Some(Live::Snippet {
        project: path(captures),
        id: number(captures)?,
    })
}

fn alert(captures: &Captures<'_>) -> Option<Live> {
    Some(Live::Alert {
        project: path(captures),
        iid: number(captures)?,
    })
}

fn vulnerability(captures: &Captures<'_>) -> Option<Live> {
    number(captures).map(Live::Vulnerability)
}

fn commit(captures: &Captures<'_>) -> Option<Live> {
    Some(Live::Commit(captures.name("sha")?.as_str().to_lowercase()))
}

fn other(captures: &Captures<'_>) -> Option<Live> {
    Some(Live::Other(captures.get(0)?.as_str().to_owned()))
}
