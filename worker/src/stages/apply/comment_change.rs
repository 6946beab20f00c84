//! Steps on comments that are there already.

use super::{
    super::case::Case,
    comment::{fingerprint, record},
    issue::target_iid,
};
use crate::{
    SyncError,
    error::{On, Side},
    events::Notice,
    jobs::check_instance,
};
use mirror_core::{desired::Desired, ids::NoteId, mapping::NoteMapping, merge};
use mirror_gitlab::{ErrorKind, NoteReply};

/// Why a comment is left out that the target's people deleted.
pub(crate) const DELETED_THERE: &str = "deleted on the target";

/// Changes a comment. One that the target's people deleted stays deleted.
pub(crate) async fn update(
    case: &mut Case<'_>,
    desired: &Desired,
    source_note: NoteId,
    target_note: NoteId,
    body: &str,
) -> Result<(), SyncError> {
    let Some(iid) = target_iid(case) else {
        return Ok(());
    };
    let target = &case.link.target;
    let Some(known) = case.notes.get(&source_note).cloned() else {
        return Ok(());
    };
    let answer = target
        .client
        .update_note(target.project.id, iid, target_note, body)
        .await;
    let mapping = match answer {
        Ok(NoteReply::Created { commands, note, .. }) => {
            if commands {
                case.notice(Notice::CommandExecuted);
            }
            NoteMapping {
                base: Some(merge::copied(body, &note.body)),
                fingerprint: fingerprint(desired, source_note),
                ..known
            }
        }
        Ok(NoteReply::CommandsOnly) => {
            case.notice(Notice::CommandExecuted);
            left_out(known, "the target took it for quick actions")
        }
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            check_instance::run(case.cx, case.link, Side::Target).await?;
            left_out(known, DELETED_THERE)
        }
        Err(source) => {
            return Err(SyncError::GitLab {
                side: Side::Target,
                source,
            });
        }
    };
    record(case, mapping, None, None).await
}

pub(crate) fn left_out(known: NoteMapping, why: &str) -> NoteMapping {
    NoteMapping {
        skipped: Some(why.to_owned()),
        fingerprint: None,
        ..known
    }
}

/// Deletes the copy of a comment that is gone.
pub(crate) async fn delete(
    case: &mut Case<'_>,
    source_note: NoteId,
    target_note: NoteId,
) -> Result<(), SyncError> {
    let (Some(iid), Some(known)) = (target_iid(case), case.notes.get(&source_note).cloned()) else {
        return Ok(());
    };
    let target = &case.link.target;
    let answer = target
        .client
        .delete_note(target.project.id, iid, target_note)
        .await;
    match answer {
        Ok(()) => {}
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            check_instance::run(case.cx, case.link, Side::Target).await?;
        }
        Err(error) if *error.kind() == ErrorKind::Forbidden => {
            return stays(case, known).await;
        }
        refused => return refused.on(Side::Target),
    }
    let (store, fence) = (&case.cx.store, &case.lease.fence);
    store
        .forget_note(fence, case.link.mirror, case.iid(), source_note)
        .await?;
    case.notes.remove(&source_note);
    if let Some(target) = &mut case.mapping.target {
        target.notes_count = target.notes_count.saturating_sub(1);
    }
    Ok(())
}

/// Takes the text out of the copy of a comment that is gone: somebody's answer would be left
/// hanging without it.
pub(crate) async fn withdraw(
    case: &mut Case<'_>,
    source_note: NoteId,
    target_note: NoteId,
    body: &str,
) -> Result<(), SyncError> {
    let (Some(iid), Some(known)) = (target_iid(case), case.notes.get(&source_note).cloned()) else {
        return Ok(());
    };
    let target = &case.link.target;
    let answer = target
        .client
        .update_note(target.project.id, iid, target_note, body)
        .await;
    let why = match answer {
        Ok(NoteReply::Created { .. }) => {
            case.notice(Notice::AnsweredCommentGone);
            "deleted at the source, answered on the target"
        }
        Ok(NoteReply::CommandsOnly) => {
            case.notice(Notice::CommandExecuted);
            "the target took it for quick actions"
        }
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            check_instance::run(case.cx, case.link, Side::Target).await?;
            DELETED_THERE
        }
        Err(error) if *error.kind() == ErrorKind::Forbidden => {
            return stays(case, known).await;
        }
        Err(source) => {
            return Err(SyncError::GitLab {
                side: Side::Target,
                source,
            });
        }
    };
    record(case, left_out(known, why), None, None).await
}

/// The target does not let go of it: said once, and not tried on every run.
async fn stays(case: &mut Case<'_>, known: NoteMapping) -> Result<(), SyncError> {
    check_instance::run(case.cx, case.link, Side::Target).await?;
    case.notice(Notice::CommentStays {
        why: "the target token's user may not delete it; delete it there by hand".to_owned(),
    });
    let why = "deleted at the source; the target does not let go of it";
    record(case, left_out(known, why), None, None).await
}
