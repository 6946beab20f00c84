//! What is said of an issue's source: the last lines of a copy, and who wrote what when.

use super::{Frame, parts::FOOTER, reactions};
use crate::{
    issue::{Issue, User},
    labels, markdown,
    merge::{EditPolicy, Ways},
};
use chrono::{DateTime, Utc};
use std::fmt::Write as _;

/// The constant last lines: where it comes from, and what the target has no field for. Nothing here
/// may change while the source does not, so no time of ours stands in it.
pub(super) fn footer(frame: &Frame<'_>, issue: &Issue, moved: Option<&str>) -> String {
    let mut footer = format!(
        "{FOOTER}{}, opened by {} on {}. {}",
        frame.link(&issue.full_reference, &issue.web_url),
        person(&issue.author),
        moment(issue.created_at),
        changes(frame.ways),
    );
    let mut lines: Vec<String> = Vec::new();
    if let Some(milestone) = &issue.milestone {
        let mut line = format!("Milestone: {}", markdown::literal(&milestone.title));
        if let Some(day) = milestone.due_date {
            let _ = write!(line, " (due {day})");
        }
        lines.push(line);
    }
    if let Some(iteration) = &issue.iteration {
        let mut line = format!(
            "Iteration: {}",
            markdown::literal(&labels::iteration_name(iteration))
        );
        if let (Some(_), Some(start), Some(end)) =
            (&iteration.title, iteration.start_date, iteration.due_date)
        {
            let _ = write!(line, " ({start} to {end})");
        }
        lines.push(line);
    }
    if let Some(epic) = &issue.epic {
        lines.push(format!("Epic: {}", markdown::literal(&epic.title)));
    }
    if let Some(weight) = issue.weight.filter(|_| frame.weightless) {
        lines.push(format!("Weight: {weight}"));
    }
    if !issue.assignees.is_empty() {
        let people: Vec<String> = issue.assignees.iter().map(person).collect();
        lines.push(format!("Assigned to: {}", people.join(", ")));
    }
    // Labels that the target lacks are not created for a confidential issue.
    let crossing = issue.labels.iter().filter(|_| issue.confidential);
    let titles: Vec<String> = crossing
        .filter_map(|title| frame.rules.labels.target_title(title))
        .map(|title| markdown::literal(&title))
        .collect();
    if !titles.is_empty() {
        lines.push(format!("Labels: {}", titles.join(", ")));
    }
    if let Some(day) = issue.closed_at {
        lines.push(format!("Closed: {}", moment(day)));
    }
    if issue.moved_to_id.is_some() {
        // Where to is told only by way of its own copy: the other project may be a secret.
        lines.push(moved.map_or_else(
            || "Moved to another project".to_owned(),
            |address| format!("Moved to another project; [its copy]({address}) goes on"),
        ));
    }
    lines.extend(reactions::line(frame.rules.reactions, &issue.reactions));
    if !lines.is_empty() {
        footer.push('\n');
    }
    for line in lines {
        let _ = write!(footer, "\n- {line}");
    }
    footer
}

/// What becomes of changes on the copy.
fn changes(ways: Ways) -> &'static str {
    match (ways.on_edit, ways.flows_back) {
        (EditPolicy::Overwrite, false) => "Changes made here are overwritten.",
        (EditPolicy::Protect, false) => "Changes made here are kept.",
        (EditPolicy::Overwrite, true) => {
            "Comments, state, weight and time go back there; other changes made here are overwritten."
        }
        (EditPolicy::Protect, true) => {
            "Comments, state, weight and time go back there; other changes made here are kept."
        }
    }
}

pub(super) fn person(user: &User) -> String {
    format!(
        "**{}** ({})",
        markdown::literal(&user.name),
        markdown::code(&user.username)
    )
}

pub(super) fn moment(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}
