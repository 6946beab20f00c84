//! An issue's attributes, beside its text.

use super::pieces;
use super::site::Site;
use crate::text::duration;
use crate::text::visible::escaped;
use crate::{Home, Issue, Project};

/// The column beside an issue.
pub(super) fn column(site: &Site<'_>, project: &Project, issue: &Issue) -> String {
    let mut column = String::new();
    let mut add = |title: &str, value: Option<String>| {
        let (value, none) =
            value.map_or(("None".to_owned(), " class=\"quiet\""), |value| (value, ""));
        column.push_str(&format!("<dt>{title}</dt><dd{none}>{value}</dd>"));
    };
    add("Assignees", assignees(site, issue));
    add(
        "Labels",
        some(pieces::labels(site, project, issue))
            .map(|all| format!("<div class=\"labels\">{all}</div>")),
    );
    add("Milestone", milestone(site, issue));
    if site.world.settings.premium() {
        add("Iteration", iteration(site, issue));
        add("Epic", epic(site, issue));
        add("Weight", issue.weight.map(|weight| weight.to_string()));
        add(
            "Health",
            issue
                .health_status
                .as_ref()
                .map(|status| escaped(&status.replace('_', " "))),
        );
    }
    add(
        "Due date",
        issue
            .due_date
            .map(|day| day.format("%-d %B %Y").to_string()),
    );
    add("Time tracking", time(issue));
    add(
        "Confidentiality",
        Some(
            if issue.confidential {
                "Confidential"
            } else {
                "Not confidential"
            }
            .to_owned(),
        ),
    );
    add("Linked issues", linked(site, project, issue));
    add("Reactions", reactions(issue));
    format!(
        "<dl>{column}</dl><p class=\"quiet\">last changed {}</p>",
        pieces::moment(issue.updated_at)
    )
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn assignees(site: &Site<'_>, issue: &Issue) -> Option<String> {
    let people = issue.assignees.iter().map(|user| {
        format!(
            "<p class=\"assignee\">{} {}</p>",
            pieces::avatar(site, *user),
            pieces::person(site, *user)
        )
    });
    some(people.collect())
}

fn milestone(site: &Site<'_>, issue: &Issue) -> Option<String> {
    let milestone = site.world.milestone(issue.milestone?)?;
    let due = milestone
        .due_date
        .map(|day| format!(" · until {}", day.format("%-d %b %Y")))
        .unwrap_or_default();
    let home = match &milestone.home {
        Home::Project(_) => String::new(),
        Home::Group(path) => format!(" · of {}", escaped(path)),
    };
    Some(format!(
        "{}<span class=\"quiet\">{due}{home}</span>",
        escaped(&milestone.title)
    ))
}

fn iteration(site: &Site<'_>, issue: &Issue) -> Option<String> {
    let iteration = site.world.iteration(issue.iteration?)?;
    let title = iteration.title.as_deref().unwrap_or("Iteration");
    let days = format!(
        "{} – {}",
        iteration.start_date.format("%-d %b"),
        iteration.due_date.format("%-d %b %Y")
    );
    Some(format!(
        "{} <span class=\"quiet\">{days}</span>",
        escaped(title)
    ))
}

fn epic(site: &Site<'_>, issue: &Issue) -> Option<String> {
    let epic = site.world.epic(issue.epic?)?;
    Some(format!(
        "{} <span class=\"quiet\">{}&amp;{}</span>",
        escaped(&epic.title),
        escaped(&epic.group),
        epic.iid
    ))
}

fn time(issue: &Issue) -> Option<String> {
    let (spent, estimate) = (issue.time_spent(), issue.time_estimate);
    let shown = |seconds| duration::human(seconds).unwrap_or_else(|| "nothing".to_owned());
    match (spent, estimate) {
        (0, 0) => None,
        (_, 0) => Some(format!("{} spent", shown(spent))),
        (_, _) => {
            let share = (spent.saturating_mul(100) / estimate).clamp(0, 100);
            let over = if spent > estimate {
                " class=\"over\""
            } else {
                ""
            };
            Some(format!(
                "<div class=\"meter\"><div{over} style=\"width:{share}%\"></div></div>{} of {}",
                shown(spent),
                shown(estimate)
            ))
        }
    }
}

fn linked(site: &Site<'_>, project: &Project, issue: &Issue) -> Option<String> {
    let here = (project.id, issue.iid);
    let links = site.world.links().iter().filter_map(|link| {
        let (other, word) = match (link.source == here, link.target == here, link.blocks) {
            (true, _, true) => (link.target, "blocks"),
            (true, _, false) => (link.target, "relates to"),
            (false, true, true) => (link.source, "is blocked by"),
            (false, true, false) => (link.source, "relates to"),
            (false, false, _) => return None,
        };
        let home = site.world.project(other.0)?;
        let found = home.issues.get(&other.1)?;
        let address = site.to_issue(home, found);
        Some(format!(
            "<p>{word} <a href=\"{}\">#{}</a></p>",
            escaped(&address),
            found.iid
        ))
    });
    some(links.collect())
}

fn reactions(issue: &Issue) -> Option<String> {
    let mut counts = std::collections::BTreeMap::new();
    for award in &issue.awards {
        *counts.entry(award.name.as_str()).or_insert(0_u32) += 1;
    }
    some(
        counts
            .iter()
            .map(|(name, count)| format!("<p>:{}: {count}</p>", escaped(name)))
            .collect(),
    )
}
