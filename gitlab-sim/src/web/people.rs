//! Somebody's page: what they work on, what they wrote.

use super::site::Site;
use super::{frame, issue_list, pieces};
use crate::text::visible::escaped;
use crate::{Issue, IssueState, User};

/// The page of a person.
pub(super) fn page(site: &Site<'_>, user: &User) -> String {
    let working = rows(site, |issue| {
        issue.state == IssueState::Opened && issue.assignees.contains(&user.id)
    });
    let written = rows(site, |issue| issue.author == user.id);
    let body = format!(
        "<div class=\"who\">{}<div><h1>{}</h1><p class=\"quiet\">@{}</p></div></div>{}{}",
        pieces::avatar(site, user.id),
        escaped(&user.name),
        escaped(&user.username),
        section("Works on", &working),
        section("Wrote", &written),
    );
    let trail = [
        ("Projects".to_owned(), site.to("")),
        (user.name.clone(), site.to(&user.username)),
    ];
    frame::page(site, &user.name, &trail, &body)
}

fn rows(site: &Site<'_>, wanted: impl Fn(&Issue) -> bool) -> String {
    let mut rows = String::new();
    for project in site.world.projects().values() {
        for issue in project
            .issues
            .values()
            .rev()
            .filter(|issue| wanted(issue))
            .take(20)
        {
            rows.push_str(&issue_list::row(site, project, issue));
        }
    }
    rows
}

fn section(title: &str, rows: &str) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("<h2>{title}</h2><ul class=\"issues\">{rows}</ul>")
}
