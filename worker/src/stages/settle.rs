//! Creates that were under way when their answer, or their process, was lost.

use super::{
    case::Case,
    lookup::{self, FoundNote},
    people, preserve,
};
use crate::{
    Context, SyncError,
    error::{On, Side},
    events::Notice,
    lease::Lease,
};
use mirror_core::{
    desired::Observed,
    ids::{Iid, NoteId},
    issue::Issue,
    mapping::{Intended, Intent, IssueMapping, NoteMapping},
    merge::{self, Base},
};

/// Settles what an earlier attempt left open: what took effect is adopted, what is absent and may
/// still land is waited for, what can land no more is sent again under the same intent.
pub(crate) async fn open_creates(case: &mut Case<'_>) -> Result<(), SyncError> {
    let intents = case.cx.store.intents(case.link.mirror, case.iid()).await?;
    for intent in intents {
        match intent.what.clone() {
            Intended::Issue { since, .. } => {
                if let Some(target) = &case.mapping.target {
                    // The walk of the target adopted it.
                    let iid = target.iid;
                    let found = read(case, iid).await?;
                    adopt_issue(case, &intent, &found).await?;
                    continue;
                }
                match lookup::issue(case.cx, case.link, &case.hop(), since).await? {
                    Some(found) => adopt_issue(case, &intent, &found).await?,
                    None => wait_or_send_again(case, intent)?,
                }
            }
            Intended::Note { source_note } => match find_note(case, source_note).await? {
                Some(found) => adopt_note(case, Some(&intent), found).await?,
                None => wait_or_send_again(case, intent)?,
            },
            Intended::Time { step, before } => {
                time(case, &intent, step, before).await?;
            }
        }
    }
    Ok(())
}

/// What may still take effect is waited for, so that it is never there twice.
pub(crate) fn wait_or_send_again(case: &mut Case<'_>, intent: Intent) -> Result<(), SyncError> {
    let until = case.link.settings.lands_by(&intent);
    if case.cx.plans_only() {
        // Reading is all that a plan does: it shows the create as due.
        return Ok(());
    }
    if case.cx.store.now() < until && !preserve::is_numbered(&intent) {
        return Err(SyncError::MayStillLand { until });
    }
    case.open = Some(intent);
    Ok(())
}

/// A create whose answer was lost has been found by a walk of the target. No job of this issue will
/// settle it, and if it was sent twice, the other one may turn up.
pub(crate) async fn found_by_a_walk(
    cx: &Context,
    lease: &Lease,
    mapping: &IssueMapping,
) -> Result<(), SyncError> {
    let (store, fence) = (&cx.store, &lease.fence);
    for intent in store.intents(mapping.mirror, mapping.source_iid).await? {
        if let Intended::Issue { .. } = intent.what {
            store
                .record_issue_created(fence, mapping, Some(intent.id))
                .await?;
        }
    }
    Ok(())
}

/// The target issue, read afresh.
async fn read(case: &Case<'_>, iid: Iid) -> Result<Issue, SyncError> {
    let target = &case.link.target;
    Ok(target
        .client
        .issue(target.project.id, iid)
        .await
        .on(Side::Target)?
        .value)
}

/// What both sides were when the issue was sent; `None`: somebody may have edited it since.
fn as_sent(intent: &Intent, found: &Issue, observed: &Observed) -> Option<Base> {
    match &intent.what {
        _ if found.updated_at == found.created_at => Some(Base::untouched(observed)),
        Intended::Issue { asked, .. } => Some(Base::clone(asked.as_ref()?).found(observed)),
        Intended::Note { .. } | Intended::Time { .. } => None,
    }
}

/// Takes an issue as the one that the intent was about.
pub(crate) async fn adopt_issue(
    case: &mut Case<'_>,
    intent: &Intent,
    found: &Issue,
) -> Result<(), SyncError> {
    case.observe(found);
    case.mapping.fingerprint = None;
    if case.mapping.base.is_none() {
        let observed = case.observed.as_ref();
        case.mapping.base = observed.and_then(|observed| as_sent(intent, found, observed));
    }
    case.mapping.carried_spent = case.mapping.carried_spent.or(Some(0));
    people::own(case, found);
    case.done.created = true;
    if !case.cx.plans_only() {
        let store = &case.cx.store;
        store
            .record_issue_created(&case.lease.fence, &case.mapping, Some(intent.id))
            .await?;
    }
    Ok(())
}

async fn find_note(
    case: &mut Case<'_>,
    source_note: NoteId,
) -> Result<Option<FoundNote>, SyncError> {
    let found = notes_on_target(case).await?;
    Ok(found
        .into_iter()
        .find(|note| note.source_note == source_note))
}

/// Reads the target's comments, keeps their bodies for comparison, and returns those of ours.
pub(crate) async fn notes_on_target(case: &mut Case<'_>) -> Result<Vec<FoundNote>, SyncError> {
    let Some(target) = &case.mapping.target else {
        return Ok(Vec::new());
    };
    let threads = lookup::threads(case.link, target.iid).await?;
    let found = lookup::notes(case.cx, case.link, &case.hop(), &threads).await?;
    case.bodies = threads
        .iter()
        .flat_map(|thread| &thread.notes)
        .map(|note| (note.id, note.body.clone()))
        .collect();
    case.there = Some(threads);
    Ok(found)
}

/// Takes a comment as the copy of its source; it is compared with what it should be later.
pub(crate) async fn adopt_note(
    case: &mut Case<'_>,
    intent: Option<&Intent>,
    found: FoundNote,
) -> Result<(), SyncError> {
    let known = case.notes.get(&found.source_note);
    let mapping = NoteMapping {
        source_note: found.source_note,
        source_discussion: known
            .map(|note| note.source_discussion.clone())
            .unwrap_or_default(),
        target_note: Some(found.target_note),
        target_discussion: Some(found.discussion),
        fingerprint: None,
        skipped: None,
        base: known.and_then(|note| note.base.clone()).or_else(|| {
            // What was sent, and stands as it was: it follows.
            found.untouched.then(|| merge::unedited(&found.body))
        }),
    };
    case.bodies.insert(found.target_note, found.body);
    if !case.cx.plans_only() {
        let (store, fence) = (&case.cx.store, &case.lease.fence);
        let intent = intent.map(|intent| intent.id);
        store
            .record_note(fence, case.link.mirror, case.iid(), &mapping, intent, None)
            .await?;
    }
    case.notes.insert(mapping.source_note, mapping);
    Ok(())
}

/// Logged time has no marker: the total tells, and where somebody else logged time meanwhile, the
/// lines that GitLab wrote about it.
/// Returns whether it was logged; if not, and it can land no more, the intent is forgotten.
pub(crate) async fn time(
    case: &mut Case<'_>,
    intent: &Intent,
    step: i64,
    before: i64,
) -> Result<bool, SyncError> {
    let Some(target) = &case.mapping.target else {
        return Ok(false);
    };
    let iid = target.iid;
    let found = read(case, iid).await?;
    case.observe(&found);
    let landed = if found.time.spent == before + step {
        true
    } else if found.time.spent == before {
        false
    } else {
        time_was_logged(case, iid, step, intent).await?
    };
    if landed {
        let carried = case.mapping.carried_spent.unwrap_or(0) + step;
        case.mapping.carried_spent = Some(carried);
        if !case.cx.plans_only() {
            let store = &case.cx.store;
            store
                .record_time(
                    &case.lease.fence,
                    case.link.mirror,
                    case.iid(),
                    carried,
                    intent.id,
                )
                .await?;
        }
        return Ok(true);
    }
    let until = case.link.settings.lands_by(intent);
    if case.cx.store.now() < until && !case.cx.plans_only() {
        return Err(SyncError::MayStillLand { until });
    }
    if !case.cx.plans_only() {
        // It can land no more; the next difference is computed afresh.
        case.cx
            .store
            .drop_intent(&case.lease.fence, intent.id)
            .await?;
    }
    Ok(false)
}

/// Whether one of our users logged time since shortly before the intent was sent. The instance's
/// clock and ours may differ by the overlap that every look back allows for.
async fn time_was_logged(
    case: &Case<'_>,
    iid: Iid,
    step: i64,
    intent: &Intent,
) -> Result<bool, SyncError> {
    let target = &case.link.target;
    let lines = target
        .client
        .system_notes_desc(target.project.id, iid)
        .await
        .on(Side::Target)?;
    let ours = case.cx.store.our_users(target.instance).await?;
    let verb = if step < 0 { "subtracted" } else { "added" };
    let skew = lines
        .clock
        .map_or_else(chrono::TimeDelta::zero, |clock| clock - case.cx.store.now());
    let since = intent.sent_at + skew - chrono::TimeDelta::seconds(2);
    let logged = lines.value.iter().any(|line| {
        ours.contains(&line.author.id)
            && line.created_at >= since
            && line.body.contains(verb)
            && line.body.contains("time spent")
    });
    if !logged {
        case.notice(Notice::TimeUnknown);
    }
    Ok(logged)
}
