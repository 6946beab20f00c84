//! Labels that tell what the target has no field for: milestone, iteration, epic, assignees.

use crate::issue::{Issue, Iteration, User};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// GitLab's limit for a label's title, in characters.
pub const MAX_TITLE: usize = 255;

/// The informational labels of an issue's planning fields, but for its assignees.
pub fn informational(issue: &Issue) -> Vec<String> {
    let mut titles = Vec::new();
    if let Some(milestone) = &issue.milestone {
        titles.push(milestone_label(&milestone.title));
    }
    if let Some(iteration) = &issue.iteration {
        titles.push(title("Iteration::", &iteration_name(iteration)));
    }
    if let Some(epic) = &issue.epic {
        titles.push(title("Epic::", &epic.title));
    }
    titles
}

/// The label that stands for a milestone.
pub fn milestone_label(milestone: &str) -> String {
    title("Milestone::", milestone)
}

/// An issue's assignees, each with the label that tells of them.
///
/// One becomes the scoped `Assigned::name`; several become unscoped `Assigned: name`, on every
/// edition, because scoped ones exclude each other where scoped labels are licensed.
pub fn assigned(issue: &Issue) -> impl Iterator<Item = (&User, String)> {
    let prefix = match issue.assignees.as_slice() {
        [] | [_] => "Assigned::",
        [_, ..] => "Assigned: ",
    };
    let each = issue.assignees.iter();
    each.map(move |user| (user, title(prefix, &user.username)))
}

/// An iteration's title, or its days where it has none (those that a cadence makes).
pub fn iteration_name(iteration: &Iteration) -> String {
    match (&iteration.title, iteration.start_date, iteration.due_date) {
        (Some(title), _, _) if !title.trim().is_empty() => title.clone(),
        (_, Some(start), Some(end)) => format!("{start} to {end}"),
        (_, Some(day), None) | (_, None, Some(day)) => day.to_string(),
        (_, None, None) => "(unnamed)".to_owned(),
    }
}

/// `prefix` and the raw text, made fit for a label: a comma would end it, a second `::` would move
/// its scope, a title over the limit is cut and told apart by eight digits of its hash.
pub fn title(prefix: &str, raw: &str) -> String {
    let mut text = raw.replace(',', " ").replace(|c: char| c.is_control(), " ");
    while text.contains("::") {
        text = text.replace("::", ":");
    }
    let text = text.trim().trim_matches(':').trim();
    let full = format!("{prefix}{text}");
    cut(full.trim_end(), raw, MAX_TITLE)
}

/// `title`, cut to so many characters where it is longer, and told apart by eight digits of the hash
/// of what it was made of.
pub(crate) fn cut(title: &str, made_of: &str, room: usize) -> String {
    if title.chars().count() <= room {
        return title.to_owned();
    }
    let digest = hex::encode(Sha256::digest(made_of.as_bytes()));
    let head: String = title.chars().take(room.saturating_sub(9)).collect();
    format!(
        "{}~{}",
        head.trim_end(),
        digest.get(..8).unwrap_or_default()
    )
}

/// The scope of a scoped label: everything up to the last `::`. Two labels of one scope exclude
/// each other on one issue where scoped labels are licensed (Premium and up).
pub fn scope(title: &str) -> Option<&str> {
    title
        .rsplit_once("::")
        .map(|(scope, _)| scope)
        .filter(|scope| !scope.is_empty())
}

/// What of `titles` stays where scoped labels exclude each other: the last of each scope, as GitLab
/// decides it.
pub fn exclusive<'a>(titles: &'a [String]) -> Vec<&'a str> {
    let mut taken = BTreeSet::new();
    let mut kept: Vec<&'a str> = titles
        .iter()
        .rev()
        .filter(|title| scope(title).is_none_or(|scope| taken.insert(scope)))
        .map(String::as_str)
        .collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn titles_are_made_fit() {
        assert_eq!(title("Milestone::", "Q1, 2026"), "Milestone::Q1  2026");
        assert_eq!(
            title("Epic::", "Platform::Auth:::SSO"),
            "Epic::Platform:Auth:SSO"
        );
        assert_eq!(title("Epic::", ":edge:"), "Epic::edge");
        let long = title("Milestone::", &"x".repeat(300));
        assert_eq!(long.chars().count(), MAX_TITLE);
        assert_ne!(long, title("Milestone::", &"x".repeat(301)));
    }

    #[test]
    fn the_last_of_a_scope_wins() {
        let titles = ["a::1", "plain", "b::1", "a::2", "a::b::3"].map(str::to_owned);
        assert_eq!(exclusive(&titles), ["plain", "b::1", "a::2", "a::b::3"]);
    }

    proptest! {
        #[test]
        fn any_text_becomes_a_label_of_its_scope(raw in "\\PC{0,400}") {
            let label = title("Milestone::", &raw);
            prop_assert!(label.chars().count() <= MAX_TITLE);
            prop_assert!(!label.contains(','));
            prop_assert_eq!(label.matches("::").count(), 1);
            prop_assert_eq!(label.trim(), label.as_str());
        }
    }
}
