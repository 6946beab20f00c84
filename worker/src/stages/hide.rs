//! What is confidential is hidden on the target before anything else of it goes there.

use super::{
    apply::{self, issue},
    case::Case,
};
use crate::SyncError;
use mirror_core::{
    mapping::MappingStatus,
    outcome::SkipReason,
    people::People,
    plan::{Step, diff},
    project::Role,
    render::{There, render},
};
use tokio::sync::OwnedMutexGuard;

/// Sends the one step of a confidential issue's plan that goes ahead of all others: its copy is
/// hidden, or, as the first one on its target, made without a word of it. Comments are read and files
/// carried only then, which may take long. `Some`: it could not be hidden, and is left as it is. (A
/// plan tells of that step with the others.)
pub(crate) async fn first(case: &mut Case<'_>) -> Result<Option<SkipReason>, SyncError> {
    if !case.source.confidential {
        return Ok(None);
    }
    if let Some(reason) = not_to_be_trusted(case) {
        return Ok(Some(reason));
    }
    if case.cx.plans_only() || is_known_to_be_hidden(case) {
        return Ok(None);
    }
    let unproven = case.mapping.target.is_none() && !case.target.confidential_proven;
    let _proof = if unproven {
        Some(alone(case).await?)
    } else {
        None
    };
    if let Some(moved) = apply::look_at_target(case).await? {
        return Ok(Some(moved));
    }
    let Some(step) = ahead(case) else {
        return Ok(None);
    };
    case.still_fresh().await?;
    case.cx.may_write(case.lease)?;
    case.done.changed = true;
    match step {
        Step::CreateIssue(new) => issue::create(case, new).await,
        Step::Restrict => issue::restrict(case).await,
        Step::TransferUpload { .. }
        | Step::CreateLabel(_)
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
        | Step::CreateLink { .. }
        | Step::RemoveLink { .. }
        | Step::Open
        | Step::DeleteIssue => Ok(None),
    }
}

/// While the target has yet to prove that it keeps things hidden, jobs with hidden text go one by
/// one: the first proves it, the others find it proven.
pub(crate) async fn alone(case: &mut Case<'_>) -> Result<OwnedMutexGuard<()>, SyncError> {
    let target = &case.link.target;
    let (instance, project) = (target.instance, target.project.id);
    let guard = case.cx.proof.lock((instance, project)).await;
    case.target = case.cx.store.target_facts(instance, project).await?;
    Ok(guard)
}

/// Hidden text goes only where the token's role is known to suffice for hiding it.
fn not_to_be_trusted(case: &Case<'_>) -> Option<SkipReason> {
    let role = case.link.target.project.role;
    if role.is_some_and(|role| role >= Role::PLANNER) {
        return None;
    }
    let role = role.map_or("no role", Role::name);
    Some(SkipReason::ConfidentialNotProven {
        why: format!(
            "the target token's user has {role} there; Planner (or Reporter) is needed to hide it"
        ),
    })
}

/// It was in line when the source was as it is now, and nobody was seen to edit the copy since.
fn is_known_to_be_hidden(case: &Case<'_>) -> bool {
    let mapping = &case.mapping;
    let as_it_is = |at| at == case.source.updated_at;
    mapping.target.is_some()
        && mapping.status == MappingStatus::Synced
        && mapping.fingerprint.is_some()
        && mapping
            .read
            .as_ref()
            .is_some_and(|read| as_it_is(read.updated_at))
}

/// The first step of its plan, if that one goes ahead of the others.
fn ahead(case: &Case<'_>) -> Option<Step> {
    let nowhere = There {
        files: &|_| None,
        issues: &|_| None,
        moved: None,
        people: &People::default(),
    };
    let bare = render(&case.frame(), &case.source, &[], nowhere);
    let plan = diff(&bare, case.observed.as_ref(), &case.known(None));
    plan.steps.into_iter().next().filter(Step::goes_ahead)
}
