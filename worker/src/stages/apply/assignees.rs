//! Who is assigned. GitLab takes whole lists only, so those who stay are sent along.

use super::{
    super::{case::Case, lookup, people},
    issue::target_iid,
};
use crate::SyncError;
use mirror_core::{
    ids::UserId,
    issue::Issue,
    people::Account,
    plan::{IssueEdit, SEVERAL_ASSIGNEES},
    project::Role,
};
use std::{collections::BTreeSet, time::Duration};

/// What the target showed longer ago is looked at again before a list is made of it: whoever was
/// assigned meanwhile would be taken off.
const FRESH: Duration = Duration::from_secs(5);

/// Looks at the target again, where somebody is to be assigned and the last look is not fresh.
pub(super) async fn look_again(case: &mut Case<'_>, edit: &IssueEdit) -> Result<(), SyncError> {
    let age = case.cx.clock.monotonic().saturating_sub(case.observed_at);
    if edit.assign.is_empty() && edit.unassign.is_empty() || age < FRESH {
        return Ok(());
    }
    let Some(iid) = target_iid(case) else {
        return Ok(());
    };
    if let Some(found) = lookup::on_target(case.cx, case.link, iid).await? {
        case.observe(&found);
    }
    Ok(())
}

/// Everybody who is to be assigned afterwards, the target's own people first; `None`: nobody is to be
/// assigned or taken off.
pub(super) fn everybody(case: &Case<'_>, edit: &IssueEdit) -> Option<Vec<UserId>> {
    if edit.assign.is_empty() && edit.unassign.is_empty() {
        return None;
    }
    let there = case.observed.as_ref().map(|observed| &observed.assignees);
    let there = there.into_iter().flatten().map(|(user, _)| *user);
    let leaves = |user: &UserId| edit.unassign.iter().any(|account| account.id == *user);
    let mut list: Vec<UserId> = there.filter(|user| !leaves(user)).collect();
    for account in &edit.assign {
        if !list.contains(&account.id) {
            list.push(account.id);
        }
    }
    Some(list)
}

/// Whoever is not assigned yet will be ours. Returns whether that is new.
pub(super) fn own(case: &mut Case<'_>, assign: &[Account]) -> bool {
    let there = case.observed.as_ref().map(|observed| &observed.assignees);
    let is_there = |user: &UserId| there.is_some_and(|there| there.contains_key(user));
    let new = assign.iter().map(|account| account.id);
    let new: Vec<UserId> = new.filter(|user| !is_there(user)).collect();
    let owned = case.mapping.owned_assignees.len();
    case.mapping.owned_assignees.extend(new);
    case.mapping.owned_assignees.len() > owned
}

/// Of those asked for on a new issue the ones who are assigned; all are ours.
pub(super) fn owned(asked: &[Account], echo: &Issue) -> BTreeSet<UserId> {
    let there = echo.assignees.iter().map(|user| user.id);
    there
        .filter(|user| asked.iter().any(|account| account.id == *user))
        .collect()
}

/// Compares an answer with what was asked: whom the target did not take is told of by a label.
pub(super) async fn answered(
    case: &mut Case<'_>,
    asked: &IssueEdit,
    echo: &Issue,
) -> Result<(), SyncError> {
    let there: BTreeSet<UserId> = echo.assignees.iter().map(|user| user.id).collect();
    let asked_for = |user: &UserId| {
        let mut people = asked.assign.iter().chain(&asked.unassign);
        people.any(|account| account.id == *user)
    };
    // Others may have been taken off; see `people::forget`.
    let owned = &mut case.mapping.owned_assignees;
    owned.retain(|user| there.contains(user) || !asked_for(user));
    let stay = asked
        .unassign
        .iter()
        .any(|account| there.contains(&account.id));
    if stay {
        case.people.learnt = true;
        return case.dropped("assignees").await;
    }
    if there.len() > 1 {
        case.taken(SEVERAL_ASSIGNEES).await?;
    }
    if !asked.unassign.is_empty() {
        case.taken("assignees").await?;
    }
    for account in &asked.assign {
        if !there.contains(&account.id) {
            // What is true of the others the next answer shows.
            return learn(case, account, there.len()).await;
        }
        people::taken(case, account).await?;
    }
    Ok(())
}

/// A member who is missing beside one other is one too many; anybody else is not let be assigned.
async fn learn(case: &mut Case<'_>, account: &Account, assigned: usize) -> Result<(), SyncError> {
    let (cx, link) = (case.cx, case.link);
    let role = cx.accounts.role(link, &cx.clock, account.id).await?;
    let one_too_many = assigned == 1 && role >= Some(Role::GUEST);
    if !one_too_many || case.known(None).dropped.contains(SEVERAL_ASSIGNEES) {
        return people::refused(case, account).await;
    }
    case.people.learnt = true;
    case.dropped(SEVERAL_ASSIGNEES).await
}
