//! Projects, their members and milestones.

use serde_json::Value;

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::entities;
use super::instance::has_words;
use super::page::paginate;
use super::params::Given;
use crate::model::{Home, Milestone, MilestoneSpec, Project, ProjectId, World};

pub(crate) fn require(world: &World, id: ProjectId) -> Result<&Project, ApiError> {
    world
        .project(id)
        .ok_or_else(|| ApiError::missing("Project"))
}

/// One project.
pub(crate) fn single(world: &World, call: &Call, id: ProjectId) -> Reply {
    Ok(Answer::ok(entities::project(
        world,
        call,
        require(world, id)?,
    )))
}

/// All projects that the sender sees, newest first.
pub(crate) fn list(world: &World, call: &Call) -> Reply {
    let membership = call.params.boolean("membership")?.unwrap_or(false);
    let seen = world.projects().values().rev().filter(|project| {
        world.can_read_project(call.actor(), project)
            && (!membership || world.role(call.actor(), project).is_some())
    });
    let page = paginate(world, call, seen.collect())?;
    let rows = page
        .rows
        .into_iter()
        .map(|project| entities::project(world, call, project));
    Ok(Answer::ok(rows.collect()).with_all(page.headers))
}

/// All members, also those inherited from a group, by number.
pub(crate) fn members(world: &World, call: &Call, id: ProjectId) -> Reply {
    call.user()?;
    let words = call.params.text("query").map(|text| text.to_lowercase());
    let only = call.params.ids("user_ids");
    let found = require(world, id)?.members.iter().filter(|(user, _)| {
        let known = world.user(**user);
        known.is_some_and(|user| has_words(user, words.as_deref()))
            && only.as_ref().is_none_or(|only| only.contains(user))
    });
    let page = paginate(world, call, found.collect())?;
    let rows = page.rows.into_iter();
    let rows = rows.map(|(user, level)| entities::member(world, *user, *level));
    Ok(Answer::ok(rows.collect()).with_all(page.headers))
}

/// A member, also one inherited from a group.
pub(crate) fn member(world: &World, call: &Call, id: ProjectId, user: &str) -> Reply {
    call.user()?;
    let project = require(world, id)?;
    let user: u64 = user
        .parse()
        .map_err(|_| ApiError::error(400, "user_id is invalid"))?;
    let level = project.members.get(&user).ok_or_else(ApiError::not_found)?;
    Ok(Answer::ok(entities::member(world, user, *level)))
}

/// The project's own milestones; with `include_ancestors` also those of the groups above.
pub(crate) fn milestones(world: &World, call: &Call, id: ProjectId) -> Reply {
    let above = call.params.boolean("include_ancestors")?.unwrap_or(false)
        || call
            .params
            .boolean("include_parent_milestones")?
            .unwrap_or(false);
    let homes = world.homes_of(id);
    let wanted_title = call.params.text("title");
    let found: Vec<&Milestone> = world
        .milestones
        .values()
        .filter(|one| homes.contains(&one.home) && (above || one.home == Home::Project(id)))
        .filter(|one| {
            wanted_title
                .as_ref()
                .is_none_or(|title| *title == one.title)
        })
        .collect();
    let page = paginate(world, call, found)?;
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .map(|one| entities::milestone(world, one))
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

/// A new milestone; needs planner or up.
pub(crate) fn create_milestone(world: &mut World, call: &Call, id: ProjectId) -> Reply {
    let by = call.user()?;
    let project = require(world, id)?;
    if !world.can_set_metadata(call.actor(), project) {
        return Err(ApiError::forbidden());
    }
    let title = call.params.required("title")?.trim().to_owned();
    if title.is_empty() {
        return Err(ApiError::field("title", "can't be blank"));
    }
    let homes = world.homes_of(id);
    if world
        .milestones
        .values()
        .any(|one| homes.contains(&one.home) && one.title == title)
    {
        return Err(ApiError::field(
            "title",
            "already being used for another group or project milestone.",
        ));
    }
    let day = |name: &str| call.params.day(name).map(|day| day.into_edit().flatten());
    let description = match call.params.clearable("description") {
        Given::Value(text) => Some(text),
        Given::Absent | Given::Cleared => None,
    };
    let spec = MilestoneSpec {
        title,
        description,
        start_date: day("start_date")?,
        due_date: day("due_date")?,
    };
    let title = spec.title.clone();
    let new = world.add_milestone(Home::Project(id), spec);
    world.record(
        by,
        id,
        None,
        crate::model::ChangeKind::MilestoneCreated(title),
    );
    let milestone = world.milestone(new).ok_or_else(ApiError::not_found)?;
    Ok(Answer::created(entities::milestone(world, milestone)))
}
