//! Reactions, counted.

use crate::{markdown, rules::Reactions};
use std::{cmp::Reverse, collections::BTreeMap};

const UP: &str = "thumbsup";
const DOWN: &str = "thumbsdown";

/// The footer's line of them; `None`: there are none, or none are to be counted.
pub(super) fn line(wanted: Reactions, counts: &BTreeMap<String, u64>) -> Option<String> {
    let is_vote = |name: &str| name == UP || name == DOWN;
    let mut counted: Vec<(&str, u64)> = counts
        .iter()
        .map(|(name, count)| (name.as_str(), *count))
        .filter(|(name, count)| match wanted {
            Reactions::None => false,
            Reactions::Votes => is_vote(name) && *count > 0,
            Reactions::All => *count > 0,
        })
        .collect();
    counted.sort_by_key(|(name, count)| (*name != UP, *name != DOWN, Reverse(*count), *name));
    let each: Vec<String> = counted
        .into_iter()
        .map(|(name, count)| format!("{} {count}", emoji(name)))
        .collect();
    (!each.is_empty()).then(|| format!("Reactions: {}", each.join(", ")))
}

/// As GitLab shows it as a picture.
fn emoji(name: &str) -> String {
    let part = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
    if name.chars().all(part) {
        format!(":{name}:")
    } else {
        markdown::code(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_counted_votes_first() {
        let counts = [
            ("tada", 2),
            ("thumbsdown", 1),
            ("thumbsup", 1),
            ("heart", 5),
            ("eyes", 2),
            ("rocket", 0),
        ];
        let counts = counts.map(|(name, count)| (name.to_owned(), count)).into();
        let told = |wanted| line(wanted, &counts);
        assert_eq!(told(Reactions::None), None);
        let votes = "Reactions: :thumbsup: 1, :thumbsdown: 1";
        assert_eq!(told(Reactions::Votes).as_deref(), Some(votes));
        let all = format!("{votes}, :heart: 5, :eyes: 2, :tada: 2");
        assert_eq!(told(Reactions::All), Some(all));
        assert_eq!(line(Reactions::All, &BTreeMap::new()), None);
    }

    #[test]
    fn a_name_that_is_none_acts_on_nothing() {
        let counts = [("@all #1".to_owned(), 1)].into();
        let told = line(Reactions::All, &counts);
        assert_eq!(told.as_deref(), Some("Reactions: `@all #1` 1"));
    }
}
