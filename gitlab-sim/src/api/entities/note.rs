use serde_json::{Map, Value, json};

use super::{moment, user};
use crate::model::{Issue, Note, World};

/// Whether a note can be resolved: only as part of a thread, where the version knows of that.
pub(crate) fn is_resolvable(world: &World, note: &Note) -> bool {
    note.threaded && !note.system && world.settings.resolvable_issue_threads
}

/// A note (facts section 2); `commands` is what its text executed.
pub(crate) fn note(
    world: &World,
    issue: &Issue,
    note: &Note,
    commands: Map<String, Value>,
) -> Value {
    let resolvable = is_resolvable(world, note);
    let mut value = json!({
        "id": note.id,
        "type": note.threaded.then_some("DiscussionNote"),
        "body": note.body,
        "attachment": Value::Null,
        "author": user(world, note.author),
        "created_at": moment(note.created_at),
        "updated_at": moment(note.updated_at),
        "system": note.system,
        "noteable_id": issue.id,
        "noteable_type": "Issue",
        "noteable_iid": issue.iid,
        "project_id": issue.project,
        "resolvable": resolvable,
        "confidential": note.internal,
        "internal": note.internal,
        "imported": false,
        "imported_from": "none",
        "commands_changes": commands,
    });
    if resolvable && let Value::Object(map) = &mut value {
        map.insert("resolved".into(), json!(note.resolved.is_some()));
        map.insert(
            "resolved_by".into(),
            json!(note.resolved.map(|(by, _)| user(world, by))),
        );
        map.insert(
            "resolved_at".into(),
            json!(note.resolved.map(|(_, at)| moment(at))),
        );
    }
    value
}

/// A thread, or a comment on its own.
pub(crate) fn discussion(world: &World, issue: &Issue, notes: &[&Note]) -> Value {
    let first = notes.first();
    json!({
        "id": first.map(|note| note.discussion.as_str()),
        "individual_note": first.is_none_or(|note| !note.threaded),
        "notes": notes.iter().map(|one| note(world, issue, one, Map::new())).collect::<Vec<_>>(),
    })
}
