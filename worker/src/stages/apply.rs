//! Sends a plan's steps, one after the other, and reads every echo.

mod comment;
mod comment_change;
mod echo;
mod issue;
mod thread;
mod time;

pub(crate) use comment_change::{DELETED_THERE, left_out};
pub(crate) use thread::{RESOLVED_THREADS, resolved};

use super::{case::Case, settle};
use crate::{
    SyncError,
    error::{On, Side},
};
use mirror_core::{
    desired::Desired,
    labels::scope,
    outcome::SkipReason,
    plan::{Plan, Step},
};
use mirror_store::TargetFact;
use std::collections::{BTreeSet, VecDeque};

/// Sends the steps. `Some`: the issue had to be left as it is, for a reason that a person can read.
pub(crate) async fn steps(
    case: &mut Case<'_>,
    desired: &Desired,
    steps: Vec<Step>,
) -> Result<Option<SkipReason>, SyncError> {
    let mut steps = VecDeque::from(steps);
    let mut left = case.link.settings.comments_at_once;
    while let Some(step) = steps.pop_front() {
        let mut may = case.still_fresh().await;
        if may.is_ok() {
            may = case.cx.may_write(case.lease);
        }
        if let Err(error) = may {
            comment::drop_prepared_intent(case).await?;
            return Err(error);
        }
        case.done.changed = true;
        match step {
            Step::TransferUpload { .. } => {}
            Step::CreateLabel(label) => issue::create_label(case, &label).await?,
            Step::CreateIssue(new) => {
                if let Some(reason) = issue::create(case, new).await? {
                    return Ok(Some(reason));
                }
            }
            Step::Restrict => {
                if let Some(reason) = issue::restrict(case).await? {
                    return Ok(Some(reason));
                }
            }
            Step::UpdateIssue(edit) => issue::update(case, edit).await?,
            Step::SetState(state) => issue::set_state(case, state).await?,
            Step::SetTimeEstimate(seconds) => time::set_estimate(case, seconds).await?,
            Step::AddSpentTime(step) => time::add_spent_time(case, step).await?,
            Step::CreateNote(note) => {
                left = left.saturating_sub(1);
                // The intent of the next one is opened with this one's record, but not across a
                // pause.
                let next = steps.front().filter(|_| left > 0);
                comment::create(case, desired, note, next).await?;
                let more = || steps.iter().any(|step| matches!(step, Step::CreateNote(_)));
                if left == 0 && more() {
                    comment::drop_prepared_intent(case).await?;
                    return Err(SyncError::MoreToCome);
                }
            }
            Step::UpdateNote {
                source_note,
                target_note,
                body,
            } => {
                comment_change::update(case, desired, source_note, target_note, &body).await?;
            }
            Step::DeleteNote {
                source_note,
                target_note,
            } => comment_change::delete(case, source_note, target_note).await?,
            Step::WithdrawNote {
                source_note,
                target_note,
                body,
            } => comment_change::withdraw(case, source_note, target_note, &body).await?,
            Step::SetResolved {
                discussion,
                resolved,
            } => thread::set_resolved(case, desired, &discussion, resolved).await?,
            Step::Open => issue::open(case).await?,
            // Of issues that are there none is deleted; see `vanished`.
            Step::DeleteIssue => {}
        }
    }
    comment::drop_unused_intents(case).await?;
    comment::record_compared(case, desired).await?;
    thread::record_compared(case, desired).await?;
    Ok(None)
}

/// Reads what the target shows, where a difference is to be computed: the issue, and after lost
/// state or for a full comparison its comments too.
pub(crate) async fn read_target(case: &mut Case<'_>, desired: &Desired) -> Result<(), SyncError> {
    let Some(target) = &case.mapping.target else {
        return Ok(());
    };
    let iid = target.iid;
    if case.observed.is_none() {
        let found = match settle::read(case, iid).await {
            Err(SyncError::GitLab { source, .. })
                if *source.kind() == mirror_gitlab::ErrorKind::NotFound =>
            {
                // Project and token are checked first, by whoever gets this error.
                crate::jobs::check_instance::run(case.cx, case.link, Side::Target).await?;
                return Err(SyncError::PersonNeeded(format!(
                    "target issue #{iid} is gone; it is not made again by itself"
                )));
            }
            found => found?,
        };
        if found.moved_to_id.is_some() {
            return Err(SyncError::PersonNeeded(format!(
                "target issue #{iid} was moved to another project; it is not written to any more"
            )));
        }
        case.observe(&found);
    }
    if case.mapping.fingerprint.is_some() {
        return Ok(());
    }
    let target = case.mapping.target.as_ref();
    let some = !desired.notes.is_empty() || target.is_some_and(|target| target.notes_count > 0);
    let adopted = case.notes.is_empty() && some && !case.done.created;
    let unknown = case
        .notes
        .values()
        .any(|note| note.target_note.is_some() && note.fingerprint.is_none());
    if (adopted || unknown) && case.bodies.is_empty() {
        for found in settle::notes_on_target(case).await? {
            let mapped = case
                .notes
                .get(&found.source_note)
                .and_then(|note| note.target_note);
            let wanted = desired
                .notes
                .iter()
                .find(|note| note.source_note == found.source_note);
            if mapped.is_some() {
                continue;
            }
            // One whose original is not there any more is taken in too, and goes the way of it.
            let source_note = found.source_note;
            settle::adopt_note(case, None, found).await?;
            if let (Some(wanted), Some(note)) = (wanted, case.notes.get_mut(&source_note)) {
                note.source_discussion.clone_from(&wanted.discussion);
            }
        }
    }
    own_labels_after_adoption(case).await
}

/// Which labels are ours on an issue that was found again: those that one of our users put on last.
async fn own_labels_after_adoption(case: &mut Case<'_>) -> Result<(), SyncError> {
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

/// The target's labels, where the issue brings one that it does not carry yet.
pub(crate) async fn target_labels(
    case: &Case<'_>,
    desired: &Desired,
) -> Result<Option<BTreeSet<String>>, SyncError> {
    let there = case.observed.as_ref().map(|observed| &observed.labels);
    let brings = desired
        .labels
        .iter()
        .any(|label| !there.is_some_and(|there| there.contains(&label.title)));
    if !brings {
        return Ok(there.cloned());
    }
    Ok(Some(
        case.cx.target_labels.all(case.link, &case.cx.clock).await?,
    ))
}

/// In a plan: what the steps would have changed for the issues after this one.
pub(crate) async fn pretend(case: &Case<'_>, plan: &Plan) -> Result<(), SyncError> {
    let target = &case.link.target;
    for step in &plan.steps {
        let fact = match step {
            Step::CreateLabel(label) => {
                case.cx.target_labels.claim(case.link, &label.title).await;
                continue;
            }
            Step::CreateIssue(new) => {
                case.cx.target_labels.add(case.link, &new.labels).await;
                if !new.confidential {
                    continue;
                }
                TargetFact::ConfidentialProven(true)
            }
            Step::CreateNote(note) if note.neutral_first => TargetFact::InternalProven(true),
            Step::TransferUpload { .. }
            | Step::Restrict
            | Step::UpdateIssue(_)
            | Step::SetState(_)
            | Step::SetTimeEstimate(_)
            | Step::AddSpentTime(_)
            | Step::CreateNote(_)
            | Step::UpdateNote { .. }
            | Step::DeleteNote { .. }
            | Step::WithdrawNote { .. }
            | Step::SetResolved { .. }
            | Step::Open
            | Step::DeleteIssue => continue,
        };
        case.cx
            .store
            .record_target_fact(target.instance, target.project.id, &fact)
            .await?;
    }
    Ok(())
}

/// Whether another label of the same scope took this one's place.
fn lost_to_its_scope(title: &str, there: &BTreeSet<String>) -> bool {
    scope(title).is_some_and(|lost| there.iter().any(|kept| scope(kept) == Some(lost)))
}
