//! Comments (facts section 2).

use std::cmp::Reverse;

use serde_json::{Map, Value, json};

use super::answer::{Answer, ApiError, Reply};
use super::call::Call;
use super::issue_list::readable;
use super::issue_update::check_unmodified;
use super::page::paginate;
use super::{commands, entities, projects, texts};
use crate::model::{Issue, Note, NoteSpec, ProjectId, World};

/// `GET …/notes`: what the sender may not see is removed after paging, so pages may be short.
pub(crate) fn list(world: &World, call: &Call, at: (ProjectId, u64)) -> Reply {
    call.user()?;
    let issue = readable(world, call, at)?;
    let project = projects::require(world, at.0)?;
    let mut notes: Vec<&Note> = match call.params.text("activity_filter").as_deref() {
        None | Some("all_notes") => issue.notes.iter().collect(),
        Some("only_comments") => issue.notes.iter().filter(|note| !note.system).collect(),
        Some("only_activity") => issue.notes.iter().filter(|note| note.system).collect(),
        Some(_) => {
            return Err(ApiError::error(
                400,
                "activity_filter does not have a valid value",
            ));
        }
    };
    let ascending = call.params.text("sort").as_deref() == Some("asc");
    if call.params.text("order_by").as_deref() == Some("updated_at") {
        // A stable sort over ids descending keeps the tie rule of issues.
        notes.sort_by_key(|note| Reverse(note.id));
        notes.sort_by_key(|note| note.updated_at);
        if !ascending {
            notes.sort_by_key(|note| Reverse(note.updated_at));
        }
    } else if ascending {
        notes.sort_by_key(|note| note.id);
    } else {
        notes.sort_by_key(|note| Reverse(note.id));
    }
    let page = paginate(world, call, notes)?;
    let rows: Vec<Value> = page
        .rows
        .into_iter()
        .filter(|note| world.can_read_note(call.actor(), project, note))
        .map(|note| entities::note(world, issue, note, Map::new()))
        .collect();
    Ok(Answer::ok(rows.into()).with_all(page.headers))
}

/// A note that the sender may read, or 404.
pub(crate) fn readable_note<'w>(
    world: &'w World,
    call: &Call,
    at: (ProjectId, u64),
    id: &str,
) -> Result<(&'w Issue, &'w Note), ApiError> {
    call.user()?;
    let issue = readable(world, call, at)?;
    let project = projects::require(world, at.0)?;
    let id: u64 = id
        .parse()
        .map_err(|_| ApiError::error(400, "note_id is invalid"))?;
    let note = issue
        .note(id)
        .filter(|note| world.can_read_note(call.actor(), project, note));
    Ok((issue, note.ok_or_else(|| ApiError::missing("Note"))?))
}

/// `GET …/notes/:id`
pub(crate) fn single(world: &World, call: &Call, at: (ProjectId, u64), id: &str) -> Reply {
    let (issue, note) = readable_note(world, call, at, id)?;
    Ok(Answer::ok(entities::note(world, issue, note, Map::new())))
}

/// What became of a text sent as a comment.
pub(crate) enum Posted {
    /// A note of this id, with what its text executed.
    Note(u64, Map<String, Value>),
    /// Nothing was stored: all of it was commands. The answer is a 202 without an id.
    CommandsOnly(Answer),
}

/// `POST …/notes`
pub(crate) fn create(world: &mut World, call: &Call, at: (ProjectId, u64)) -> Reply {
    match post(world, call, at, false, None)? {
        Posted::CommandsOnly(answer) => Ok(answer),
        Posted::Note(id, changes) => {
            let issue = readable(world, call, at)?;
            let note = issue.note(id).ok_or_else(ApiError::not_found)?;
            Ok(Answer::created(entities::note(world, issue, note, changes)))
        }
    }
}

/// Stores a comment, a thread's start or a reply, and executes what its text commands.
pub(crate) fn post(
    world: &mut World,
    call: &Call,
    at: (ProjectId, u64),
    thread: bool,
    reply_to: Option<u64>,
) -> Result<Posted, ApiError> {
    let by = call.user()?;
    readable(world, call, at)?;
    let home = projects::require(world, at.0)?;
    if !may_comment(world, call, at) {
        return Err(ApiError::forbidden());
    }
    let body = call.params.required("body")?;
    texts::check_note(&body)?;
    let plans = world.plans(call.actor(), home);
    let owner = world.owns(call.actor(), home);
    let asked = match call.params.boolean("internal")? {
        Some(flag) => Some(flag),
        None => call.params.boolean("confidential")?,
    };
    let internal = match reply_to {
        // Starting a thread knows no such parameter: what is given is not heard.
        None => asked.unwrap_or(false) && plans && !thread && !home.drops_confidential,
        Some(first) => shared_flag(world, at, first, asked)?,
    };
    let extraction = texts::interpret(world, &body);
    if extraction.rest.is_empty() && !extraction.commands.is_empty() {
        let executed = commands::execute(world, call, at, &extraction.commands, true)?;
        let body = json!({ "commands_changes": executed.changes, "summary": executed.summary });
        return Ok(Posted::CommandsOnly(Answer::json(202, body)));
    }
    texts::check_note(&extraction.rest)?;
    let moment = call.params.moment("created_at")?.filter(|_| owner);
    let spec = NoteSpec {
        author: by,
        body: extraction.rest,
        internal,
        thread,
        reply_to,
    };
    let id = world.add_note(at.0, at.1, spec)?;
    if let Some(moment) = moment {
        let note = world.require_note(at.0, at.1, id)?;
        note.created_at = moment;
        note.updated_at = moment;
    }
    let executed = commands::execute(world, call, at, &extraction.commands, true)?;
    Ok(Posted::Note(id, executed.changes))
}

fn may_comment(world: &World, call: &Call, at: (ProjectId, u64)) -> bool {
    let (Some(home), Some(issue)) = (world.project(at.0), world.issue(at.0, at.1)) else {
        return false;
    };
    let locked = issue.discussion_locked == Some(true);
    world.can_write_issues(call.actor(), home)
        && (!locked || world.role(call.actor(), home).is_some())
}

/// A reply has the flag of its thread; asking for the other one is an error.
fn shared_flag(
    world: &mut World,
    at: (ProjectId, u64),
    first: u64,
    asked: Option<bool>,
) -> Result<bool, ApiError> {
    let flag = world.require_note(at.0, at.1, first)?.internal;
    if asked.is_some_and(|asked| asked != flag) {
        return Err(ApiError::note(
            "confidential",
            "reply should have same confidentiality as top-level note",
        ));
    }
    Ok(flag)
}

/// `PUT …/notes/:id`: a body made only of commands deletes the note; within a discussion exactly
/// one of `body` and `resolved`.
pub(crate) fn update(world: &mut World, call: &Call, at: (ProjectId, u64), id: &str) -> Reply {
    let by = call.user()?;
    let (issue, note) = readable_note(world, call, at, id)?;
    let home = projects::require(world, at.0)?;
    let note_id = note.id;
    let discussion = note.discussion.clone();
    let may_resolve = world.can_update_issue(call.actor(), home, issue);
    let resolvable = entities::is_resolvable(world, note);
    let may_edit = world.can_admin_note(call.actor(), home, note);
    let resolved = call.params.boolean("resolved")?;
    if let Some(resolved) =
        resolved.filter(|_| call.segments.iter().any(|part| part == "discussions"))
    {
        if call.params.has("body") {
            return Err(ApiError::error(
                400,
                "body, resolved are mutually exclusive",
            ));
        }
        if !may_resolve {
            return Err(ApiError::forbidden());
        }
        if !resolvable {
            return Err(ApiError::message(
                400,
                "400 Bad request - Note is not resolvable",
            ));
        }
        world.resolve_discussion(at.0, at.1, &discussion, by, resolved)?;
        return single(world, call, at, id);
    }
    if !may_edit {
        return Err(ApiError::forbidden());
    }
    let body = call.params.required("body")?;
    texts::check_note(&body)?;
    let extraction = texts::interpret(world, &body);
    let executed = commands::execute(world, call, at, &extraction.commands, true)?;
    if extraction.rest.is_empty() && !extraction.commands.is_empty() {
        let issue = readable(world, call, at)?;
        let gone = issue.note(note_id).ok_or_else(ApiError::not_found)?;
        let shown = entities::note(world, issue, gone, executed.changes);
        world.delete_note(at.0, at.1, note_id, by)?;
        return Ok(Answer::ok(shown));
    }
    texts::check_note(&extraction.rest)?;
    world.edit_note(at.0, at.1, note_id, by, &extraction.rest)?;
    let (issue, note) = readable_note(world, call, at, id)?;
    Ok(Answer::ok(entities::note(
        world,
        issue,
        note,
        executed.changes,
    )))
}

/// `DELETE …/notes/:id`
pub(crate) fn delete(world: &mut World, call: &Call, at: (ProjectId, u64), id: &str) -> Reply {
    let by = call.user()?;
    let (_, note) = readable_note(world, call, at, id)?;
    let home = projects::require(world, at.0)?;
    let note_id = note.id;
    if !world.can_admin_note(call.actor(), home, note) {
        return Err(ApiError::forbidden());
    }
    check_unmodified(call, note.updated_at)?;
    world.delete_note(at.0, at.1, note_id, by)?;
    Ok(Answer::no_content())
}
