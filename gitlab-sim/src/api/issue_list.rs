//! Reading issues: lists and single ones.

use serde_json::Value;

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::entities::{self, IssueView};
use super::issue_filter::{Filter, sort};
use super::page::{keyset_refused, paginate, paginate_by_key};
use crate::model::{Issue, ProjectId, World};

/// The list of a project; of one whose issues the sender may not read, the empty list.
pub(crate) fn of_project(world: &World, call: &Call, project: ProjectId) -> Reply {
    listed(world, call, world.issues(project), "all")
}

/// All issues the sender may read; by default those that the sender wrote.
pub(crate) fn everywhere(world: &World, call: &Call) -> Reply {
    call.user()?;
    let all = world
        .projects()
        .values()
        .flat_map(|project| project.issues.values());
    listed(world, call, all, "created_by_me")
}

fn listed<'w>(
    world: &'w World,
    call: &Call,
    issues: impl Iterator<Item = &'w Issue>,
    default_scope: &str,
) -> Reply {
    let filter = Filter::read(world, call, default_scope)?;
    let mut found: Vec<&Issue> = issues
        .filter(|issue| filter.admits(world, issue) && world.can_read_issue(call.actor(), issue))
        .collect();
    sort(&mut found, &call.params)?;
    let page = if call.params.text("pagination").as_deref() == Some("keyset") {
        let order = call.params.text("order_by");
        let keyed = matches!(order.as_deref(), None | Some("created_at" | "updated_at"));
        if !world.settings.version.at_least(18, 3) || !keyed {
            return Err(keyset_refused());
        }
        paginate_by_key(world, call, found, |issue| issue.id.to_string())?
    } else {
        paginate(world, call, found)?
    };
    let label_details = call.params.boolean("with_labels_details")?.unwrap_or(false);
    let view = IssueView {
        label_details,
        single: false,
    };
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|issue| entities::issue(world, issue, view))
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

/// An issue that the sender may read, or 404.
pub(crate) fn readable<'w>(
    world: &'w World,
    call: &Call,
    at: (ProjectId, u64),
) -> Result<&'w Issue, ApiError> {
    world
        .issue(at.0, at.1)
        .filter(|issue| world.can_read_issue(call.actor(), issue))
        .ok_or_else(ApiError::not_found)
}

/// One issue.
pub(crate) fn single(world: &World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let issue = readable(world, call, at)?;
    let label_details = call.params.boolean("with_labels_details")?.unwrap_or(false);
    let view = IssueView {
        label_details,
        single: call.actor().user.is_some(),
    };
    Ok(Answer::ok(entities::issue(world, issue, view)))
}

/// By global id: administrators only (facts section 14).
pub(crate) fn by_global_id(world: &World, call: &Call, id: &str) -> Reply {
    call.user()?;
    if !call.actor().admin {
        return Err(ApiError::forbidden());
    }
    let wanted: u64 = id
        .parse()
        .map_err(|_| ApiError::error(400, "id is invalid"))?;
    let issue = world
        .projects()
        .values()
        .flat_map(|project| project.issues.values())
        .find(|issue| issue.id == wanted)
        .ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(entities::issue(
        world,
        issue,
        IssueView {
            label_details: false,
            single: true,
        },
    )))
}
