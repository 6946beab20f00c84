//! Issues that the mirror's rules do not take, or take no more.

use super::{
    apply::{self, issue},
    case::Case,
    lookup,
};
use crate::{SyncError, events::Event};
use mirror_core::{
    desired::Observed,
    gone::leaving,
    mapping::MappingStatus,
    outcome::{Outcome, SkipReason},
    plan::{Plan, Step},
    rules::{Outside, WhenLeft},
};

/// The condition that keeps the issue out; `None`: it is one of those that the mirror takes.
pub(crate) fn outside(case: &Case<'_>) -> Option<Outside> {
    let filter = &case.link.settings.rules.filter;
    if case.mapping.target.is_none() {
        return filter.keeps_out(&case.source);
    }
    match filter.when_left() {
        WhenLeft::Follow => None,
        WhenLeft::Stop | WhenLeft::Close => filter.has_left(&case.source),
    }
}

/// Leaves the issue out. Nothing more of it crosses to a copy that it has; but what became
/// confidential is hidden there, too.
pub(crate) async fn leave(mut case: Case<'_>, outside: Outside) -> Result<Outcome, SyncError> {
    let why = outside.to_string();
    // What was left open is proven absent, and can land no more.
    apply::drop_unused_intents(&mut case).await?;
    if case.mapping.target.is_none() {
        return case.skip(SkipReason::OutsideFilter { why }).await;
    }
    let closed = case.link.settings.rules.filter.when_left() == WhenLeft::Close;
    let steps = last_steps(&mut case, closed).await?;
    if case.cx.plans_only() && !steps.is_empty() {
        case.cx.events.emit(Event::Planned {
            mirror: case.link.mirror,
            iid: case.iid(),
            plan: Plan { steps },
            confidential: case.source.confidential,
        });
        return Ok(Outcome::Updated);
    }
    for step in steps {
        if let Some(reason) = send(&mut case, step).await? {
            return case.skip(reason).await;
        }
    }
    // Should it come back, it is compared field by field.
    case.mapping.fingerprint = None;
    case.skip(SkipReason::LeftFilter { why, closed }).await
}

/// What the copy is sent for the last time. It is closed once: what the target's people do with it
/// afterwards is their affair.
async fn last_steps(case: &mut Case<'_>, close: bool) -> Result<Vec<Step>, SyncError> {
    let close = close && !was_closed(case);
    if !close && !case.source.confidential {
        return Ok(Vec::new());
    }
    let Some(iid) = issue::target_iid(case) else {
        return Ok(Vec::new());
    };
    let Some(there) = lookup::on_target(case.cx, case.link, iid).await? else {
        return Ok(Vec::new());
    };
    if there.moved_to_id.is_some() {
        return Ok(Vec::new());
    }
    case.observe(&there);
    let shown = Observed::from(&there);
    Ok(leaving(case.source.confidential, close, &shown))
}

fn was_closed(case: &Case<'_>) -> bool {
    match &case.mapping.status {
        MappingStatus::Skipped(reason) => SkipReason::tells_of_closing(reason),
        MappingStatus::Pending
        | MappingStatus::Synced
        | MappingStatus::Blocked(_)
        | MappingStatus::Failed(_) => false,
    }
}

async fn send(case: &mut Case<'_>, step: Step) -> Result<Option<SkipReason>, SyncError> {
    case.still_fresh().await?;
    case.cx.may_write(case.lease)?;
    case.done.changed = true;
    match step {
        Step::Restrict => return issue::restrict(case).await,
        Step::UpdateIssue(edit) => issue::update(case, edit).await?,
        Step::SetState(state) => issue::set_state(case, state).await?,
        Step::TransferUpload { .. }
        | Step::CreateLabel(_)
        | Step::CreateIssue(_)
        | Step::CloseAsOf(_)
        | Step::SetTimeEstimate(_)
        | Step::AddSpentTime(_)
        | Step::CreateNote(_)
        | Step::UpdateNote { .. }
        | Step::DeleteNote { .. }
        | Step::WithdrawNote { .. }
        | Step::SetResolved { .. }
        | Step::CreateLink { .. }
        | Step::RemoveLink { .. }
        | Step::Open
        | Step::DeleteIssue => {}
    }
    Ok(None)
}
