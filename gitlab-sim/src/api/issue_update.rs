//! Changing and deleting issues (facts section 1, update).

use chrono::{DateTime, Utc};

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::entities::{self, IssueView};
use super::issue_create as fields;
use super::{commands, projects, texts};
use crate::model::{ChangeKind, IssueEdit, IssueState, ProjectId, World};
use crate::text::quick_actions::Command;

const RECOGNISED: &[&str] = &[
    "assignee_id",
    "assignee_ids",
    "confidential",
    "created_at",
    "description",
    "discussion_locked",
    "due_date",
    "labels",
    "add_labels",
    "remove_labels",
    "milestone_id",
    "state_event",
    "title",
    "issue_type",
];
const RECOGNISED_IN_ENTERPRISE: &[&str] = &["weight", "epic_id", "epic_iid"];

/// At least one recognised attribute; `updated_at` does not count.
fn check_presence(world: &World, call: &Call) -> Result<(), ApiError> {
    let more = if world.settings.edition.enterprise() {
        RECOGNISED_IN_ENTERPRISE
    } else {
        &[]
    };
    let names: Vec<&str> = RECOGNISED.iter().chain(more).copied().collect();
    if names.iter().any(|name| call.params.has(name)) {
        return Ok(());
    }
    let text = format!(
        "{} are missing, at least one parameter must be provided",
        names.join(", ")
    );
    Err(ApiError::error(400, &text))
}

/// `PUT /projects/:id/issues/:iid`
pub(crate) fn update(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let by = call.user()?;
    let home = projects::require(world, at.0)?;
    let issue = world.issue(at.0, at.1).ok_or_else(ApiError::not_found)?;
    check_presence(world, call)?;
    if !world.can_update_issue(call.actor(), home, issue) {
        return Err(ApiError::forbidden());
    }
    let owner = world.owns(call.actor(), home);
    let (mut edit, new_commands) = texts_of(world, call, at)?;
    state(call, &mut edit)?;
    if world.can_set_metadata(call.actor(), home) {
        metadata(world, call, at.0, &mut edit)?;
        edit.labels = labels(world, call, at);
    }
    // Only for owners, and then also the time of the system notes and of closing.
    let moment = call.params.moment("updated_at")?.filter(|_| owner);
    let created = call.params.moment("created_at")?.filter(|_| owner);
    let now = world.now();
    world.at(moment.unwrap_or(now), |world| {
        world.edit_issue(at.0, at.1, by, edit)
    })?;
    set_times(world, at, created, moment);
    if created.is_some() {
        let kind = ChangeKind::IssueUpdated(vec!["created_at"]);
        world.record(by, at.0, Some(at.1), kind);
    }
    commands::execute(world, call, at, &new_commands, false)?;
    let issue = world.issue(at.0, at.1).ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(entities::issue(
        world,
        issue,
        IssueView::default(),
    )))
}

fn set_times(
    world: &mut World,
    at: (ProjectId, u64),
    created: Option<DateTime<Utc>>,
    updated: Option<DateTime<Utc>>,
) {
    let now = world.now();
    if let Some(issue) = world.issue_mut(at.0, at.1) {
        if let Some(created) = created {
            issue.created_at = created;
            issue.updated_at = now;
        }
        if let Some(updated) = updated {
            issue.updated_at = updated;
        }
    }
}

/// Title and description; commands that stood in the stored description already do not run again.
fn texts_of(
    world: &World,
    call: &Call,
    at: (ProjectId, u64),
) -> Result<(IssueEdit, Vec<Command>), ApiError> {
    let mut edit = IssueEdit::default();
    let mut new_commands = Vec::new();
    let issue = world.issue(at.0, at.1).ok_or_else(ApiError::not_found)?;
    if call.params.has("title") {
        edit.title = Some(texts::title(
            &call.params.text("title").unwrap_or_default(),
        )?);
    }
    if call.params.has("description") {
        let text = call.params.text("description");
        let stored = issue.description.as_deref().unwrap_or("");
        if text.as_deref() != Some(stored) {
            texts::check_description(text.as_deref().unwrap_or(""))?;
        }
        let known = texts::interpret(world, stored).commands;
        let extraction = text.map(|text| texts::interpret(world, &text));
        edit.description = Some(extraction.as_ref().map(|one| one.rest.clone()));
        let found = extraction.map(|one| one.commands).unwrap_or_default();
        new_commands = found
            .into_iter()
            .filter(|command| !known.contains(command))
            .collect();
    }
    Ok((edit, new_commands))
}

fn state(call: &Call, edit: &mut IssueEdit) -> Result<(), ApiError> {
    edit.state = match call.params.text("state_event").as_deref() {
        None => None,
        Some("close") => Some(IssueState::Closed),
        Some("reopen") => Some(IssueState::Opened),
        Some(_) => {
            return Err(ApiError::error(
                400,
                "state_event does not have a valid value",
            ));
        }
    };
    Ok(())
}

fn metadata(
    world: &World,
    call: &Call,
    project: ProjectId,
    edit: &mut IssueEdit,
) -> Result<(), ApiError> {
    let dropped = projects::require(world, project)?.drops_confidential;
    edit.confidential = call.params.boolean("confidential")?.filter(|_| !dropped);
    edit.discussion_locked = call.params.boolean("discussion_locked")?;
    edit.due_date = call.params.day("due_date")?.into_edit();
    edit.issue_type = fields::issue_type(call)?;
    edit.assignees = fields::assignees(world, call, project)?;
    edit.milestone = fields::milestone(world, call, project)?.into_edit();
    let weight = fields::checked_weight(call.params.integer("weight")?)?;
    if world.settings.premium() {
        edit.weight = weight.into_edit();
        edit.epic = fields::epic(world, call, project)?.into_edit();
    }
    Ok(())
}

/// The wanted list of titles in an order in which the last of a scope is the one that stays.
fn labels(world: &World, call: &Call, at: (ProjectId, u64)) -> Option<Vec<String>> {
    let whole = call.params.list("labels");
    let added = call.params.list("add_labels");
    let removed = call.params.list("remove_labels");
    if whole.is_none() && added.is_none() && removed.is_none() {
        return None;
    }
    let issue = world.issue(at.0, at.1)?;
    let present = issue
        .labels
        .iter()
        .filter_map(|id| world.label(*id))
        .map(|label| label.title.clone());
    let removed = removed.unwrap_or_default();
    let mut titles: Vec<String> = match whole {
        Some(titles) => titles,
        None => present.collect(),
    };
    titles.retain(|title| !removed.contains(title));
    for title in added.unwrap_or_default() {
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    Some(titles)
}

/// Refuses a delete of what changed since the client looked (facts section 1, errors).
pub(crate) fn check_unmodified(call: &Call, updated_at: DateTime<Utc>) -> Result<(), ApiError> {
    let Some(text) = &call.if_unmodified_since else {
        return Ok(());
    };
    let bound = DateTime::parse_from_rfc2822(text)
        .or_else(|_| DateTime::parse_from_rfc3339(text))
        .map_err(|_| ApiError::message(400, "400 Bad request - If-Unmodified-Since is invalid"))?;
    // The header knows whole seconds only.
    if updated_at.timestamp() > bound.timestamp() {
        return Err(ApiError::message(412, "412 Precondition Failed"));
    }
    Ok(())
}

/// `DELETE /projects/:id/issues/:iid`: owners only.
pub(crate) fn delete(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    let by = call.user()?;
    let home = projects::require(world, at.0)?;
    let issue = world
        .issue(at.0, at.1)
        .ok_or_else(|| ApiError::missing("Issue"))?;
    if !world.owns(call.actor(), home) || !world.can_write_issues(call.actor(), home) {
        return Err(ApiError::forbidden());
    }
    check_unmodified(call, issue.updated_at)?;
    world.delete_issue(at.0, at.1, by)?;
    Ok(Answer::no_content())
}
