//! Steps on comments.

use super::{
    super::{case::Case, preserve, settle},
    issue::{target_iid, unsuccessful},
    thread,
};
use crate::{
    SyncError,
    error::{On, Side},
    events::Notice,
    jobs::check_instance,
};
use mirror_core::{
    desired::{Desired, Place},
    ids::{Iid, NoteId},
    issue::Note,
    mapping::{Intended, Intent, NoteMapping},
    merge::{self, Sides},
    plan::{NewNote, Step},
    project::Role,
    provenance::alike,
    render,
};
use mirror_gitlab::{Error, ErrorKind, NoteReply};
use mirror_store::TargetFact;

/// Intent, send, record; recording opens the intent of the next comment in the same transaction.
pub(crate) async fn create(
    case: &mut Case<'_>,
    desired: &Desired,
    note: NewNote,
    next: Option<&Step>,
) -> Result<(), SyncError> {
    let Some(iid) = target_iid(case) else {
        return Ok(());
    };
    let role = case.link.target.project.role;
    if note.internal && role.is_none_or(|role| role < Role::PLANNER) {
        let why = "internal, and the target token's role could not hide it".to_owned();
        return skip_unsent(case, &note, why).await;
    }
    if case.full {
        return skip_unsent(case, &note, FULL.to_owned()).await;
    }
    thread::grows(case, &note.discussion).await?;
    let intent = comment_intent(case, note.source_note).await?;
    let body = if note.neutral_first {
        render::neutral_note(&case.frame(), &case.source, note.source_note)
    } else {
        note.body.clone()
    };
    match send(case, iid, desired, &note, body).await? {
        Ok(NoteReply::Created {
            note: echo,
            discussion,
            commands,
        }) => {
            if commands {
                case.notice(Notice::CommandExecuted);
            }
            if note.internal && !echo.internal {
                return take_back(case, iid, &note, &intent, &echo).await;
            }
            if note
                .created_at
                .is_some_and(|at| !preserve::same(Some(echo.created_at), at))
            {
                case.dropped("note_created_at").await?;
            }
            if note.neutral_first {
                fill(case, iid, &note, echo.id).await?;
            }
            let print = fingerprint(desired, note.source_note);
            let shown = if note.neutral_first {
                &note.body
            } else {
                &echo.body
            };
            let base = merge::copied(&note.body, shown);
            let mapping = mapped(&note, echo.id, discussion, (print, base));
            record(case, mapping, Some(&intent), next).await
        }
        Ok(NoteReply::CommandsOnly) => {
            case.notice(Notice::CommandExecuted);
            let why = "the target took it for quick actions".to_owned();
            skip(case, &note, Some(&intent), why).await
        }
        Err(error) => after_failed_create(case, iid, desired, &note, &intent, error).await,
    }
}

async fn comment_intent(case: &mut Case<'_>, source_note: NoteId) -> Result<Intent, SyncError> {
    let what = Intended::Note { source_note };
    match case.prepared.take() {
        Some(intent) if intent.what == what => Ok(intent),
        Some(other) => {
            case.cx
                .store
                .drop_intent(&case.lease.fence, other.id)
                .await?;
            case.intent(what).await
        }
        None => case.intent(what).await,
    }
}

async fn send(
    case: &Case<'_>,
    iid: Iid,
    desired: &Desired,
    note: &NewNote,
    body: String,
) -> Result<Result<NoteReply, Error>, SyncError> {
    let target = &case.link.target;
    let (client, project) = (&target.client, target.project.id);
    let new = mirror_gitlab::NewNote {
        body,
        internal: note.internal,
        created_at: note.created_at,
    };
    Ok(match note.place {
        Place::Plain => client.create_note(project, iid, &new).await,
        Place::Start => client.start_discussion(project, iid, &new).await,
        Place::Reply => reply(case, iid, desired, note, &new).await?,
    })
}

/// Answers in the target's thread. Where its people deleted all of it, this begins it anew.
async fn reply(
    case: &Case<'_>,
    iid: Iid,
    desired: &Desired,
    note: &NewNote,
    new: &mirror_gitlab::NewNote,
) -> Result<Result<NoteReply, Error>, SyncError> {
    let target = &case.link.target;
    let (client, project) = (&target.client, target.project.id);
    let Some(known) = thread::of(case, iid, desired, &note.discussion).await? else {
        return Ok(client.start_discussion(project, iid, new).await);
    };
    let refused = match client.reply(project, iid, &known, new).await {
        Err(error) if *error.kind() == ErrorKind::NotFound => error,
        answer => return Ok(answer),
    };
    check_instance::run(case.cx, case.link, Side::Target).await?;
    Ok(
        match thread::standing(case, iid, desired, &note.discussion).await? {
            Some(thread) if thread.id == known => Err(refused),
            Some(thread) => client.reply(project, iid, &thread.id, new).await,
            None => client.start_discussion(project, iid, new).await,
        },
    )
}

/// It stands, hidden as it should be, with nothing in it: now its text.
async fn fill(
    case: &mut Case<'_>,
    iid: Iid,
    note: &NewNote,
    created: NoteId,
) -> Result<(), SyncError> {
    case.learn(TargetFact::InternalProven(true)).await?;
    let target = &case.link.target;
    target
        .client
        .update_note(target.project.id, iid, created, &note.body)
        .await
        .on(Side::Target)?;
    Ok(())
}

/// An internal comment came out public: it goes at once.
async fn take_back(
    case: &mut Case<'_>,
    iid: Iid,
    note: &NewNote,
    intent: &Intent,
    echo: &Note,
) -> Result<(), SyncError> {
    let target = &case.link.target;
    target
        .client
        .delete_note(target.project.id, iid, echo.id)
        .await
        .on(Side::Target)?;
    case.learn(TargetFact::InternalProven(false)).await?;
    skip(
        case,
        note,
        Some(intent),
        "internal, and the target left it public".to_owned(),
    )
    .await
}

async fn after_failed_create(
    case: &mut Case<'_>,
    iid: Iid,
    desired: &Desired,
    note: &NewNote,
    intent: &Intent,
    error: Error,
) -> Result<(), SyncError> {
    if error.outcome_unknown() {
        let found = settle::notes_on_target(case).await?;
        if let Some(found) = found
            .into_iter()
            .find(|found| found.source_note == note.source_note)
        {
            let (id, as_asked) = (found.target_note, found.body == note.body);
            let base = merge::copied(&note.body, &note.body);
            let discussion = Some(found.discussion.clone());
            if !as_asked {
                fill(case, iid, note, id).await?;
            }
            let print = fingerprint(desired, note.source_note);
            return record(
                case,
                mapped(note, id, discussion, (print, base)),
                Some(intent),
                None,
            )
            .await;
        }
    }
    match error.kind() {
        ErrorKind::Validation { .. } | ErrorKind::TooLarge | ErrorKind::Spam { .. } => {
            let why = error.message().unwrap_or("refused").to_owned();
            case.full = why.contains(FULL);
            case.notice(if case.full {
                Notice::CommentsFull
            } else {
                Notice::NoteRefused { why: why.clone() }
            });
            skip(case, note, Some(intent), why).await
        }
        ErrorKind::Unauthorized { .. }
        | ErrorKind::InsufficientScope { .. }
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::Moved { .. }
        | ErrorKind::MethodNotAllowed
        | ErrorKind::Conflict(_)
        | ErrorKind::Throttled { .. }
        | ErrorKind::Unavailable { .. }
        | ErrorKind::Transport(_)
        | ErrorKind::Input(_)
        | ErrorKind::Malformed { .. }
        | ErrorKind::Redirected { .. }
        | ErrorKind::SignIn
        | ErrorKind::UnprovenWalk
        | ErrorKind::Unsendable { .. }
        | ErrorKind::Withdrawn
        | ErrorKind::Refused => Err(unsuccessful(case, intent, error).await?),
    }
}

/// What GitLab says once an issue holds 5,000 notes, system notes included (facts section 2).
const FULL: &str = "Maximum number of comments exceeded";

/// As [`skip`], for one that nothing was sent for.
async fn skip_unsent(case: &mut Case<'_>, note: &NewNote, why: String) -> Result<(), SyncError> {
    drop_prepared_intent(case).await?;
    skip(case, note, None, why).await
}

/// A comment that will not be: settled, so that later ones are not held up.
async fn skip(
    case: &mut Case<'_>,
    note: &NewNote,
    intent: Option<&Intent>,
    why: String,
) -> Result<(), SyncError> {
    let mapping = NoteMapping {
        source_note: note.source_note,
        source_discussion: note.discussion.clone(),
        target_note: None,
        target_discussion: None,
        fingerprint: None,
        skipped: Some(why),
        base: None,
    };
    record(case, mapping, intent, None).await
}

fn mapped(
    note: &NewNote,
    target_note: NoteId,
    discussion: Option<String>,
    (fingerprint, base): (Option<String>, Sides),
) -> NoteMapping {
    NoteMapping {
        source_note: note.source_note,
        source_discussion: note.discussion.clone(),
        target_note: Some(target_note),
        target_discussion: discussion,
        fingerprint,
        skipped: None,
        base: Some(base),
    }
}

pub(super) fn fingerprint(desired: &Desired, source_note: NoteId) -> Option<String> {
    let note = desired
        .notes
        .iter()
        .find(|note| note.source_note == source_note)?;
    Some(note.fingerprint())
}

/// Records what is known of a comment for which nothing was sent.
pub(crate) async fn record_note(
    case: &mut Case<'_>,
    mapping: NoteMapping,
) -> Result<(), SyncError> {
    record(case, mapping, None, None).await
}

pub(super) async fn record(
    case: &mut Case<'_>,
    mapping: NoteMapping,
    intent: Option<&Intent>,
    next: Option<&Step>,
) -> Result<(), SyncError> {
    let next = match next {
        Some(Step::CreateNote(note)) => Some(Intended::Note {
            source_note: note.source_note,
        }),
        _ => None,
    };
    let (store, fence) = (&case.cx.store, &case.lease.fence);
    let closed = intent.map(|intent| intent.id);
    let iid = case.iid();
    let recorded = store
        .record_note(fence, case.link.mirror, iid, &mapping, closed, next)
        .await;
    if let (Err(mirror_store::StoreError::Fenced), Some(intent), Some(note)) =
        (&recorded, intent, mapping.target_note)
    {
        store.intent_answered(intent.id, note.0).await?;
    }
    case.prepared = recorded?;
    let intended = case.prepared.as_ref().map(|_| case.cx.clock.monotonic());
    case.lease.intended().set(intended);
    if intent.is_some() && mapping.target_note.is_some() {
        case.done.comments += 1;
        case.lease.comment_written();
        if let Some(target) = &mut case.mapping.target {
            target.notes_count += 1;
        }
    }
    case.notes.insert(mapping.source_note, mapping);
    Ok(())
}

/// An intent that was opened ahead: nothing was sent under it, and left open it would be waited for.
pub(crate) async fn drop_prepared_intent(case: &mut Case<'_>) -> Result<(), SyncError> {
    let unused = case.prepared.take();
    drop_intent(case, unused).await
}

/// As [`drop_prepared_intent`], and one left over for a comment that is not wanted any more.
pub(crate) async fn drop_unused_intents(case: &mut Case<'_>) -> Result<(), SyncError> {
    drop_prepared_intent(case).await?;
    let left_over = case.open.take();
    drop_intent(case, left_over).await
}

async fn drop_intent(case: &Case<'_>, intent: Option<Intent>) -> Result<(), SyncError> {
    if let Some(intent) = intent {
        let store = &case.cx.store;
        store.drop_intent(&case.lease.fence, intent.id).await?;
    }
    Ok(())
}

/// Comments that were compared with their bodies and found in line need no comparison next time.
pub(crate) async fn record_compared(
    case: &mut Case<'_>,
    desired: &Desired,
) -> Result<(), SyncError> {
    for note in &desired.notes {
        let Some(known) = case.notes.get(&note.source_note) else {
            continue;
        };
        let same = known
            .target_note
            .and_then(|target| case.bodies.get(&target))
            .is_some_and(|body| alike(body, &note.body));
        if known.fingerprint.is_none() && known.skipped.is_none() && same {
            let mapping = NoteMapping {
                fingerprint: Some(note.fingerprint()),
                source_discussion: note.discussion.clone(),
                base: Some(merge::copied(&note.body, &note.body)),
                ..known.clone()
            };
            record(case, mapping, None, None).await?;
        }
    }
    Ok(())
}
