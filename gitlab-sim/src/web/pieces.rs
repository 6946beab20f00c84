//! Small things that several pages show.

use chrono::{DateTime, Utc};

use super::site::{Site, encoded};
use crate::text::visible::escaped;
use crate::{Issue, IssueState, IssueType, Label, Project, UserId};

/// A label as a pill, linked to the issues that carry it.
pub(super) fn label(site: &Site<'_>, project: &Project, label: &Label) -> String {
    let color = color(&label.color);
    let address = format!(
        "{}?state=all&label={}",
        site.to_issues(project),
        encoded(&label.title)
    );
    let shown = match crate::scope(&label.title) {
        Some(key) => {
            let value = label.title.get(key.len() + "::".len()..).unwrap_or("");
            format!("<span>{}</span><i>{}</i>", escaped(key), escaped(value))
        }
        None => format!("<span>{}</span>", escaped(&label.title)),
    };
    format!(
        "<a class=\"label {tone}\" style=\"--c:{color}\" href=\"{}\" title=\"{}\">{shown}</a>",
        escaped(&address),
        escaped(label.description.as_deref().unwrap_or("")),
        tone = if is_light(color) { "light" } else { "dark" },
    )
}

/// The labels of an issue by title.
pub(super) fn labels(site: &Site<'_>, project: &Project, issue: &Issue) -> String {
    let mut found: Vec<&Label> = issue
        .labels
        .iter()
        .filter_map(|id| site.world.label(*id))
        .collect();
    found.sort_by(|a, b| a.title.cmp(&b.title));
    found
        .into_iter()
        .map(|one| label(site, project, one))
        .collect()
}

/// A colour safe to stand in a style.
fn color(color: &str) -> &str {
    let digits = color.strip_prefix('#').unwrap_or("");
    let plain =
        matches!(digits.len(), 3 | 6) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if plain { color } else { crate::DEFAULT_COLOR }
}

fn is_light(color: &str) -> bool {
    let digits = color.trim_start_matches('#');
    let wide: String = if digits.len() == 3 {
        digits.chars().flat_map(|c| [c, c]).collect()
    } else {
        digits.to_owned()
    };
    let part = |at: usize| {
        wide.get(at..at + 2)
            .and_then(|part| u32::from_str_radix(part, 16).ok())
            .unwrap_or(0)
    };
    // Perceived brightness, from the weights of the NTSC standard.
    part(0) * 299 + part(2) * 587 + part(4) * 114 > 150_000
}

/// A circle with somebody's initials.
pub(super) fn avatar(site: &Site<'_>, user: UserId) -> String {
    let Some(user) = site.world.user(user) else {
        return String::new();
    };
    let initials: String = user
        .name
        .split_whitespace()
        .filter_map(|part| part.chars().next())
        .take(2)
        .collect();
    let hue = user
        .username
        .bytes()
        .fold(7_u32, |hue, byte| (hue * 31 + u32::from(byte)) % 360);
    format!(
        "<span class=\"avatar\" style=\"--h:{hue}\" title=\"{} @{}\">{}</span>",
        escaped(&user.name),
        escaped(&user.username),
        escaped(&initials.to_uppercase())
    )
}

/// Somebody's name, linked.
pub(super) fn person(site: &Site<'_>, user: UserId) -> String {
    site.world.user(user).map_or_else(
        || "somebody".to_owned(),
        |user| {
            let address = site.to(&user.username);
            format!(
                "<a class=\"person\" href=\"{}\"><b>{}</b> <span class=\"quiet\">@{}</span></a>",
                escaped(&address),
                escaped(&user.name),
                escaped(&user.username)
            )
        },
    )
}

/// A moment: the day and the time, the whole of it on hovering.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    format!(
        "<time datetime=\"{}\" title=\"{}\">{}</time>",
        at.format("%Y-%m-%dT%H:%M:%SZ"),
        at.format("%A, %-d %B %Y, %H:%M:%S UTC"),
        at.format("%-d %b %Y, %H:%M")
    )
}

/// Open or closed.
pub(super) fn state(issue: &Issue) -> &'static str {
    match issue.state {
        IssueState::Opened => "<span class=\"state open\">Open</span>",
        IssueState::Closed => "<span class=\"state closed\">Closed</span>",
    }
}

/// The kind of an issue, if it is not the ordinary one.
pub(super) fn kind(issue: &Issue) -> &'static str {
    match issue.issue_type {
        IssueType::Issue => "",
        IssueType::Incident => "<span class=\"kind incident\">Incident</span>",
        IssueType::TestCase => "<span class=\"kind\">Test case</span>",
        IssueType::Task => "<span class=\"kind\">Task</span>",
    }
}

/// A number with its word, which gets an `s` unless the number is one.
pub(super) fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}
