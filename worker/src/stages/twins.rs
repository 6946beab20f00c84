//! A create without an answer is sent again only after it can no longer land; should it land all
//! the same, there are two. Here the second one is found and put out of action.

use super::lookup;
use crate::{
    Context, SyncError,
    error::{On, Side},
    events::{Event, Notice},
    lease::Lease,
    link::Link,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, NoteId},
    mapping::{Intended, Intent},
    project::Role,
    provenance::{Found, Kind, Marker},
};
use mirror_gitlab::{ErrorKind, IssueChange, StateEvent};
use mirror_store::Twin;
use std::collections::BTreeSet;

/// After a walk of the target: settles the creates that were sent twice and can no longer land.
/// `left_over` are copies that the walk found beside the mapped ones. One that no double send of
/// ours explains is somebody's clone: an ordinary issue, left alone.
pub(crate) async fn settle(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    left_over: &[Twin],
) -> Result<(), SyncError> {
    if cx.plans_only() {
        return Ok(());
    }
    for intent in cx.store.twin_watch(link.mirror).await? {
        if cx.store.now() < link.settings.lands_by(&intent) {
            continue;
        }
        match intent.what {
            Intended::Issue { since, .. } => {
                for twin in second_issues(cx, link, &intent, since, left_over).await? {
                    disarm(cx, lease, link, (intent.source_iid, twin)).await?;
                }
            }
            Intended::Note { source_note } => {
                delete_second_note(cx, lease, link, &intent, source_note).await?;
            }
            // A second sending of time is not retried before the total has been read.
            Intended::Time { .. } => {}
        }
        cx.store.drop_intent(&lease.fence, intent.id).await?;
    }
    Ok(())
}

/// Copies of an issue beside the mapped one. An earlier walk may have come past them, before it was
/// known that the create was sent twice for good.
async fn second_issues(
    cx: &Context,
    link: &Link,
    intent: &Intent,
    since: Option<DateTime<Utc>>,
    left_over: &[Twin],
) -> Result<BTreeSet<Iid>, SyncError> {
    let ours = left_over.iter();
    let ours = ours.filter(|twin| twin.source_iid == intent.source_iid);
    let mut found: BTreeSet<Iid> = ours.map(|twin| twin.other_iid).collect();
    let iid = intent.source_iid;
    let Some(mapping) = cx.store.issue_mapping(link.mirror, iid).await? else {
        return Ok(found);
    };
    let original = link.original(mapping.source_id, iid);
    if let Some(mapped) = &mapping.target {
        let all = lookup::issues(cx, link, &original, since).await?;
        let others = all.into_iter().map(|issue| issue.iid);
        found.extend(others.filter(|other| *other != mapped.iid));
    }
    Ok(found)
}

/// Deletes a duplicate issue; where that is not allowed it loses its text and its marker, and is
/// closed.
async fn disarm(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    (of, twin): (Iid, Iid),
) -> Result<(), SyncError> {
    let target = &link.target;
    let project = target.project.id;
    cx.may_write(lease)?;
    let deleted = if target.project.role >= Some(Role::OWNER) {
        match target.client.delete_issue(project, twin).await {
            Ok(()) => true,
            Err(error) if *error.kind() == ErrorKind::NotFound => true,
            Err(error) if *error.kind() == ErrorKind::Forbidden => false,
            Err(source) => {
                return Err(SyncError::GitLab {
                    side: Side::Target,
                    source,
                });
            }
        }
    } else {
        false
    };
    if !deleted {
        let other = target.client.issue(project, twin).await.on(Side::Target)?;
        let Some(found) = Found::in_body(&other.value.description) else {
            return Ok(());
        };
        let notice = Marker {
            kind: Kind::Notice,
            ..found.marker
        }
        .line(&cx.key);
        let change = IssueChange {
            title: Some("Duplicate of a mirrored issue".to_owned()),
            description: Some(format!(
                "{notice}\n\nA request that arrived late made this duplicate. It can be deleted."
            )),
            state_event: Some(StateEvent::Close),
            ..IssueChange::default()
        };
        target
            .client
            .update_issue(project, twin, &change)
            .await
            .on(Side::Target)?;
    }
    let notice = Notice::TwinDisarmed { target_iid: twin };
    cx.events.emit(Event::Notice(link.mirror, of, notice));
    Ok(())
}

async fn delete_second_note(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    intent: &Intent,
    source_note: NoteId,
) -> Result<(), SyncError> {
    let mapping = cx
        .store
        .issue_mapping(link.mirror, intent.source_iid)
        .await?;
    let Some(mapping) = mapping else {
        return Ok(());
    };
    let Some(target) = &mapping.target else {
        return Ok(());
    };
    let notes = cx
        .store
        .note_mappings(link.mirror, intent.source_iid)
        .await?;
    let kept = notes
        .iter()
        .find(|note| note.source_note == source_note)
        .and_then(|note| note.target_note);
    let Some(kept) = kept else { return Ok(()) };
    let threads = lookup::threads(link, target.iid).await?;
    let issue = link.original(mapping.source_id, intent.source_iid);
    for note in lookup::notes(cx, link, &issue, &threads).await? {
        if note.source_note == source_note && note.target_note != kept {
            cx.may_write(lease)?;
            let client = &link.target.client;
            let project = link.target.project.id;
            match client
                .delete_note(project, target.iid, note.target_note)
                .await
            {
                Err(error) if *error.kind() == ErrorKind::NotFound => {}
                done => done.on(Side::Target)?,
            }
        }
    }
    Ok(())
}
