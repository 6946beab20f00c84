//! Sends a plan's steps, one after the other, and reads every echo.

mod assignees;
mod comment;
mod comment_change;
mod echo;
pub(crate) mod issue;
mod refusal;
mod thread;
mod time;

pub(crate) use comment::{drop_unused_intents, record_note};
pub(crate) use comment_change::{DELETED_THERE, left_out};
pub(crate) use thread::{RESOLVED_THREADS, resolved};

use super::{case::Case, found_again, issue_links, lookup, people};
use crate::{SyncError, events::Notice};
use futures_util::FutureExt;
use mirror_core::{
    desired::Desired,
    issue::Discussion,
    issue_links::KnownLink,
    labels::scope,
    outcome::SkipReason,
    plan::{self, NewNote, Plan, Step},
};
use mirror_store::TargetFact;
use std::collections::{BTreeSet, VecDeque};

/// Sends the steps. `Some`: the issue had to be left as it is, for a reason that a person can read.
pub(crate) async fn steps(
    case: &mut Case<'_>,
    desired: &Desired,
    steps: Vec<Step>,
) -> Result<Option<SkipReason>, SyncError> {
    let mut steps = steps;
    loop {
        // Kept on the heap: it holds what every kind of step needs.
        let reason = Box::pin(send(case, desired, VecDeque::from(steps))).await?;
        if reason.is_some() {
            return Ok(reason);
        }
        if !std::mem::take(&mut case.people.learnt) {
            break;
        }
        steps = reassign(case, desired).await?;
    }
    people::forget(case, desired);
    drop_unused_intents(case).await?;
    comment::record_compared(case, desired).await?;
    thread::record_compared(case, desired).await?;
    Ok(None)
}

/// Whom the target does not let be assigned is told of by a label.
async fn reassign(case: &Case<'_>, desired: &Desired) -> Result<Vec<Step>, SyncError> {
    let wanted = people::wanted(case, case.edits.merged_or(desired));
    let labels = target_labels(case, &wanted).await?;
    let observed = case.observed.as_ref();
    Ok(observed.map_or_else(Vec::new, |observed| {
        plan::reassign(&wanted, observed, &case.known(labels))
    }))
}

async fn send(
    case: &mut Case<'_>,
    desired: &Desired,
    mut steps: VecDeque<Step>,
) -> Result<Option<SkipReason>, SyncError> {
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
        if writes_cut_text(&step, desired) {
            case.notice(Notice::TextCut);
        }
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
            Step::CloseAsOf(at) => issue::close_as_of(case, at).await?,
            Step::SetTimeEstimate(seconds) => time::set_estimate(case, seconds).await?,
            Step::AddSpentTime(step) => time::add_spent_time(case, step).await?,
            Step::CreateNote(note) => {
                left = left.saturating_sub(1);
                // The intent of the next one is opened with this one's record, but not across a
                // pause.
                let next = steps.front().filter(|_| left > 0);
                comment::create(case, desired, note, next).boxed().await?;
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
            Step::CreateLink { other, kind } => issue_links::create(case, other, kind).await?,
            Step::RemoveLink { other } => issue_links::remove(case, other).await?,
            Step::Open => issue::open(case).await?,
            // Of issues that are there none is deleted; see `vanished`.
            Step::DeleteIssue => {}
        }
    }
    Ok(None)
}

fn writes_cut_text(step: &Step, desired: &Desired) -> bool {
    let text = match step {
        Step::CreateIssue(_) => None,
        Step::UpdateIssue(edit) if edit.description.is_some() => None,
        Step::CreateNote(NewNote { source_note, .. }) | Step::UpdateNote { source_note, .. } => {
            Some(*source_note)
        }
        Step::TransferUpload { .. }
        | Step::CreateLabel(_)
        | Step::Restrict
        | Step::UpdateIssue(_)
        | Step::SetState(_)
        | Step::CloseAsOf(_)
        | Step::SetTimeEstimate(_)
        | Step::AddSpentTime(_)
        | Step::DeleteNote { .. }
        | Step::WithdrawNote { .. }
        | Step::SetResolved { .. }
        | Step::CreateLink { .. }
        | Step::RemoveLink { .. }
        | Step::Open
        | Step::DeleteIssue => return false,
    };
    desired.cut.contains(&text)
}

/// Reads what the target shows of the issue itself, if there is one and nothing showed it yet. `Some`:
/// its people have moved it away, so nothing more is written on it.
pub(crate) async fn look_at_target(case: &mut Case<'_>) -> Result<Option<SkipReason>, SyncError> {
    let Some(target) = case
        .mapping
        .target
        .as_ref()
        .filter(|_| case.observed.is_none())
    else {
        return Ok(None);
    };
    let iid = target.iid;
    let Some(found) = lookup::on_target(case.cx, case.link, iid).await? else {
        return Err(SyncError::PersonNeeded(format!(
            "target issue #{iid} is gone; it is not made again by itself"
        )));
    };
    if found.moved_to_id.is_some() {
        let target_iid = iid.0;
        return Ok(Some(SkipReason::TargetMoved { target_iid }));
    }
    case.observe(&found);
    Ok(None)
}

/// Reads what the target shows, where a difference is to be computed: the issue, and after lost
/// state or for a full comparison its comments too. `Some`: as [`look_at_target`].
pub(crate) async fn read_target(
    case: &mut Case<'_>,
    threads: &[Discussion],
) -> Result<Option<SkipReason>, SyncError> {
    if case.mapping.target.is_none() {
        return Ok(None);
    }
    let moved = look_at_target(case).await?;
    if moved.is_none() && case.mapping.fingerprint.is_none() {
        found_again::comments(case, threads).await?;
    }
    Ok(moved)
}

/// The target's labels, where the issue brings one that it does not carry yet.
pub(crate) async fn target_labels(
    case: &Case<'_>,
    desired: &Desired,
) -> Result<Option<BTreeSet<String>>, SyncError> {
    let there = case.observed.as_ref().map(|observed| &observed.labels);
    let wanted = plan::labels(desired, case.observed.as_ref(), &case.known(None));
    let brings = wanted
        .iter()
        .any(|label| !there.is_some_and(|there| there.contains(&label.title)));
    if !brings {
        return Ok(there.cloned());
    }
    let all = case.cx.target_labels.all(case.link, &case.cx.clock).await?;
    if !case.link.settings.rules.labels.creates() && !desired.confidential {
        let missing = wanted.iter().filter(|label| !all.contains(&label.title));
        for label in missing {
            let title = label.title.clone();
            case.notice(Notice::LabelLeft { title });
        }
    }
    Ok(Some(all))
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
            Step::CreateLink { other, kind } => {
                let kind = *kind;
                issue_links::record(case, *other, KnownLink { kind, ours: true }).await?;
                continue;
            }
            Step::RemoveLink { other } => {
                issue_links::forget(case, *other).await?;
                continue;
            }
            Step::CreateNote(note) if note.neutral_first => TargetFact::InternalProven(true),
            Step::TransferUpload { .. }
            | Step::Restrict
            | Step::UpdateIssue(_)
            | Step::SetState(_)
            | Step::CloseAsOf(_)
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
