use serde_json::{Map, Value, json};

use super::{label_basic, milestone, moment, planning, user};
use crate::model::{Issue, IssueLink, IssueState, ProjectId, World};
use crate::settings::Edition;
use crate::text::duration;

/// Which of an issue's several shapes is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IssueView {
    /// Labels as objects.
    pub(crate) label_details: bool,
    /// `subscribed`, which only the single GET shows.
    pub(crate) single: bool,
}

/// An issue (facts section 1, response fields).
pub(crate) fn issue(world: &World, issue: &Issue, view: IssueView) -> Value {
    let mut map = core_fields(world, issue, view);
    map.extend(people_and_planning(world, issue));
    map.extend(links(world, issue));
    if world.settings.premium() {
        map.extend(licensed_fields(world, issue));
    }
    if view.single {
        map.insert("subscribed".into(), json!(true));
    }
    Value::Object(map)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    }
}

fn core_fields(world: &World, issue: &Issue, view: IssueView) -> Map<String, Value> {
    let labels: Value = if view.label_details {
        let mut labels: Vec<_> = issue
            .labels
            .iter()
            .filter_map(|id| world.label(*id))
            .collect();
        labels.sort_by(|a, b| a.title.cmp(&b.title));
        labels.into_iter().map(label_basic).collect()
    } else {
        json!(world.label_titles(issue))
    };
    let votes = |name: &str| {
        issue
            .awards
            .iter()
            .filter(|award| award.name == name)
            .count()
    };
    let (tasks, done) = tasks(issue.description.as_deref().unwrap_or(""));
    let mut map = object(json!({
        "id": issue.id,
        "iid": issue.iid,
        "project_id": issue.project,
        "title": issue.title,
        "description": issue.description,
        "state": issue.state.word(),
        "created_at": moment(issue.created_at),
        "updated_at": moment(issue.updated_at),
        "closed_at": issue.closed_at.map(moment),
        "labels": labels,
        "type": issue.issue_type.word().to_uppercase(),
        "issue_type": issue.issue_type.word(),
        "user_notes_count": issue.user_notes_count(),
        "merge_requests_count": 0,
        "upvotes": votes("thumbsup"),
        "downvotes": votes("thumbsdown"),
        "due_date": issue.due_date,
        "confidential": issue.confidential,
        "discussion_locked": issue.discussion_locked,
        "time_stats": time_stats(issue),
        "task_completion_status": { "count": tasks, "completed_count": done },
        "has_tasks": tasks > 0,
        "severity": "UNKNOWN",
        "moved_to_id": issue.moved_to,
        "imported": false,
        "imported_from": "none",
        "service_desk_reply_to": issue.service_desk_reply_to,
    }));
    if tasks > 0 {
        map.insert(
            "task_status".into(),
            json!(format!("{done} of {tasks} checklist items completed")),
        );
    }
    map
}

/// Check boxes in a text: all, and ticked ones.
fn tasks(text: &str) -> (usize, usize) {
    let boxes: Vec<&str> = text
        .lines()
        .filter_map(|line| {
            let line = line.trim_start();
            line.strip_prefix("- ").or_else(|| line.strip_prefix("* "))
        })
        .filter(|item| {
            ["[ ] ", "[x] ", "[X] "]
                .iter()
                .any(|mark| item.starts_with(mark))
        })
        .collect();
    (
        boxes.len(),
        boxes.iter().filter(|item| !item.starts_with("[ ]")).count(),
    )
}

/// Estimate and logged time.
pub(crate) fn time_stats(issue: &Issue) -> Value {
    let spent = issue.time_spent();
    json!({
        "time_estimate": issue.time_estimate,
        "total_time_spent": spent,
        "human_time_estimate": duration::human(issue.time_estimate),
        "human_total_time_spent": duration::human(spent),
    })
}

fn people_and_planning(world: &World, issue: &Issue) -> Map<String, Value> {
    let assignees: Vec<Value> = issue.assignees.iter().map(|id| user(world, *id)).collect();
    let found = issue.milestone.and_then(|id| world.milestone(id));
    object(json!({
        "author": user(world, issue.author),
        "closed_by": issue.closed_by.map(|id| user(world, id)),
        "assignee": assignees.first(),
        "assignees": assignees,
        "milestone": found.map(|found| milestone(world, found)),
    }))
}

fn links(world: &World, issue: &Issue) -> Map<String, Value> {
    let base = world.base_url();
    let path = world
        .project(issue.project)
        .map_or("", |project| project.path.as_str());
    let api = format!("{base}/api/v4/projects/{}", issue.project);
    let own = format!("{api}/issues/{}", issue.iid);
    let short = format!("#{}", issue.iid);
    object(json!({
        "web_url": format!("{base}/{path}/-/issues/{}", issue.iid),
        "_links": {
            "self": own,
            "notes": format!("{own}/notes"),
            "award_emoji": format!("{own}/award_emoji"),
            "project": api,
            "closed_as_duplicate_of": Value::Null,
        },
        "references": { "short": short, "relative": short, "full": format!("{path}{short}") },
    }))
}

/// Fields that are absent, not null, where they are not licensed (facts section 8).
fn licensed_fields(world: &World, issue: &Issue) -> Map<String, Value> {
    let epic = issue.epic.and_then(|id| world.epic(id));
    let blocking = world
        .links()
        .iter()
        .filter(|link| link.blocks && link.source == (issue.project, issue.iid))
        .filter(|link| {
            world
                .issue(link.target.0, link.target.1)
                .is_some_and(|one| one.state == IssueState::Opened)
        })
        .count();
    let iteration = issue.iteration.and_then(|id| world.iteration(id));
    let mut map = object(json!({
        "weight": issue.weight,
        "blocking_issues_count": blocking,
        "epic_iid": epic.map(|epic| epic.iid),
        "epic": epic.map(|epic| planning::epic(world, epic)),
        "iteration": iteration.map(|found| planning::iteration(world, found)),
    }));
    if world.settings.edition == Edition::Ultimate {
        map.insert("health_status".into(), json!(issue.health_status));
    }
    map
}

/// An issue as it appears in another's list of links.
pub(crate) fn link_row(
    world: &World,
    link: &IssueLink,
    seen_from: (ProjectId, u64),
) -> Option<Value> {
    let outward = link.source == seen_from;
    let other = if outward { link.target } else { link.source };
    let mut map = object(issue(
        world,
        world.issue(other.0, other.1)?,
        IssueView::default(),
    ));
    let kind = match (link.blocks, outward) {
        (false, _) => "relates_to",
        (true, true) => "blocks",
        (true, false) => "is_blocked_by",
    };
    map.insert("issue_link_id".into(), json!(link.id));
    map.insert("link_type".into(), json!(kind));
    map.insert("link_created_at".into(), json!(moment(link.created_at)));
    map.insert("link_updated_at".into(), json!(moment(link.created_at)));
    Some(Value::Object(map))
}
