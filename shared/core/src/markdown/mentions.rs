//! Mentions of people who have an account on the target, made to reach it.
//!
//! Where a text mentions somebody of them as a word of its own, the name becomes the one that they
//! have there, and the sign stays live. Code stays code, and where it is in doubt what a text means,
//! or whom another reader would take the name for, the mention reaches nobody: whatever is not set
//! aside here [`super::defuse_with`] makes inert.

use std::collections::BTreeSet;
use std::ops::Range;

use super::addresses;
use super::agreement::agreed;
use super::defuse::normalised;
use super::edits::Edits;
use super::hazards::{Hazard, hazards};
use super::references::{stands_free, takes_links};
use super::survey::survey;
use crate::people::People;

/// Stands for the first name that is set aside: a letter, as names are made of letters, and of those
/// that next to nobody writes.
const FIRST: u32 = 0x30000;
/// More people than there are such characters nobody mentions at once.
const MOST: usize = 1_000;

/// A text whose mentions of known people are set aside, one character for each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// The text.
    pub text: String,
    /// The names on the target, in the order of their characters.
    names: Vec<String>,
}

impl Aside {
    /// The text with the mentions put back, by the names on the target; to be called last.
    pub fn put_back(&self, text: String) -> String {
        let mut text = text;
        for (mark, name) in marks().zip(&self.names) {
            text = text.replace(mark, &format!("@{name}"));
        }
        text
    }
}

fn marks() -> impl Iterator<Item = char> {
    (FIRST..).map_while(char::from_u32).take(MOST)
}

fn is_mark(c: char) -> bool {
    ('\u{30000}'..='\u{3FFFF}').contains(&c)
}

/// Whoever may be mentioned in a text: no mention that [`set_aside`] finds is missing.
pub fn find(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, name) in named(text) {
        // To some reader marks of emphasis stand behind the name.
        found.insert(name.trim_end_matches('_').to_owned());
        found.insert(name.to_owned());
    }
    found
}

/// Sets those mentions aside that are to reach somebody. To be called on a source's text, before
/// anything else is made of it.
pub fn set_aside(text: &str, people: &People) -> Aside {
    let untouched = Aside {
        text: text.to_owned(),
        names: Vec::new(),
    };
    let known = |name: &String| people.mentioned(name).is_some();
    let may = people.may_be_mentioned() && !text.contains(is_mark);
    if !may || !find(text).iter().any(known) {
        return untouched;
    }
    let read = normalised(text);
    let survey = survey(&read);
    // What has to be written otherwise for readers to agree is not clear.
    if !takes_links(&survey) || agreed(read.clone()) != read {
        return untouched;
    }
    let bare = addresses::bare(&read, &survey);
    let mut names: Vec<String> = Vec::new();
    let mut edits = Edits::default();
    for run in &survey.prose {
        for (found, name) in named(run.text()) {
            let Some(account) = people.mentioned(name) else {
                continue;
            };
            let place = addresses::as_written(run, found);
            let Some(place) = place.filter(|place| {
                let addressed = bare.iter().any(|address| address.contains(&place.start))
                    || addresses::is_in_word(&read, place.start);
                !addressed && stands_alone(&read, place)
            }) else {
                continue;
            };
            if let Some(mark) = mark_of(&account.username, &mut names) {
                edits.replace(place, mark);
            }
        }
    }
    if edits.is_empty() {
        return untouched;
    }
    let text = edits.apply(&read);
    Aside { text, names }
}

/// The character that stands for a name; `None`: the name means something else to some reader.
fn mark_of(username: &str, names: &mut Vec<String>) -> Option<char> {
    if !reads_as_one_name(username) {
        return None;
    }
    let known = names.iter().position(|name| name == username);
    let at = known.unwrap_or_else(|| {
        names.push(username.to_owned());
        names.len() - 1
    });
    marks().nth(at)
}

/// Whether nothing in a username is a mark of emphasis, or a reference of another kind (`deadbeef` is
/// a commit).
fn reads_as_one_name(username: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric();
    let parts = username.split(['_', '-', '.']);
    let parted = parts
        .into_iter()
        .all(|part| part.chars().all(inner) && !part.is_empty());
    parted && hazards(&format!("@{username}")) == [Hazard::Sign(0)]
}

/// Whether the mention is a word of its own, to every reader. Underscores beside it are part of the
/// name to some, and marks to others; with another sign behind it, it may be a mail's address.
fn stands_alone(text: &str, place: &Range<usize>) -> bool {
    let before = text.get(..place.start).unwrap_or("");
    let after = text.get(place.end..).unwrap_or("");
    let beside = |c: char| "_~".contains(c);
    let word = after.split(char::is_whitespace).next().unwrap_or("");
    let parted = !before.ends_with(beside) && !after.starts_with(beside);
    parted && !word.contains('@') && stands_free(text, place)
}

/// Every mention of a single user in a text node, with its place.
fn named(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let signs = text.match_indices('@');
    signs.filter_map(move |(at, sign)| {
        let start = at + sign.len();
        let rest = text.get(start..)?;
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let is_path = rest.get(end..)?.starts_with('/');
        let name = rest.get(..end)?.trim_end_matches('.');
        let found = (at..start + name.len(), name);
        (!name.is_empty() && !name.starts_with('-') && !is_path).then_some(found)
    })
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_.-".contains(c)
}

#[cfg(test)]
mod tests {
    use super::{find, reads_as_one_name};

    #[test]
    fn whoever_may_be_mentioned_is_found() {
        let found = find("@anna, (@Ben.) @c_d_ x@mail @group/sub @@e @-f @.");
        let names: Vec<&str> = found.iter().map(String::as_str).collect();
        assert_eq!(names, ["Ben", "anna", "c_d", "c_d_", "e", "mail"]);
    }

    #[test]
    fn a_name_that_means_something_else_to_some_reader_is_not_written() {
        for name in ["anna", "a.smith", "a_b-c.d", "project_7_bot", "x1"] {
            assert!(reads_as_one_name(name), "{name}");
        }
        for name in [
            "deadbeef", "1234567", "gl-1", "_a", "a_", "a__b", "a._b_.c", "a.", ".a", "",
        ] {
            assert!(!reads_as_one_name(name), "{name}");
        }
    }
}
