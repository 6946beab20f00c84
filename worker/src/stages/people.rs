//! Finds who people of the source are on the target.

use super::{case::Case, edits};
use crate::{SyncError, events::Notice};
use mirror_core::{
    desired::Desired,
    ids::UserId,
    issue::{Discussion, Issue},
    people::{Account, People},
    project::Role,
    render::people_named,
};
use mirror_store::TargetFact;
use std::collections::BTreeSet;

/// What is known of the people of an issue.
#[derive(Default)]
pub(crate) struct Known {
    /// Those whom the target does not let be assigned.
    pub(crate) not_assignable: BTreeSet<UserId>,
    /// Names of the rules that nobody has on the target: the source's and the target's.
    unknown: Vec<(String, String)>,
    /// An answer showed that somebody is not to be assigned.
    pub(crate) learnt: bool,
}

/// Looks up whom the rules name, of the people whom the issue and its comments name.
pub(crate) async fn find(case: &mut Case<'_>, threads: &[Discussion]) -> Result<People, SyncError> {
    let users = &case.link.settings.rules.users;
    if users.is_empty() {
        return Ok(People::default());
    }
    let (cx, link) = (case.cx, case.link);
    let mut found = Vec::new();
    let mut known = Known::default();
    for name in people_named(&case.frame(), &case.source, threads) {
        let Some(username) = users.target(&name) else {
            continue;
        };
        match cx.accounts.named(link, &cx.clock, username).await? {
            Some(account) => {
                if is_refused(case, account.id).await? {
                    known.not_assignable.insert(account.id);
                }
                found.push((name, account));
            }
            None => known.unknown.push((name, username.to_owned())),
        }
    }
    case.people = known;
    Ok(People::new(users.mentions(), found))
}

/// Whether the target, as it is and as somebody's role there is, was seen not to let them be assigned.
async fn is_refused(case: &Case<'_>, user: UserId) -> Result<bool, SyncError> {
    for field in [field(user, false), field(user, true)] {
        let concerned = case.source.confidential || !field.starts_with(CONFIDENTIAL);
        let Some(dropped) = case.target.dropped.get(&field).filter(|_| concerned) else {
            continue;
        };
        let role = case
            .cx
            .accounts
            .role(case.link, &case.cx.clock, user)
            .await?;
        if dropped.lately && dropped.stamp == stamp(case, role) {
            return Ok(true);
        }
    }
    Ok(false)
}

const CONFIDENTIAL: &str = "confidential_";

/// By what name it is recorded that somebody is not to be assigned; confidential issues are a matter
/// of their own.
fn field(user: UserId, confidential: bool) -> String {
    let kind = if confidential { CONFIDENTIAL } else { "" };
    format!("{kind}assignee:{user}")
}

/// Once this changes another try is worth it.
fn stamp(case: &Case<'_>, role: Option<Role>) -> String {
    let role = role.map_or(0, |role| role.0);
    format!("{}/{role}", case.link.target.capabilities())
}

/// The target lets somebody be assigned after all.
pub(crate) async fn taken(case: &mut Case<'_>, account: &Account) -> Result<(), SyncError> {
    for field in [field(account.id, false), field(account.id, true)] {
        if case.target.dropped.contains_key(&field) {
            case.learn(TargetFact::Taken { field }).await?;
        }
    }
    Ok(())
}

/// The target let somebody not be assigned: said once, and not fought while their role stays, but for
/// one try a day.
pub(crate) async fn refused(case: &mut Case<'_>, account: &Account) -> Result<(), SyncError> {
    let role = case
        .cx
        .accounts
        .role(case.link, &case.cx.clock, account.id)
        .await?;
    let stamp = stamp(case, role);
    let field = field(account.id, case.source.confidential);
    case.learn(TargetFact::Dropped { field, stamp }).await?;
    case.people.not_assignable.insert(account.id);
    case.people.learnt = true;
    if !case.source.confidential {
        case.notice(Notice::NotAssignable {
            username: account.username.clone(),
        });
    }
    Ok(())
}

/// Tells whom a label tells of although the rules have a map. Nothing is told of confidential issues.
pub(crate) fn tell(case: &Case<'_>) {
    let users = &case.link.settings.rules.users;
    if users.is_empty() || case.source.confidential {
        return;
    }
    for (from, to) in &case.people.unknown {
        case.notice(Notice::NoSuchUser {
            from: from.clone(),
            to: to.clone(),
        });
    }
    let unnamed = case.source.assignees.iter();
    for user in unnamed.filter(|user| users.target(&user.username).is_none()) {
        case.notice(Notice::NotInUserMap {
            username: user.username.clone(),
        });
    }
}

/// What the issue is to look like: where edits on the target are protected, nobody whom we assigned
/// and somebody took off is assigned again.
pub(crate) fn wanted(case: &Case<'_>, desired: &Desired) -> Desired {
    let mut wanted = desired.clone();
    let there = case
        .observed
        .as_ref()
        .filter(|_| edits::protects(case.link));
    if let Some(there) = there {
        let owned = &case.mapping.owned_assignees;
        let base = case.mapping.base.as_ref();
        wanted.assignees.retain(|assignee| {
            let user = assignee.account.id;
            let taken_off =
                || owned.contains(&user) && base.is_none_or(|base| base.has_assigned(user));
            there.assignees.contains_key(&user) || !taken_off()
        });
    }
    wanted
}

/// Whoever is not assigned any more is not ours. Where edits are protected that is remembered until the
/// source takes them off, too.
pub(crate) fn forget(case: &mut Case<'_>, desired: &Desired) {
    let there = case.observed.as_ref().map(|observed| &observed.assignees);
    let protects = edits::protects(case.link);
    case.mapping.owned_assignees.retain(|user| {
        let wanted = || desired.assignees.iter().any(|one| one.account.id == *user);
        there.is_none_or(|there| there.contains_key(user)) || (protects && wanted())
    });
}

/// On a copy that our own create is known to have made: those whom the rules name for the source's
/// assignees were assigned by it.
pub(crate) fn own(case: &mut Case<'_>, found: &Issue) {
    let users = &case.link.settings.rules.users;
    let ours = |username: &str| {
        let mut assignees = case.source.assignees.iter();
        assignees.any(|user| {
            let target = users.target(&user.username);
            target.is_some_and(|target| target.eq_ignore_ascii_case(username))
        })
    };
    let assigned = found.assignees.iter();
    let owned: BTreeSet<UserId> = assigned
        .filter(|user| ours(&user.username))
        .map(|user| user.id)
        .collect();
    case.mapping.owned_assignees.extend(owned);
}
