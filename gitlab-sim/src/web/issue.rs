//! One issue with everything on it.

use super::site::Site;
use super::{activity, frame, pieces, projects, sidebar};
use crate::text::visible::escaped;
use crate::{Issue, Project};

/// The page of an issue.
pub(super) fn page(site: &Site<'_>, project: &Project, issue: &Issue) -> String {
    let body = format!(
        "<div class=\"columns\"><div class=\"wide\">{head}{banner}{description}\
         <h2>Activity</h2>{activity}</div><aside>{side}</aside></div>",
        head = head(site, issue),
        banner = banner(issue),
        description = description(site, project, issue),
        activity = activity::list(site, project, issue),
        side = sidebar::column(site, project, issue),
    );
    let mut trail = projects::trail(site, project);
    trail.push((format!("#{}", issue.iid), site.to_issue(project, issue)));
    let title = format!("{} (#{}) · {}", issue.title, issue.iid, project.path);
    frame::page(site, &title, &trail, &body)
}

fn head(site: &Site<'_>, issue: &Issue) -> String {
    let closed = match (issue.closed_at, issue.closed_by) {
        (Some(at), Some(by)) => format!(
            " · closed {} by {}",
            pieces::moment(at),
            pieces::person(site, by)
        ),
        (Some(at), None) => format!(" · closed {}", pieces::moment(at)),
        (None, _) => String::new(),
    };
    format!(
        "<h1>{title} <span class=\"quiet\">#{iid}</span></h1>\
         <p class=\"by\">{state}{kind}{avatar} created {created} by {author}{closed}</p>",
        title = escaped(&issue.title),
        iid = issue.iid,
        state = pieces::state(issue),
        kind = pieces::kind(issue),
        avatar = pieces::avatar(site, issue.author),
        created = pieces::moment(issue.created_at),
        author = pieces::person(site, issue.author),
    )
}

fn banner(issue: &Issue) -> String {
    let mut banner = String::new();
    if issue.confidential {
        banner.push_str(
            "<p class=\"banner secret\"><b>Confidential.</b> Only members from planner up, the author and the \
             assignees see this issue.</p>",
        );
    }
    if issue.discussion_locked == Some(true) {
        banner.push_str("<p class=\"banner\"><b>Locked.</b> Only members may comment.</p>");
    }
    banner
}

fn description(site: &Site<'_>, project: &Project, issue: &Issue) -> String {
    let text = issue.description.as_deref().unwrap_or("");
    if text.trim().is_empty() {
        return "<p class=\"empty\">No description.</p>".to_owned();
    }
    format!(
        "<div class=\"text\">{}</div>{}",
        site.markdown(project, text),
        source(text)
    )
}

/// The text as it is stored, for people who want to see what is hidden in it.
pub(super) fn source(text: &str) -> String {
    format!(
        "<details class=\"source\"><summary>source</summary><pre>{}</pre></details>",
        escaped(text)
    )
}
