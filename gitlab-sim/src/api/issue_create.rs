//! Creating issues (facts section 1, create).

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::entities::{self, IssueView};
use super::params::Given;
use super::{commands, projects, texts};
use crate::model::{IssueSpec, IssueType, ProjectId, World};

/// `POST /projects/:id/issues`
pub(crate) fn create(world: &mut World, call: &Call, project: ProjectId) -> Reply {
    let by = call.user()?;
    let home = projects::require(world, project)?;
    if !world.can_write_issues(call.actor(), home) {
        return Err(ApiError::forbidden());
    }
    let owner = world.owns(call.actor(), home);
    let template = home.default_description_template.clone();
    let title = texts::title(&call.params.required("title")?)?;
    let description = match call.params.text("description") {
        Some(text) if !text.trim().is_empty() => Some(text),
        other => template.or(other),
    };
    texts::check_description(description.as_deref().unwrap_or(""))?;
    let extraction = description
        .as_deref()
        .map(|text| texts::interpret(world, text));
    let mut spec = metadata(world, call, project)?;
    spec.author = by;
    spec.title = title;
    spec.description = extraction.as_ref().map(|one| one.rest.clone());

    // Without owner rights both are dropped without a word; the answer is still 201.
    let iid = call.params.id("iid")?.filter(|_| owner);
    let moment = call
        .params
        .moment("created_at")?
        .filter(|_| owner)
        .unwrap_or_else(|| world.now());
    let iid = world.at(moment, |world| {
        world.create_issue_at_iid(project, iid, spec)
    })?;
    let now = world.now();
    if let Some(issue) = world.issue_mut(project, iid) {
        // Only `created_at` was set.
        issue.updated_at = now;
    }
    if let Some(extraction) = extraction {
        commands::execute(world, call, (project, iid), &extraction.commands, false)?;
    }
    let issue = world.issue(project, iid).ok_or_else(ApiError::not_found)?;
    Ok(Answer::created(entities::issue(
        world,
        issue,
        IssueView::default(),
    )))
}

/// The attributes that need rights of their own: a guest has them while creating, somebody who is
/// no member does not.
fn metadata(world: &World, call: &Call, project: ProjectId) -> Result<IssueSpec, ApiError> {
    let params = &call.params;
    let home = projects::require(world, project)?;
    let mut spec = IssueSpec {
        issue_type: issue_type(call)?.unwrap_or_default(),
        ..IssueSpec::default()
    };
    let confidential = params.boolean("confidential")?.unwrap_or(false);
    spec.confidential = confidential && !home.drops_confidential;
    let weight = params.integer("weight")?;
    let due_date = params.day("due_date")?;
    if world.role(call.actor(), home).is_none() {
        return Ok(spec);
    }
    let plans = world.plans(call.actor(), home);
    let titles = params.list("labels").unwrap_or_default();
    spec.labels = titles
        .into_iter()
        .filter(|title| plans || world.label_titled(project, title).is_some())
        .collect();
    spec.assignees = assignees(world, call, project)?.unwrap_or_default();
    spec.due_date = due_date.into_edit().flatten();
    spec.milestone = milestone(world, call, project)?.into_edit().flatten();
    if world.settings.premium() {
        spec.weight = checked_weight(weight)?.into_edit().flatten();
        spec.epic = epic(world, call, project)?.into_edit().flatten();
    }
    Ok(spec)
}

pub(crate) fn checked_weight(weight: Given<i64>) -> Result<Given<i64>, ApiError> {
    match weight {
        Given::Value(number) if number < 0 => Err(ApiError::field(
            "weight",
            "must be greater than or equal to 0",
        )),
        Given::Absent | Given::Cleared | Given::Value(_) => Ok(weight),
    }
}

pub(crate) fn issue_type(call: &Call) -> Result<Option<IssueType>, ApiError> {
    match call.params.text("issue_type") {
        None => Ok(None),
        Some(word) => IssueType::from_word(&word)
            .map(Some)
            .ok_or_else(|| ApiError::error(400, "issue_type does not have a valid value")),
    }
}

/// Wanted assignees: unreadable ones are left out, and all but one without the licence for several.
pub(crate) fn assignees(
    world: &World,
    call: &Call,
    project: ProjectId,
) -> Result<Option<Vec<u64>>, ApiError> {
    let several = call.params.ids("assignee_ids");
    let one = call.params.integer("assignee_id")?;
    let mut wanted = match (several, one) {
        (Some(ids), _) => ids,
        (None, Given::Value(id)) => u64::try_from(id).into_iter().collect(),
        (None, Given::Cleared) => Vec::new(),
        (None, Given::Absent) => return Ok(None),
    };
    let home = projects::require(world, project)?;
    wanted.retain(|id| {
        world.user(*id).is_some()
            && world.can_read_issues(&crate::model::Actor::of_user(world, *id), home)
    });
    if !world.settings.premium() {
        wanted.truncate(1);
    }
    Ok(Some(wanted))
}

/// The wanted milestone; 0 clears, one of a foreign project is left out.
pub(crate) fn milestone(
    world: &World,
    call: &Call,
    project: ProjectId,
) -> Result<Given<u64>, ApiError> {
    match call.params.integer("milestone_id")? {
        Given::Absent => Ok(Given::Absent),
        Given::Cleared | Given::Value(0) => Ok(Given::Cleared),
        Given::Value(id) => {
            let homes = world.homes_of(project);
            let found = u64::try_from(id).ok().and_then(|id| world.milestone(id));
            Ok(found
                .filter(|one| homes.contains(&one.home))
                .map_or(Given::Absent, |one| Given::Value(one.id)))
        }
    }
}

/// The wanted epic, by id or by number in the group.
pub(crate) fn epic(world: &World, call: &Call, project: ProjectId) -> Result<Given<u64>, ApiError> {
    let by_id = call.params.integer("epic_id")?;
    let by_iid = call.params.integer("epic_iid")?;
    if matches!((&by_id, &by_iid), (Given::Absent, Given::Absent)) {
        return Ok(Given::Absent);
    }
    let homes = world.homes_of(project);
    let found = world.epics.values().find(|epic| {
        by_id == Given::Value(epic.id.cast_signed())
            || (by_iid == Given::Value(epic.iid.cast_signed())
                && homes.contains(&crate::model::Home::Group(epic.group.clone())))
    });
    Ok(found.map_or(Given::Cleared, |epic| Given::Value(epic.id)))
}
