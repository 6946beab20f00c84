//! Copies that keep the number and the times of their originals. A number that was asked for is
//! also a proof: the same create sent twice makes one issue, and the second is refused.

use super::{
    case::Case,
    lookup::{self, is_copy},
};
use crate::{Context, SyncError, events::Notice, link::Link};
use chrono::{DateTime, SubsecRound, Utc};
use mirror_core::{
    ids::Iid,
    issue::{Issue, State},
    mapping::{Intended, Intent},
    outcome::SkipReason,
    plan::NewIssue,
    preserve::{Kept, Preserve},
};
use mirror_gitlab::{Conflict, Error, ErrorKind};
use mirror_store::TargetFact;

/// What the target is asked to keep, which is nothing but for a first import by an Owner.
pub(crate) async fn ask(case: &mut Case<'_>) -> Result<(), SyncError> {
    let target = &case.link.target;
    let preserve = case.link.settings.preserve;
    let first_import = case.mapping.target.is_none() || case.mapping.read.is_none();
    if preserve == Preserve::Never || !first_import {
        return Ok(());
    }
    if !target.is_owners() {
        return match preserve {
            Preserve::Require => Err(SyncError::AtFault {
                reason: format!(
                    "`--preserve require`, but the target token's user is no Owner of {} and can set \
                     neither number nor time; make it Owner, or take `--preserve auto`",
                    target.project.path
                ),
            }),
            Preserve::Auto | Preserve::Never => Ok(()),
        };
    }
    case.kept = Kept {
        iid: true,
        created_at: true,
        closed_at: case.source.state == State::Closed && !dates_would_hide_it(case).await?,
    };
    Ok(())
}

/// A time of change that lies back keeps an issue out of the lists of what changed lately. Where
/// another mirror reads them it would miss the issue; and we would, after a record from a backup,
/// unless its number finds it again.
async fn dates_would_hide_it(case: &Case<'_>) -> Result<bool, SyncError> {
    let target = &case.link.target;
    let numbered = case
        .mapping
        .target
        .as_ref()
        .map_or_else(|| !case.ever_dropped(NUMBER), |copy| copy.iid == case.iid());
    if !numbered {
        return Ok(true);
    }
    let store = &case.cx.store;
    Ok(store.is_source(target.instance, target.project.id).await?)
}

/// GitLab's name for the number.
pub(super) const NUMBER: &str = "iid";

/// Numbers are asked for no more, as if the target did not take them; that stays while token, role and
/// version do.
fn not_ours_alone(link: &Link) -> TargetFact {
    TargetFact::Dropped {
        field: NUMBER.to_owned(),
        stamp: link.target.capabilities(),
    }
}

/// The target holds an issue that is no copy under its original's number. Asked for a number it would
/// refuse one sooner or later, in the middle of a run.
pub(super) async fn number_no_more(cx: &Context, link: &Link) -> Result<(), SyncError> {
    if link.settings.preserve != Preserve::Auto {
        return Ok(());
    }
    let target = &link.target;
    let (instance, project) = (target.instance, target.project.id);
    let known = cx.store.target_facts(instance, project).await?;
    let stamp = target.capabilities();
    if known
        .dropped
        .get(NUMBER)
        .is_some_and(|known| known.stamp == stamp)
    {
        return Ok(());
    }
    let fact = not_ours_alone(link);
    Ok(cx
        .store
        .record_target_fact(instance, project, &fact)
        .await?)
}

/// Whether two times are the same to GitLab, which keeps milliseconds in its answers.
pub(super) fn same(shown: Option<DateTime<Utc>>, asked: DateTime<Utc>) -> bool {
    shown.is_some_and(|shown| shown.trunc_subsecs(3) == asked.trunc_subsecs(3))
}

/// Whether a create asked for its original's number.
pub(super) fn is_numbered(intent: &Intent) -> bool {
    matches!(intent.what, Intended::Issue { numbered: true, .. })
}

/// Whether the answer says that the number is taken.
pub(super) fn is_taken(answer: &Result<Issue, Error>) -> bool {
    let kind = answer.as_ref().err().map(Error::kind);
    matches!(kind, Some(ErrorKind::Conflict(Conflict::DuplicateIid)))
}

/// Who has a number on the target.
pub(super) enum Holder {
    /// The copy that was to get it: an earlier create took effect.
    Ourselves(Box<Issue>),
    /// Another issue; or a work item that is none.
    Another,
}

/// Who has this number on the target.
pub(super) async fn by_whom(case: &Case<'_>, number: Iid) -> Result<Holder, SyncError> {
    let (cx, link) = (case.cx, case.link);
    let ours = cx.store.our_users(link.target.instance).await?;
    let found = lookup::on_target(cx, link, number).await?;
    let copy = found.filter(|found| {
        ours.contains(&found.author.id) && is_copy(link, &case.hop(), &found.description)
    });
    Ok(copy.map_or(Holder::Another, |copy| Holder::Ourselves(Box::new(copy))))
}

/// The copy that stands under its original's number, where numbers are not asked for any more: it was
/// made while they were, and the record of it was lost. A time of change that was set would keep it
/// out of every list of what is new.
pub(super) async fn made_before(
    case: &Case<'_>,
    new: &NewIssue,
) -> Result<Option<Issue>, SyncError> {
    if !case.kept.iid || new.iid.is_some() {
        return Ok(None);
    }
    Ok(match by_whom(case, case.iid()).await? {
        Holder::Ourselves(found) => Some(*found),
        Holder::Another => None,
    })
}

/// The issue is not made: its number is taken.
pub(super) async fn refuse(
    case: &Case<'_>,
    intent: &Intent,
    taken: Iid,
) -> Result<Option<SkipReason>, SyncError> {
    let store = &case.cx.store;
    store.drop_intent(&case.lease.fence, intent.id).await?;
    Ok(Some(SkipReason::NumberTaken {
        target_iid: taken.0,
    }))
}

/// A number is taken, so that the project is not ours alone: from now on its issues get the numbers
/// that come. Nothing sent with the number can land any more.
pub(super) async fn renounce(case: &mut Case<'_>, intent: &Intent) -> Result<Intent, SyncError> {
    case.notice(Notice::NumberTaken);
    case.learn(not_ours_alone(case.link)).await?;
    case.kept.closed_at = false;
    let store = &case.cx.store;
    store.drop_intent(&case.lease.fence, intent.id).await?;
    let mut what = intent.what.clone();
    if let Intended::Issue { numbered, .. } = &mut what {
        *numbered = false;
    }
    case.intent(what).await
}
