//! Comments that are gone at the source: nothing is taken for gone that may only be out of sight.

use super::{
    apply::{DELETED_THERE, left_out},
    case::Case,
    lookup,
};
use crate::{
    SyncError,
    error::{On, Side},
    events::Notice,
    facts,
    jobs::check_instance,
};
use mirror_core::{
    desired::Desired,
    ids::NoteId,
    issue::{Discussion, Note},
    plan::{GoneNote, is_sweep},
    project::Role,
    render,
};
use mirror_gitlab::ErrorKind;
use std::collections::BTreeSet;

/// Copies whose originals are gone. An original that the list of all lacks is asked for by itself;
/// only if that answers 404, while the issue can still be read by somebody who would see it, is it
/// gone. Costs nothing while nothing is missing.
pub(crate) async fn comments(
    case: &mut Case<'_>,
    desired: &Desired,
) -> Result<Vec<GoneNote>, SyncError> {
    let unlisted = unlisted(case, desired);
    let missing = standing(case, unlisted).await?;
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let copies = case.notes.values().filter(|note| note.skipped.is_none());
    let confirmed = case.link.settings.only == Some(case.iid());
    if is_sweep(missing.len(), copies.count()) && !confirmed {
        let count = missing.len();
        case.notice(Notice::CommentsGone { count });
        return Ok(Vec::new());
    }
    let gone = unseen(case, missing).await?;
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let sees_internal = sees_internal(case).await?;
    let frame = case.frame();
    Ok(gone
        .into_iter()
        // Whoever may not see internal comments cannot tell them from deleted ones.
        .filter(|copy| sees_internal || !copy.internal)
        .map(|copy| GoneNote {
            source_note: copy.source_note,
            target_note: copy.target_note,
            instead: copy
                .answered
                .then(|| render::deleted_note(&frame, &case.source, copy.source_note)),
        })
        .collect())
}

/// A copy that stands on the target, of an original that was not seen.
struct Standing {
    source_note: NoteId,
    target_note: NoteId,
    internal: bool,
    /// Somebody who is none of us wrote after it in its thread.
    answered: bool,
}

fn unlisted(case: &Case<'_>, desired: &Desired) -> Vec<(NoteId, NoteId)> {
    let listed: BTreeSet<NoteId> = desired.notes.iter().map(|note| note.source_note).collect();
    let copies = case.notes.values().filter(|note| note.skipped.is_none());
    copies
        .filter(|note| !listed.contains(&note.source_note))
        .filter_map(|note| Some((note.source_note, note.target_note?)))
        .collect()
}

/// Those that are there, and are ours. What the target's people deleted stays deleted.
async fn standing(
    case: &mut Case<'_>,
    unlisted: Vec<(NoteId, NoteId)>,
) -> Result<Vec<Standing>, SyncError> {
    let target = case.mapping.target.as_ref().map(|target| target.iid);
    let Some(iid) = target.filter(|_| !unlisted.is_empty()) else {
        return Ok(Vec::new());
    };
    let there = match case.there.take() {
        Some(there) => there,
        None => lookup::threads(case.link, iid).await?,
    };
    let ours = case.cx.store.our_users(case.link.target.instance).await?;
    let is_ours = |note: &Note| ours.contains(&note.author.id);
    let mut standing = Vec::new();
    for (source_note, target_note) in unlisted {
        match find(&there, target_note) {
            Some((thread, copy)) if is_ours(copy) => {
                let after = |note: &Note| note.id > copy.id && !note.system;
                let mut notes = thread.notes.iter();
                standing.push(Standing {
                    source_note,
                    target_note,
                    internal: copy.internal,
                    answered: notes.any(|note| after(note) && !is_ours(note)),
                });
            }
            Some(_) => {}
            None => {
                // Whoever may not see internal comments takes them for deleted ones here, too.
                check_instance::run(case.cx, case.link, Side::Target).await?;
                leave(case, source_note, DELETED_THERE).await?;
            }
        }
    }
    case.there = Some(there);
    Ok(standing)
}

fn find(there: &[Discussion], note: NoteId) -> Option<(&Discussion, &Note)> {
    there.iter().find_map(|thread| {
        let mut notes = thread.notes.iter();
        Some((thread, notes.find(|one| one.id == note)?))
    })
}

/// A copy is left to the target's people, who deleted it or made it theirs: it is settled.
pub(crate) async fn leave(
    case: &mut Case<'_>,
    source_note: NoteId,
    why: &str,
) -> Result<(), SyncError> {
    let Some(known) = case.notes.remove(&source_note) else {
        return Ok(());
    };
    let mapping = left_out(known, why);
    if !case.cx.plans_only() {
        let (store, fence) = (&case.cx.store, &case.lease.fence);
        store
            .record_note(fence, case.link.mirror, case.iid(), &mapping, None, None)
            .await?;
    }
    case.notes.insert(source_note, mapping);
    Ok(())
}

/// Those whose originals the source, asked for each by itself, does not show.
async fn unseen(case: &Case<'_>, missing: Vec<Standing>) -> Result<Vec<Standing>, SyncError> {
    let source = &case.link.source;
    let mut unseen = Vec::new();
    for copy in missing {
        let original = source
            .client
            .note(source.project.id, case.iid(), copy.source_note)
            .await;
        match original {
            Ok(_) => {}
            Err(error) if *error.kind() == ErrorKind::NotFound => unseen.push(copy),
            refused => {
                refused.on(Side::Source)?;
            }
        }
    }
    Ok(unseen)
}

/// Whether the source's token sees internal comments. Fails unless it still sees the issue as it
/// was read: a comment of an issue that is out of sight answers 404, too.
async fn sees_internal(case: &Case<'_>) -> Result<bool, SyncError> {
    let source = &case.link.source;
    let project = check_instance::readable(case.cx, case.link, Side::Source).await?;
    match facts::again(case.cx, case.link, case.iid()).await? {
        Some(fresh) if fresh.issue.confidential == case.source.confidential => {}
        Some(_) | None => return Err(SyncError::Stale),
    }
    if project.role >= Some(Role::PLANNER) {
        return Ok(true);
    }
    // Administrators see everything, but who was one may be none by now.
    let is_admin = source.user.admin && source.client.token_user().await.on(Side::Source)?.admin;
    Ok(is_admin)
}
