//! Steps on the issue itself.

use super::{
    super::{case::Case, edits, lookup, preserve},
    assignees, echo,
    refusal::refuses_type,
};
use crate::{
    SyncError,
    error::{On, Side},
};
use chrono::{DateTime, Utc};
use mirror_core::{
    desired::Observed,
    ids::{Iid, ProjectId},
    issue::{Issue, IssueType, Label, State},
    mapping::{Intended, Intent},
    merge::Base,
    outcome::SkipReason,
    plan::{IssueEdit, NewIssue, expected},
    preserve::Preserve,
};
use mirror_gitlab::{Client, Error, ErrorKind, Fate, IssueChange, StateEvent};
use mirror_store::{StoreError, TargetFact};
use std::collections::BTreeSet;

/// A label that another job is making, or has made, at the same time is not made twice.
pub(crate) async fn create_label(case: &Case<'_>, label: &Label) -> Result<(), SyncError> {
    let labels = &case.cx.target_labels;
    if !labels.claim(case.link, &label.title).await {
        return Ok(());
    }
    let target = &case.link.target;
    match target.client.create_label(target.project.id, label).await {
        Ok(_) => Ok(()),
        // Then the issue brings it, in the default colour; or that is refused and noticed.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::Forbidden | ErrorKind::Validation { .. }
            ) =>
        {
            Ok(())
        }
        Err(source) => {
            labels.unclaim(case.link, &label.title).await;
            Err(SyncError::GitLab {
                side: Side::Target,
                source,
            })
        }
    }
}

/// Intent, send, record. `Some`: it could not be kept confidential, and holds nothing.
pub(crate) async fn create(
    case: &mut Case<'_>,
    mut new: NewIssue,
) -> Result<Option<SkipReason>, SyncError> {
    let cx = case.cx;
    let marks = cx.store.mirror(case.link.mirror).await?.watermarks;
    let since = cx.facts.before_anything_new(case.link.mirror, marks.target);
    if case.open.as_ref().is_some_and(preserve::is_numbered) {
        // It may still land, unless this one takes its number.
        new.iid = Some(case.iid());
    }
    let what = Intended::Issue {
        since,
        numbered: new.iid.is_some(),
        asked: edits::to_be_created(case.link, &new),
    };
    let mut intent = case.intent(what).await?;
    let mut answer = match preserve::made_before(case, &new).await? {
        Some(found) => Ok(found),
        None => send(case, &mut new).await?,
    };
    if let Some(taken) = new.iid.filter(|_| preserve::is_taken(&answer)) {
        match preserve::by_whom(case, taken).await? {
            preserve::Holder::Ourselves(found) => answer = Ok(*found),
            preserve::Holder::Another if case.link.settings.preserve == Preserve::Require => {
                return preserve::refuse(case, &intent, taken).await;
            }
            preserve::Holder::Another => {
                intent = preserve::renounce(case, &intent).await?;
                new.iid = None;
                answer = send(case, &mut new).await?;
            }
        }
    }
    let echo = match answer {
        Ok(echo) => echo,
        Err(error) => after_failed_create(case, &intent, error).await?,
    };
    created(case, &intent, &new, &echo).await?;
    if new.confidential && !echo.confidential {
        return unhidden(case).await;
    }
    if new.confidential && !case.target.confidential_proven {
        case.learn(TargetFact::ConfidentialProven(true)).await?;
    }
    Ok(None)
}

async fn send(case: &mut Case<'_>, new: &mut NewIssue) -> Result<Result<Issue, Error>, SyncError> {
    let (client, project) = target(case);
    let answer = client.create_issue(project, &wire(new)).await;
    match answer {
        Err(error) if refuses_type(&error, new) => {
            case.dropped("issue_type").await?;
            new.issue_type = IssueType::Issue;
            Ok(client.create_issue(project, &wire(new)).await)
        }
        answer => Ok(answer),
    }
}

pub(super) fn target<'a>(case: &Case<'a>) -> (&'a Client, ProjectId) {
    (&case.link.target.client, case.link.target.project.id)
}

fn wire(new: &NewIssue) -> mirror_gitlab::NewIssue {
    mirror_gitlab::NewIssue {
        title: new.title.clone(),
        description: new.description.clone(),
        labels: new.labels.clone(),
        due_date: new.due_date,
        confidential: new.confidential,
        weight: new.weight,
        issue_type: (new.issue_type != IssueType::Issue).then(|| new.issue_type.clone()),
        assignees: new.assignees.iter().map(|account| account.id).collect(),
        iid: new.iid,
        created_at: new.created_at,
    }
}

/// The issue that the failed create made all the same, or the error.
async fn after_failed_create(
    case: &mut Case<'_>,
    intent: &Intent,
    error: Error,
) -> Result<Issue, SyncError> {
    let Intended::Issue { since, .. } = intent.what else {
        return Err(SyncError::GitLab {
            side: Side::Target,
            source: error,
        });
    };
    if error.outcome_unknown()
        && let Some(found) = lookup::issue(case.cx, case.link, &case.hop(), since).await?
    {
        return Ok(found);
    }
    Err(unsuccessful(case, intent, error).await?)
}

/// What a create that left nothing behind comes to: decided, and its intent is forgotten; or it may
/// still land.
pub(super) async fn unsuccessful(
    case: &Case<'_>,
    intent: &Intent,
    error: Error,
) -> Result<SyncError, SyncError> {
    match error.fate() {
        Fate::NotSent | Fate::Decided if !intent.resent => {
            case.cx
                .store
                .drop_intent(&case.lease.fence, intent.id)
                .await?;
            Ok(SyncError::GitLab {
                side: Side::Target,
                source: error,
            })
        }
        // Sent before without an answer: the first one may be what is still to be looked for.
        Fate::NotSent | Fate::Decided => Ok(SyncError::GitLab {
            side: Side::Target,
            source: error,
        }),
        // Whatever became of it, sent again it is there once.
        Fate::Unknown if preserve::is_numbered(intent) => Ok(SyncError::GitLab {
            side: Side::Target,
            source: error,
        }),
        Fate::Unknown => {
            let until = case.link.settings.lands_by(intent);
            Ok(SyncError::MayStillLand { until })
        }
    }
}

async fn created(
    case: &mut Case<'_>,
    intent: &Intent,
    new: &NewIssue,
    echo: &Issue,
) -> Result<(), SyncError> {
    case.mapping.owned_assignees = assignees::owned(&new.assignees, echo);
    case.observe(echo);
    case.done.created = true;
    let there: BTreeSet<&String> = echo.labels.iter().collect();
    case.mapping.owned_labels = new
        .labels
        .iter()
        .filter(|title| there.contains(title))
        .cloned()
        .collect();
    case.mapping.carried_spent = Some(0);
    let shown = Observed::from(echo);
    case.mapping.base = Some(Base::created(&expected(new), &shown));
    case.cx.target_labels.add(case.link, &echo.labels).await;
    let store = &case.cx.store;
    let recorded = store
        .record_issue_created(&case.lease.fence, &case.mapping, Some(intent.id))
        .await;
    if let Err(StoreError::Fenced) = recorded {
        // Known only here, and needed by whoever holds the work by now.
        store.intent_answered(intent.id, echo.iid.0).await?;
    }
    recorded?;
    echo::of_create(case, new, echo).await
}

/// A confidential create came out public. It is hidden now; where that fails too, it is emptied.
async fn unhidden(case: &mut Case<'_>) -> Result<Option<SkipReason>, SyncError> {
    let reason = restrict(case).await?;
    if reason.is_some() {
        let known = case.known(None);
        let scrub = IssueChange {
            title: Some(mirror_core::plan::NEUTRAL_TITLE.to_owned()),
            description: Some(known.neutral_description),
            ..IssueChange::default()
        };
        change(case, scrub).await?;
    }
    Ok(reason)
}

/// Hides the issue, and makes sure that it is hidden.
pub(crate) async fn restrict(case: &mut Case<'_>) -> Result<Option<SkipReason>, SyncError> {
    let hide = IssueChange {
        confidential: Some(true),
        ..IssueChange::default()
    };
    let echo = change(case, hide).await?;
    case.learn(TargetFact::ConfidentialProven(echo.confidential))
        .await?;
    Ok(
        (!echo.confidential).then(|| SkipReason::ConfidentialNotProven {
            why:
                "the target left the issue public; give its token's user the Planner (or Reporter) \
              role"
                    .to_owned(),
        }),
    )
}

/// Opens the issue, unless others wrote on it while it was hidden: whether that may become public
/// is for a person to say.
pub(crate) async fn open(case: &mut Case<'_>) -> Result<(), SyncError> {
    let Some(iid) = target_iid(case) else {
        return Ok(());
    };
    let ours = case.cx.store.our_users(case.link.target.instance).await?;
    let threads = lookup::threads(case.link, iid).await?;
    let strangers = threads
        .iter()
        .flat_map(|thread| &thread.notes)
        .any(|note| !note.system && !ours.contains(&note.author.id));
    if strangers {
        return Err(SyncError::PersonNeeded(format!(
            "the source is public now, but others commented on target issue #{iid} while it was \
             confidential; read them, then make #{iid} public there by hand"
        )));
    }
    let show = IssueChange {
        confidential: Some(false),
        ..IssueChange::default()
    };
    change(case, show).await?;
    Ok(())
}

pub(crate) fn target_iid(case: &Case<'_>) -> Option<Iid> {
    case.mapping.target.as_ref().map(|target| target.iid)
}

/// Which labels and assignees will be ours is recorded before they are put on: afterwards nobody
/// could tell.
pub(crate) async fn update(case: &mut Case<'_>, edit: IssueEdit) -> Result<(), SyncError> {
    assignees::look_again(case, &edit).await?;
    let there = case
        .observed
        .as_ref()
        .map(|observed| observed.labels.clone())
        .unwrap_or_default();
    let absent = edit
        .add_labels
        .iter()
        .filter(|title| !there.contains(*title))
        .cloned();
    let owned = case.mapping.owned_labels.len();
    case.mapping.owned_labels.extend(absent);
    let more_people = assignees::own(case, &edit.assign);
    if more_people || case.mapping.owned_labels.len() > owned {
        case.record_mapping().await?;
    }
    let everybody = assignees::everybody(case, &edit);
    let echo = change(
        case,
        IssueChange {
            title: edit.title.clone(),
            description: edit.description.clone(),
            add_labels: edit.add_labels.clone(),
            remove_labels: edit.remove_labels.clone(),
            due_date: edit.due_date,
            weight: edit.weight,
            issue_type: edit.issue_type.clone(),
            locked: edit.locked,
            assignees: everybody,
            ..IssueChange::default()
        },
    )
    .await?;
    case.mapping
        .owned_labels
        .retain(|title| echo.labels.contains(title));
    case.cx.target_labels.add(case.link, &echo.labels).await;
    echo::of_update(case, &edit, &echo).await
}

/// Closes or reopens.
pub(crate) async fn set_state(case: &mut Case<'_>, state: State) -> Result<(), SyncError> {
    let echo = change(
        case,
        IssueChange {
            state_event: Some(StateEvent::from(state)),
            ..IssueChange::default()
        },
    )
    .await?;
    if echo.state != state {
        case.dropped("state").await?;
    }
    Ok(())
}

/// Closes as of the time its original was closed, which GitLab takes from the time of the change.
pub(crate) async fn close_as_of(
    case: &mut Case<'_>,
    closed_at: DateTime<Utc>,
) -> Result<(), SyncError> {
    let echo = change(
        case,
        IssueChange {
            state_event: Some(StateEvent::Close),
            updated_at: Some(closed_at),
            ..IssueChange::default()
        },
    )
    .await?;
    if echo.state != State::Closed {
        case.dropped("state").await?;
    } else if !preserve::same(echo.closed_at, closed_at) {
        case.dropped("closed_at").await?;
    }
    Ok(())
}

async fn change(case: &mut Case<'_>, change: IssueChange) -> Result<Issue, SyncError> {
    let (client, project) = target(case);
    let Some(iid) = target_iid(case) else {
        return Err(SyncError::PersonNeeded(
            "there is no target issue to change".to_owned(),
        ));
    };
    if let Some(before) = &case.observed {
        let asked = edits::asked(before, &change);
        let (cx, mapping) = (case.cx, &mut case.mapping);
        edits::about_to_send(cx, case.lease, case.link, mapping, (before, &asked)).await?;
    }
    let echo = client
        .update_issue(project, iid, &change)
        .await
        .on(Side::Target)?;
    let shown = Observed::from(&echo);
    case.disturbed |= case
        .observed
        .as_ref()
        .is_some_and(|before| echo::shows_anothers_edit(before, &change, &shown));
    case.observe(&echo);
    Ok(echo)
}
