//! What is found again on a target after the record of it was lost, or put back from a backup.

use super::{case::Case, settle};
use crate::{
    SyncError,
    error::{On, Side},
    events::Notice,
};
use mirror_core::{ids::NoteId, issue::Discussion, merge::own_time};
use std::collections::{BTreeMap, BTreeSet};

/// Takes in the comments of an issue whose own are not known, or not for certain.
pub(crate) async fn comments(case: &mut Case<'_>, threads: &[Discussion]) -> Result<(), SyncError> {
    let target = case.mapping.target.as_ref();
    let some = !wanted(threads).is_empty() || target.is_some_and(|target| target.notes_count > 0);
    let adopted = case.notes.is_empty() && some && !case.done.created;
    let unknown = case
        .notes
        .values()
        .any(|note| note.target_note.is_some() && note.fingerprint.is_none());
    if (adopted || unknown) && case.there.is_none() {
        take_in(case, threads).await?;
    }
    Ok(())
}

/// Before comments are created where there are more than we know of: a record from before they were
/// written (a backup) does not know them, and they are not written twice.
pub(crate) async fn unseen_comments(
    case: &mut Case<'_>,
    threads: &[Discussion],
) -> Result<(), SyncError> {
    let Some(target) = &case.mapping.target else {
        return Ok(());
    };
    let known = case
        .notes
        .values()
        .filter(|note| note.target_note.is_some());
    let more = usize::try_from(target.notes_count).is_ok_and(|there| there > known.count());
    let to_come = wanted(threads)
        .keys()
        .any(|note| !case.notes.contains_key(note));
    if more && to_come && case.there.is_none() && !case.done.created {
        take_in(case, threads).await?;
    }
    Ok(())
}

/// Source comments, and the threads they stand in.
fn wanted(threads: &[Discussion]) -> BTreeMap<NoteId, &str> {
    let mut wanted = BTreeMap::new();
    for thread in threads {
        let notes = thread.notes.iter().filter(|note| !note.system);
        wanted.extend(notes.map(|note| (note.id, thread.id.as_str())));
    }
    wanted
}

async fn take_in(case: &mut Case<'_>, threads: &[Discussion]) -> Result<(), SyncError> {
    let wanted = wanted(threads);
    for found in settle::notes_on_target(case).await? {
        let mapped = case
            .notes
            .get(&found.source_note)
            .and_then(|note| note.target_note);
        if mapped.is_some() {
            continue;
        }
        // One whose original is not there any more is taken in too, and goes the way of it.
        let source_note = found.source_note;
        settle::adopt_note(case, None, found).await?;
        let thread = wanted.get(&source_note);
        if let (Some(thread), Some(note)) = (thread, case.notes.get_mut(&source_note)) {
            note.source_discussion = (*thread).to_owned();
        }
    }
    Ok(())
}

/// Which labels are ours, and what was carried in logged time, once the issue itself has been read.
pub(crate) async fn what_is_ours(case: &mut Case<'_>) -> Result<(), SyncError> {
    if case.mapping.fingerprint.is_none() {
        own_labels(case).await?;
    }
    carried_time(case);
    Ok(())
}

/// Equal totals were carried; of unequal ones nobody can say any more which part was.
fn carried_time(case: &mut Case<'_>) {
    let Some(observed) = &case.observed else {
        return;
    };
    if case.mapping.carried_spent.is_some() {
        return;
    }
    if observed.spent == case.source.time.spent {
        // Of a pair, without what came from there.
        case.mapping.carried_spent = Some(own_time(observed.spent, case.back.carried_in));
    } else {
        case.notice(Notice::TimeUnknown);
    }
}

/// Which labels are ours on an issue that was found again: those that one of our users put on last.
async fn own_labels(case: &mut Case<'_>) -> Result<(), SyncError> {
    let Some(observed) = &case.observed else {
        return Ok(());
    };
    if !case.mapping.owned_labels.is_empty() || observed.labels.is_empty() {
        return Ok(());
    }
    let Some(target) = &case.mapping.target else {
        return Ok(());
    };
    let end = &case.link.target;
    let events = end
        .client
        .label_events(end.project.id, target.iid)
        .await
        .on(Side::Target)?;
    let ours = case.cx.store.our_users(end.instance).await?;
    let mut owned = BTreeSet::new();
    for event in events {
        let Some(label) = event.label else { continue };
        if event.add && event.user.is_some_and(|user| ours.contains(&user)) {
            owned.insert(label);
        } else {
            owned.remove(&label);
        }
    }
    owned.retain(|label| observed.labels.contains(label));
    case.mapping.owned_labels = owned;
    Ok(())
}
