//! The list of projects, and one project at a glance.

use super::site::Site;
use super::{frame, issue_list, pieces};
use crate::text::visible::escaped;
use crate::{Issue, IssueState, Label, Project, Visibility};

/// The projects whose lower-case path starts with `below`.
pub(super) fn list(site: &Site<'_>, below: &str) -> String {
    let mut cards = String::new();
    for project in site.world.projects().values() {
        if project.path.to_lowercase().starts_with(below) {
            cards.push_str(&card(site, project));
        }
    }
    if cards.is_empty() {
        cards.push_str("<p class=\"empty\">No project yet.</p>");
    }
    let body = format!("<h1>Projects</h1><div class=\"cards\">{cards}</div>");
    frame::page(
        site,
        "Projects",
        &[("Projects".to_owned(), site.to(""))],
        &body,
    )
}

fn card(site: &Site<'_>, project: &Project) -> String {
    let (open, closed) = counts(project);
    let last = project.issues.values().map(|issue| issue.updated_at).max();
    let last = last
        .map(|at| format!("<span>updated {}</span>", pieces::moment(at)))
        .unwrap_or_default();
    format!(
        "<article class=\"card\"><h2><a href=\"{}\"><span class=\"quiet\">{} / </span>{}</a></h2><p>{}</p>\
         <p class=\"meta\"><span>{}</span><span>{open} open</span><span>{closed} closed</span>{last}</p></article>",
        escaped(&site.to_issues(project)),
        escaped(project.namespace()),
        escaped(&project.name),
        escaped(&project.description),
        visibility(project),
    )
}

/// One project at a glance: what it is, its labels, what happened last.
pub(super) fn overview(site: &Site<'_>, project: &Project) -> String {
    let (open, closed) = counts(project);
    let mut recent: Vec<&Issue> = project.issues.values().collect();
    recent.sort_by_key(|issue| std::cmp::Reverse((issue.updated_at, issue.iid)));
    let rows: String = recent
        .iter()
        .take(8)
        .map(|issue| issue_list::row(site, project, issue))
        .collect();
    let mut labels: Vec<&Label> = site.world.labels_of(project.id).collect();
    labels.sort_by(|a, b| a.title.cmp(&b.title));
    let labels: String = labels
        .into_iter()
        .map(|label| pieces::label(site, project, label))
        .collect();
    let members: String = project
        .members
        .keys()
        .map(|user| pieces::avatar(site, *user))
        .collect();
    let body = format!(
        "<h1>{name}</h1><p class=\"lead\">{description}</p>\
         <p class=\"meta\"><span>{visibility}</span><span>Project {id}</span>\
         <a href=\"{issues}\">{open} open and {closed} closed issues</a><span>{files}</span></p>\
         <h2>Members</h2><p class=\"avatars\">{members}</p>\
         <h2>Labels</h2><p class=\"labels\">{labels}</p>\
         <h2>Last changed</h2><ul class=\"issues\">{rows}</ul>",
        name = escaped(&project.name),
        description = escaped(&project.description),
        visibility = visibility(project),
        id = project.id,
        issues = escaped(&site.to_issues(project)),
        files = pieces::count(project.uploads.len(), "file"),
    );
    frame::page(site, &project.path, &trail(site, project), &body)
}

/// The steps to a project.
pub(super) fn trail(site: &Site<'_>, project: &Project) -> Vec<(String, String)> {
    vec![
        ("Projects".to_owned(), site.to("")),
        (project.path.replace('/', " / "), site.to(&project.path)),
        ("Issues".to_owned(), site.to_issues(project)),
    ]
}

/// Open and closed issues.
pub(super) fn counts(project: &Project) -> (usize, usize) {
    let open = project
        .issues
        .values()
        .filter(|issue| issue.state == IssueState::Opened)
        .count();
    (open, project.issues.len() - open)
}

fn visibility(project: &Project) -> &'static str {
    match (project.archived, project.visibility) {
        (true, _) => "Archived",
        (false, Visibility::Private) => "Private",
        (false, Visibility::Internal) => "Internal",
        (false, Visibility::Public) => "Public",
    }
}
