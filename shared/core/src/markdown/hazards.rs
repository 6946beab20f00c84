//! Where a text node holds something that GitLab would link (facts section 4), wider than any one
//! release reads it.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A place that must be changed, as a byte of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Hazard {
    /// A sign that makes what follows live: escape it.
    Sign(usize),
    /// Nothing to escape: cut the text here. Always between a letter, a digit or one of `/`, `[`,
    /// `*` and a letter or digit, so that a cut changes no meaning of what stands beside it.
    Cut(usize),
}

impl Hazard {
    pub(super) fn at(self) -> usize {
        match self {
            Self::Sign(at) | Self::Cut(at) => at,
        }
    }
}

/// A hash shorter than this is no commit reference.
const SHORTEST_HASH: usize = 7;
const LONGEST_HASH: usize = 40;

/// Everything live in one text node, in order.
pub(super) fn hazards(text: &str) -> Vec<Hazard> {
    all(text, LONGEST_HASH, false)
}

/// As [`hazards`], for a text that other cuts may part: there a run of any length can become a hash.
pub(super) fn hazards_if_parted(text: &str) -> Vec<Hazard> {
    all(text, usize::MAX, true)
}

fn all(text: &str, longest_hash: usize, parted: bool) -> Vec<Hazard> {
    let mut found: Vec<Hazard> = signs(text, parted).map(Hazard::Sign).collect();
    found.extend(hash_cuts(text, longest_hash).into_iter().map(Hazard::Cut));
    found.extend(shape_cuts(text).into_iter().map(Hazard::Cut));
    found.sort();
    found.sort_by_key(|hazard| hazard.at());
    found.dedup();
    found
}

/// Occurrences of an address in a text, whatever its letters' case.
pub(super) fn occurrences(text: &str, address: &str) -> Vec<Range<usize>> {
    let (text, address) = (text.to_ascii_lowercase(), address.to_ascii_lowercase());
    let found = text.match_indices(&address);
    found.map(|(at, part)| at..at + part.len()).collect()
}

fn signs(text: &str, parted: bool) -> impl Iterator<Item = usize> + '_ {
    let mut before = None;
    text.char_indices().filter_map(move |(at, sign)| {
        let rest = text.get(at + sign.len_utf8()..).unwrap_or("");
        let live = match sign {
            '@' => {
                let word = before.is_some_and(is_word) && !is_behind_marks(text, at);
                !word && rest.starts_with(starts_path)
            }
            '#' | '!' | '&' | '$' => rest.starts_with(|c: char| c.is_ascii_digit()),
            '%' if parted && !rest.contains(|c: char| c.is_whitespace() || c == '<') => true,
            '%' => is_named(rest, |c| !c.is_whitespace() && c != '<' && c != '"'),
            '~' => is_named(rest, |c| is_word(c) || "?.&:-".contains(c)),
            _plain => false,
        };
        before = Some(sign);
        live.then_some(at)
    })
}

/// Whether nothing but underscores stand before a place: to some reader they are emphasis, and what
/// follows begins a text of its own.
fn is_behind_marks(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or("");
    let outer = before.trim_end_matches('_');
    outer.len() < before.len() && !outer.ends_with(is_word)
}

/// A quoted name, or a bare one with anything in it that a name is made of.
fn is_named(rest: &str, belongs: impl Fn(char) -> bool) -> bool {
    rest.starts_with('"')
        || rest
            .chars()
            .take_while(|c| belongs(*c))
            .any(|c| c.is_alphanumeric() || c == '_')
}

/// Ruby's `\w`: ASCII, so that a letter with an accent bounds a word.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn starts_path(c: char) -> bool {
    is_word(c) || c == '.'
}

/// Cuts that leave no piece long enough to be a hash.
fn hash_cuts(text: &str, longest: usize) -> Vec<usize> {
    let mut cuts = Vec::new();
    let mut start = 0;
    for word in text.split(|c| !is_word(c)) {
        let hash = (SHORTEST_HASH..=longest).contains(&word.len())
            && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hash {
            cuts.extend((start + SHORTEST_HASH - 1..start + word.len()).step_by(SHORTEST_HASH - 1));
        }
        start += word.len();
        start += text
            .get(start..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8);
    }
    cuts
}

/// Shapes without a sign, and how many bytes into the match the cut goes.
static SHAPES: LazyLock<Vec<(Regex, usize)>> = LazyLock::new(|| {
    [
        (r"(?i)GL-[0-9]", 1),
        (r"\[[a-z][a-z_]*:[^\[\]\n]*\]", 2),
        (r"\*iteration:", 2),
    ]
    .into_iter()
    .filter_map(|(shape, cut)| Some((Regex::new(shape).ok()?, cut)))
    .collect()
});

/// `group/project>`.
static PROJECT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[A-Za-z0-9_.][A-Za-z0-9_./-]*/[A-Za-z0-9_.-]+>").ok());

fn shape_cuts(text: &str) -> Vec<usize> {
    let mut cuts = Vec::new();
    for (shape, cut) in SHAPES.iter() {
        cuts.extend(shape.find_iter(text).map(|found| found.start() + cut));
    }
    for found in PROJECT.iter().flat_map(|project| project.find_iter(text)) {
        cuts.extend(
            found
                .as_str()
                .rfind('/')
                .map(|slash| found.start() + slash + 1),
        );
    }
    cuts
}

/// Whether a link target is a reference in itself, to be judged after percent-decoding.
pub(super) fn is_reference(target: &str) -> bool {
    static WHOLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let path = r"(?:[A-Za-z0-9_.][A-Za-z0-9_./-]*)?";
        let numbered = format!(r"{path}(?:[#!&$]|\^alert#)[0-9]+(?:\+s?)?");
        let named = format!(r#"{path}(?:%.+|~.+|@.+)"#);
        let bare = r"(?i:GL-[0-9]+(?:\+s?)?)|[0-9a-fA-F]{7,40}(?:\.{2,3}[0-9a-fA-F]{7,40})?";
        let shaped = r"\[[a-z_]+:.*\]|\*iteration:.+|[A-Za-z0-9_.][A-Za-z0-9_./-]*>";
        Regex::new(&format!(r"(?s)\A(?:{numbered}|{named}|{bare}|{shaped})\z")).ok()
    });
    WHOLE.as_ref().is_some_and(|whole| whole.is_match(target))
}

#[cfg(test)]
mod tests {
    use super::{Hazard, hazards, is_reference};

    #[test]
    fn the_constant_patterns_compile() {
        assert_eq!(super::SHAPES.len(), 3);
        assert!(super::PROJECT.is_some());
        assert!(is_reference("#12"));
    }

    #[test]
    fn every_shape_is_found_where_it_must_change() {
        use Hazard::{Cut, Sign};
        let cases = [
            ("@alice", vec![Sign(0)]),
            ("a@alice", vec![]),
            ("é@alice", vec![Sign(2)]),
            ("@@all", vec![Sign(1)]),
            ("@.@a", vec![Sign(0), Sign(2)]),
            (
                "g/p#12 g/p!3 &4 $5",
                vec![Sign(3), Sign(10), Sign(13), Sign(16)],
            ),
            ("^alert#1", vec![Sign(6)]),
            ("50% and 50%) 5%x %\"a b\"", vec![Sign(14), Sign(17)]),
            ("~bug ~~ ~\"a\" ~ 3", vec![Sign(0), Sign(8)]),
            ("GL-1", vec![Cut(1)]),
            ("[vulnerability:1]", vec![Cut(2)]),
            ("a/b>", vec![Cut(2)]),
            ("0a1b2c", vec![]),
            ("0a1b2c3", vec![Cut(6)]),
            ("0a1b2c3d4e5f6", vec![Cut(6), Cut(12)]),
            ("x0a1b2c3 0a1b2c3_", vec![]),
            ("# heading C# wow! you & me", vec![]),
        ];
        for (text, expected) in cases {
            assert_eq!(hazards(text), expected, "{text:?}");
        }
    }

    #[test]
    fn link_targets_are_references_only_as_a_whole() {
        for target in [
            "#12", "g/p#12", "@alice", "!3+s", "0a1b2c3d", "GL-1", "%v1", "~\"a b\"", "a/b>",
        ] {
            assert!(is_reference(target), "{target}");
        }
        for target in [
            "#heading",
            "/g/p#12",
            "#12-a",
            "https://x/#12",
            "/uploads/0a1b2c3d4e5f/x",
            "",
        ] {
            assert!(!is_reference(target), "{target}");
        }
    }
}
