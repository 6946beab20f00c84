//! Links between issues (facts section 12).

use serde_json::{Value, json};

use super::answer::{Answer, ApiError, Reply};
use super::call::{Call, find_project};
use super::entities::{self, IssueView};
use super::issue_list::readable;
use super::projects;
use crate::model::{IssueLink, ProjectId, World};

/// `GET …/links`: all at once, without pages.
pub(crate) fn list(world: &World, call: &Call, at: (ProjectId, u64)) -> Reply {
    readable(world, call, at)?;
    let rows: Vec<Value> = world
        .links()
        .iter()
        .filter(|link| link.source == at || link.target == at)
        .filter(|link| {
            let other = if link.source == at {
                link.target
            } else {
                link.source
            };
            readable(world, call, other).is_ok()
        })
        .filter_map(|link| entities::link_row(world, link, at))
        .collect();
    Ok(Answer::ok(rows.into()))
}

fn shown(world: &World, link: &IssueLink, link_type: &str) -> Result<Value, ApiError> {
    let issue = |at: (ProjectId, u64)| {
        let found = world.issue(at.0, at.1).ok_or_else(ApiError::not_found)?;
        Ok::<Value, ApiError>(entities::issue(world, found, IssueView::default()))
    };
    Ok(json!({
        "id": link.id,
        "source_issue": issue(link.source)?,
        "target_issue": issue(link.target)?,
        "link_type": link_type,
    }))
}

/// `POST …/links`; the blocking kinds are licensed.
pub(crate) fn create(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let by = call.user()?;
    readable(world, call, at)?;
    if !world.can_set_metadata(call.actor(), projects::require(world, at.0)?) {
        return Err(ApiError::forbidden());
    }
    let target_project = find_project(world, call, &call.params.required("target_project_id")?)?.id;
    let iid = call.params.required("target_issue_iid")?;
    let iid = iid
        .parse()
        .map_err(|_| ApiError::error(400, "target_issue_iid is invalid"))?;
    let target = (target_project, iid);
    readable(world, call, target)?;
    let link_type = call
        .params
        .text("link_type")
        .unwrap_or_else(|| "relates_to".to_owned());
    let (source, end, blocks) = match link_type.as_str() {
        "relates_to" => (at, target, false),
        "blocks" => (at, target, true),
        "is_blocked_by" => (target, at, true),
        _ => {
            return Err(ApiError::error(
                400,
                "link_type does not have a valid value",
            ));
        }
    };
    if blocks && !world.settings.premium() {
        return Err(ApiError::message(
            403,
            "Blocked issues not available for current license",
        ));
    }
    let pair =
        |link: &&IssueLink| [(at, target), (target, at)].contains(&(link.source, link.target));
    if world.links().iter().any(|link| pair(&link)) {
        return Err(ApiError::message(409, "Issue(s) already assigned"));
    }
    let id = world.link_issues(by, source, end, blocks)?;
    let link = world
        .links()
        .iter()
        .find(|link| link.id == id)
        .ok_or_else(ApiError::not_found)?;
    Ok(Answer::created(shown(world, link, &link_type)?))
}

/// `DELETE …/links/:id`
pub(crate) fn delete(world: &mut World, call: &Call, at: (ProjectId, u64), id: &str) -> Reply {
    let by = call.user()?;
    readable(world, call, at)?;
    if !world.can_set_metadata(call.actor(), projects::require(world, at.0)?) {
        return Err(ApiError::forbidden());
    }
    let id: u64 = id
        .parse()
        .map_err(|_| ApiError::error(400, "issue_link_id is invalid"))?;
    let link = world
        .links()
        .iter()
        .find(|link| link.id == id && (link.source == at || link.target == at));
    let link = link.ok_or_else(ApiError::not_found)?.clone();
    let kind = if link.blocks { "blocks" } else { "relates_to" };
    let value = shown(world, &link, kind)?;
    world.unlink_issues(by, id)?;
    Ok(Answer::ok(value))
}
