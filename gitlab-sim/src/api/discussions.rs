//! Threads (facts section 2).

use serde_json::Value;

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::issue_list::readable;
use super::notes::{Posted, post};
use super::page::paginate;
use super::{entities, projects};
use crate::model::{Issue, Note, ProjectId, World};

/// The discussions of an issue as the sender sees them, in the order of their first notes.
fn visible<'w>(
    world: &'w World,
    call: &Call,
    issue: &'w Issue,
) -> Result<Vec<Vec<&'w Note>>, ApiError> {
    let project = projects::require(world, issue.project)?;
    let mut places = std::collections::HashMap::new();
    let mut threads: Vec<Vec<&Note>> = Vec::new();
    for note in issue
        .notes
        .iter()
        .filter(|note| world.can_read_note(call.actor(), project, note))
    {
        let place = *places
            .entry(note.discussion.as_str())
            .or_insert(threads.len());
        match threads.get_mut(place) {
            Some(thread) => thread.push(note),
            None => threads.push(vec![note]),
        }
    }
    Ok(threads)
}

fn find<'w>(
    world: &'w World,
    call: &Call,
    at: (ProjectId, u64),
    id: &str,
) -> Result<(&'w Issue, Vec<&'w Note>), ApiError> {
    call.user()?;
    let issue = readable(world, call, at)?;
    let threads = visible(world, call, issue)?;
    let thread = threads
        .into_iter()
        .find(|notes| notes.iter().any(|note| note.discussion == id));
    Ok((
        issue,
        thread.ok_or_else(|| ApiError::missing("Discussion"))?,
    ))
}

/// `GET …/discussions`: built in memory, then paginated.
pub(crate) fn list(world: &World, call: &Call, at: (ProjectId, u64)) -> Reply {
    call.user()?;
    let issue = readable(world, call, at)?;
    let page = paginate(world, call, visible(world, call, issue)?)?;
    let rows: Vec<Value> = page
        .rows
        .iter()
        .map(|notes| entities::discussion(world, issue, notes))
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

/// `GET …/discussions/:id`
pub(crate) fn single(world: &World, call: &Call, at: (ProjectId, u64), id: &str) -> Reply {
    let (issue, notes) = find(world, call, at, id)?;
    Ok(Answer::ok(entities::discussion(world, issue, &notes)))
}

/// `POST …/discussions` starts a thread.
pub(crate) fn start(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    match post(world, call, at, true, None)? {
        Posted::CommandsOnly(answer) => Ok(answer),
        Posted::Note(id, _) => {
            let issue = readable(world, call, at)?;
            let note = issue.note(id).ok_or_else(ApiError::not_found)?;
            Ok(Answer::created(entities::discussion(world, issue, &[note])))
        }
    }
}

/// `POST …/discussions/:id/notes` replies; a comment on its own becomes a thread by it.
pub(crate) fn reply(world: &mut World, call: &Call, at: (ProjectId, u64), id: &str) -> Reply {
    let (_, notes) = find(world, call, at, id)?;
    let first = notes
        .first()
        .filter(|note| !note.system)
        .map(|note| note.id);
    let first = first.ok_or_else(|| {
        ApiError::message(400, "400 Bad request - Discussion can not be replied to")
    })?;
    match post(world, call, at, true, Some(first))? {
        Posted::CommandsOnly(answer) => Ok(answer),
        Posted::Note(id, changes) => {
            let issue = readable(world, call, at)?;
            let note = issue.note(id).ok_or_else(ApiError::not_found)?;
            Ok(Answer::created(entities::note(world, issue, note, changes)))
        }
    }
}

/// `PUT …/discussions/:id` settles a thread or opens it again; there is no such request where
/// threads of issues cannot be resolved.
pub(crate) fn resolve(world: &mut World, call: &Call, at: (ProjectId, u64), id: &str) -> Reply {
    let by = call.user()?;
    if !world.settings.resolvable_issue_threads {
        return Err(ApiError::no_route());
    }
    let (issue, notes) = find(world, call, at, id)?;
    let home = projects::require(world, at.0)?;
    let resolvable = notes
        .iter()
        .any(|note| entities::is_resolvable(world, note));
    if !resolvable || !world.can_update_issue(call.actor(), home, issue) {
        return Err(ApiError::forbidden());
    }
    let resolved = call
        .params
        .boolean("resolved")?
        .ok_or_else(|| ApiError::error(400, "resolved is missing"))?;
    world.resolve_discussion(at.0, at.1, id, by, resolved)?;
    single(world, call, at, id)
}
