//! Resource events and reactions (facts section 12).

use serde_json::{Value, json};

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::entities::{self, moment};
use super::issue_list::readable;
use super::page::paginate;
use super::projects;
use crate::model::{Award, IssueState, ProjectId, World};

/// `GET …/resource_label_events`; a deleted label shows as null.
pub(crate) fn labels(world: &World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let issue = readable(world, call, at)?;
    let page = paginate(world, call, issue.label_events.iter().collect())?;
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|event| {
            let label = world.label(event.label).map(|label| {
                json!({
                    "id": label.id,
                    "name": label.title,
                    "color": label.color,
                    "description": label.description,
                })
            });
            json!({
                "id": event.id,
                "user": entities::user(world, event.user),
                "created_at": moment(event.at),
                "resource_type": "Issue",
                "resource_id": issue.id,
                "label": label,
                "action": if event.added { "add" } else { "remove" },
            })
        })
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

/// `GET …/resource_state_events`
pub(crate) fn states(world: &World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let issue = readable(world, call, at)?;
    let page = paginate(world, call, issue.state_events.iter().collect())?;
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|event| {
            let state = match event.state {
                IssueState::Opened => "reopened",
                IssueState::Closed => "closed",
            };
            json!({
                "id": event.id,
                "user": entities::user(world, event.user),
                "created_at": moment(event.at),
                "resource_type": "Issue",
                "resource_id": issue.id,
                "source_commit": Value::Null,
                "source_merge_request_id": Value::Null,
                "state": state,
            })
        })
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

fn award_json(world: &World, issue: u64, award: &Award) -> Value {
    json!({
        "id": award.id,
        "name": award.name,
        "user": entities::user(world, award.user),
        "created_at": moment(award.at),
        "updated_at": moment(award.at),
        "awardable_id": issue,
        "awardable_type": "Issue",
        "url": Value::Null,
    })
}

/// `GET …/award_emoji`
pub(crate) fn awards(world: &World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let issue = readable(world, call, at)?;
    let page = paginate(world, call, issue.awards.iter().collect())?;
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|award| award_json(world, issue.id, award))
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

/// `POST …/award_emoji`: one reaction of a name per user.
pub(crate) fn award(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let by = call.user()?;
    let issue = readable(world, call, at)?;
    if !world.can_write_issues(call.actor(), projects::require(world, at.0)?) {
        return Err(ApiError::forbidden());
    }
    let name = call.params.required("name")?;
    if issue
        .awards
        .iter()
        .any(|award| award.user == by && award.name == name)
    {
        return Err(ApiError::message(
            404,
            "404 Award Emoji Name has already been taken Not Found",
        ));
    }
    world.add_award(at.0, at.1, by, &name)?;
    let issue = readable(world, call, at)?;
    let award = issue.awards.last().ok_or_else(ApiError::not_found)?;
    Ok(Answer::created(award_json(world, issue.id, award)))
}
