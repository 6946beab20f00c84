//! The target's threads: which mirrors which, and whether they are resolved.

use super::{
    super::{case::Case, lookup},
    issue::target_iid,
};
use crate::{SyncError, error::Side, events::Notice, jobs::check_instance};
use mirror_core::{
    desired::Desired,
    ids::Iid,
    issue::{Discussion, Note},
    mapping::NoteMapping,
};
use mirror_gitlab::ErrorKind;
use std::collections::BTreeMap;

/// What a target is said not to take that does not resolve threads.
pub(crate) const RESOLVED_THREADS: &str = "resolved_threads";

/// The comments on the target that came from a source thread, those first that still stand.
fn copies<'a>(
    case: &'a Case<'_>,
    desired: &Desired,
    source_discussion: &str,
) -> Vec<&'a NoteMapping> {
    // A comment found again by its marker is recorded without its source thread: the source knows.
    let belongs = |note: &NoteMapping| {
        note.source_discussion == source_discussion
            || desired.notes.iter().any(|wanted| {
                wanted.source_note == note.source_note && wanted.discussion == source_discussion
            })
    };
    let mut copies: Vec<&NoteMapping> = case.notes.values().filter(|note| belongs(note)).collect();
    copies.sort_by_key(|note| note.skipped.is_some());
    copies
}

/// The target's thread that mirrors a source thread.
pub(super) async fn of(
    case: &Case<'_>,
    iid: Iid,
    desired: &Desired,
    source_discussion: &str,
) -> Result<Option<String>, SyncError> {
    let copies = copies(case, desired, source_discussion);
    let mut named = copies
        .iter()
        .filter_map(|copy| copy.target_discussion.clone());
    if let Some(named) = named.next() {
        return Ok(Some(named));
    }
    if copies.iter().all(|copy| copy.target_note.is_none()) {
        return Ok(None);
    }
    let found = standing(case, iid, desired, source_discussion).await?;
    Ok(found.map(|thread| thread.id))
}

/// The same, as the target shows it now.
pub(super) async fn standing(
    case: &Case<'_>,
    iid: Iid,
    desired: &Desired,
    source_discussion: &str,
) -> Result<Option<Discussion>, SyncError> {
    let copies = copies(case, desired, source_discussion);
    let threads = lookup::threads(case.link, iid).await?;
    Ok(thread_of(&copies, &threads).cloned())
}

fn thread_of<'a>(copies: &[&NoteMapping], threads: &'a [Discussion]) -> Option<&'a Discussion> {
    let is_copy = |note: &Note| copies.iter().any(|copy| copy.target_note == Some(note.id));
    threads
        .iter()
        .find(|thread| thread.notes.iter().any(is_copy))
}

/// How the target's threads stand, by the source's: as read in this job, else as they were left.
pub(crate) fn resolved(case: &Case<'_>, desired: &Desired) -> BTreeMap<String, bool> {
    let mut resolved = case.threads.clone();
    for thread in &desired.threads {
        if let Some(shown) = shown(case, desired, &thread.discussion) {
            resolved.insert(thread.discussion.clone(), shown);
        }
    }
    resolved
}

/// Whether a thread was resolved when the target's comments were read.
fn shown(case: &Case<'_>, desired: &Desired, source_discussion: &str) -> Option<bool> {
    let there = case.there.as_ref()?;
    thread_of(&copies(case, desired, source_discussion), there)?.resolved()
}

/// Resolves a thread or opens it again. What the target does not do is told once and left.
pub(crate) async fn set_resolved(
    case: &mut Case<'_>,
    desired: &Desired,
    discussion: &str,
    resolved: bool,
) -> Result<(), SyncError> {
    let Some(iid) = target_iid(case) else {
        return Ok(());
    };
    if case.dropped_fields().contains(RESOLVED_THREADS) {
        // Learnt from the thread before.
        return Ok(());
    }
    let Some(thread) = of(case, iid, desired, discussion).await? else {
        return record(case, discussion, resolved).await;
    };
    let target = &case.link.target;
    let answer = target
        .client
        .resolve_discussion(target.project.id, iid, &thread, resolved)
        .await;
    let there = match answer {
        Ok(echo) => Some(echo),
        Err(error) if may_be_the_threads(error.kind()) => {
            check_instance::run(case.cx, case.link, Side::Target).await?;
            let there = standing(case, iid, desired, discussion).await?;
            if there.is_some() && error.is_transient() {
                return Err(SyncError::GitLab {
                    side: Side::Target,
                    source: error,
                });
            }
            there
        }
        Err(source) => {
            return Err(SyncError::GitLab {
                side: Side::Target,
                source,
            });
        }
    };
    match there {
        Some(there) if there.resolved() == Some(resolved) => {}
        Some(there) if there.individual => case.notice(Notice::ThreadStays {
            why: "on the target it is a comment of its own".to_owned(),
        }),
        // By its version, or by what the token may do there.
        Some(_) => return case.dropped(RESOLVED_THREADS).await,
        // The target's people deleted all of it.
        None => {}
    }
    record(case, discussion, resolved).await
}

/// Whether an answer may be about this one thread, or about threads: to one that is gone some
/// versions answer with an error of their own.
fn may_be_the_threads(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::MethodNotAllowed
        | ErrorKind::Validation { .. }
        | ErrorKind::Unavailable { .. } => true,
        ErrorKind::Unauthorized { .. }
        | ErrorKind::InsufficientScope { .. }
        | ErrorKind::Moved { .. }
        | ErrorKind::Conflict(_)
        | ErrorKind::Spam { .. }
        | ErrorKind::TooLarge
        | ErrorKind::Throttled { .. }
        | ErrorKind::Transport(_)
        | ErrorKind::Input(_)
        | ErrorKind::Malformed { .. }
        | ErrorKind::Redirected { .. }
        | ErrorKind::SignIn
        | ErrorKind::UnprovenWalk
        | ErrorKind::Unsendable { .. }
        | ErrorKind::Withdrawn
        | ErrorKind::Refused => false,
    }
}

/// What is about to be written in a resolved thread may open it again: it counts as open from now on,
/// so that it is resolved again whatever happens between.
pub(super) async fn grows(case: &mut Case<'_>, discussion: &str) -> Result<(), SyncError> {
    if case.threads.get(discussion) == Some(&true) {
        record(case, discussion, false).await?;
    }
    Ok(())
}

/// Threads that were found to stand as they should are known to, from now on.
pub(crate) async fn record_compared(
    case: &mut Case<'_>,
    desired: &Desired,
) -> Result<(), SyncError> {
    for thread in &desired.threads {
        let known = case.threads.get(&thread.discussion).copied();
        let found = shown(case, desired, &thread.discussion);
        if found == Some(thread.resolved) && known.unwrap_or(false) != thread.resolved {
            record(case, &thread.discussion, thread.resolved).await?;
        }
    }
    Ok(())
}

async fn record(case: &mut Case<'_>, discussion: &str, resolved: bool) -> Result<(), SyncError> {
    let (store, fence) = (&case.cx.store, &case.lease.fence);
    store
        .record_thread(fence, case.link.mirror, case.iid(), discussion, resolved)
        .await?;
    case.threads.insert(discussion.to_owned(), resolved);
    Ok(())
}
