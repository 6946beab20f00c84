//! The issues of a project as a list.

use super::routes::Wanted;
use super::site::{Site, encoded};
use super::{frame, pieces, projects};
use crate::text::duration;
use crate::text::visible::escaped;
use crate::{Issue, IssueState, Project};

const ROWS: usize = 50;

/// A page of the list, newest first.
pub(super) fn page(site: &Site<'_>, project: &Project, wanted: &Wanted) -> String {
    let state = wanted.state.as_deref().unwrap_or("opened");
    let label = wanted
        .label
        .as_deref()
        .and_then(|title| site.world.label_titled(project.id, title));
    let found: Vec<&Issue> = project
        .issues
        .values()
        .rev()
        .filter(|issue| match state {
            "all" => true,
            "closed" => issue.state == IssueState::Closed,
            _opened => issue.state == IssueState::Opened,
        })
        .filter(|issue| {
            wanted.label.is_none() || label.is_some_and(|label| issue.labels.contains(&label.id))
        })
        .collect();
    let number = wanted.page.unwrap_or(1).max(1);
    let shown = found.iter().skip((number - 1) * ROWS).take(ROWS);
    let rows: String = shown.map(|issue| row(site, project, issue)).collect();
    let list = match rows.is_empty() {
        true => "<p class=\"empty\">Nothing here.</p>".to_owned(),
        false => format!("<ul class=\"issues\">{rows}</ul>"),
    };
    let filter = label
        .map(|label| pieces::label(site, project, label))
        .unwrap_or_default();
    let body = format!(
        "<h1>Issues</h1><div class=\"tabs\">{}{filter}</div>{list}{}",
        tabs(site, project, state, wanted.label.as_deref()),
        pages(site, project, wanted, number, found.len()),
    );
    let title = format!("Issues · {}", project.path);
    frame::page(site, &title, &projects::trail(site, project), &body)
}

fn tabs(site: &Site<'_>, project: &Project, state: &str, label: Option<&str>) -> String {
    let (open, closed) = projects::counts(project);
    [
        ("opened", "Open", open),
        ("closed", "Closed", closed),
        ("all", "All", open + closed),
    ]
    .iter()
    .map(|(word, shown, count)| {
        let address = address(site, project, word, label, 1);
        let here = if *word == state {
            " class=\"here\""
        } else {
            ""
        };
        format!(
            "<a{here} href=\"{}\">{shown} <span class=\"n\">{count}</span></a>",
            escaped(&address)
        )
    })
    .collect()
}

fn pages(
    site: &Site<'_>,
    project: &Project,
    wanted: &Wanted,
    number: usize,
    found: usize,
) -> String {
    let last = found.div_ceil(ROWS).max(1);
    let state = wanted.state.as_deref().unwrap_or("opened");
    let step = |to: usize, text: &str| {
        let address = address(site, project, state, wanted.label.as_deref(), to);
        format!("<a href=\"{}\">{text}</a>", escaped(&address))
    };
    let newer = if number > 1 {
        step(number - 1, "← newer")
    } else {
        String::new()
    };
    let older = if number < last {
        step(number + 1, "older →")
    } else {
        String::new()
    };
    if last == 1 && number == 1 {
        return String::new();
    }
    format!(
        "<p class=\"pages\">{newer}<span class=\"quiet\">page {number} of {last}</span>{older}</p>"
    )
}

fn address(
    site: &Site<'_>,
    project: &Project,
    state: &str,
    label: Option<&str>,
    page: usize,
) -> String {
    let mut address = format!("{}?state={}", site.to_issues(project), encoded(state));
    if let Some(label) = label {
        address.push_str(&format!("&label={}", encoded(label)));
    }
    if page > 1 {
        address.push_str(&format!("&page={page}"));
    }
    address
}

/// One issue in a list.
pub(super) fn row(site: &Site<'_>, project: &Project, issue: &Issue) -> String {
    let assignees: String = issue
        .assignees
        .iter()
        .map(|user| pieces::avatar(site, *user))
        .collect();
    let author = site
        .world
        .user(issue.author)
        .map_or("somebody", |user| user.name.as_str());
    let confidential = if issue.confidential {
        "<span class=\"kind secret\">Confidential</span>"
    } else {
        ""
    };
    format!(
        "<li><div class=\"dot {state}\"></div><div class=\"what\"><p><a class=\"title\" href=\"{address}\">{title}</a>\
         {kind}{confidential}</p><p class=\"meta\"><span>#{iid}</span><span>{created} by {author}</span>{facts}</p>\
         <p class=\"labels\">{labels}</p></div><div class=\"side\"><span class=\"avatars\">{assignees}</span>\
         <span class=\"n\" title=\"comments\">{comments}</span></div></li>",
        state = issue.state.word(),
        address = escaped(&site.to_issue(project, issue)),
        title = escaped(&issue.title),
        kind = pieces::kind(issue),
        iid = issue.iid,
        created = pieces::moment(issue.created_at),
        author = escaped(author),
        facts = facts(site, issue),
        labels = pieces::labels(site, project, issue),
        comments = match issue.user_notes_count() {
            0 => String::new(),
            some => pieces::count(some, "comment"),
        },
    )
}

fn facts(site: &Site<'_>, issue: &Issue) -> String {
    let world = site.world;
    let milestone = issue
        .milestone
        .and_then(|id| world.milestone(id))
        .map(|one| one.title.clone());
    let weight = issue.weight.map(|weight| format!("weight {weight}"));
    let due = issue
        .due_date
        .map(|day| format!("due {}", day.format("%-d %b %Y")));
    let spent = duration::human(issue.time_spent()).map(|spent| format!("{spent} spent"));
    [milestone, weight, due, spent]
        .into_iter()
        .flatten()
        .map(|fact| format!("<span>{}</span>", escaped(&fact)))
        .collect()
}
