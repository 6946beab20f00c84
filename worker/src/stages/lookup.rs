//! Finds copies of ours on the target by their markers. An answer of "not there" is proven: a
//! failed or unproven look is an error, never an absence.

use super::ascending::Ascending;
use crate::{
    Context, SyncError,
    error::{On, Side},
    jobs::check_instance,
    link::Link,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, NoteId, UserId},
    issue::{Discussion, Issue},
    provenance::{Found, Hop},
};
use mirror_gitlab::{ErrorKind, IssueQuery, Sort};
use std::collections::BTreeSet;

/// A target issue, read afresh; `None`: it is not there, and the project is readable.
pub(crate) async fn on_target(
    cx: &Context,
    link: &Link,
    iid: Iid,
) -> Result<Option<Issue>, SyncError> {
    let target = &link.target;
    match target.client.issue(target.project.id, iid).await {
        Err(error) if *error.kind() == ErrorKind::NotFound => {
            // So it would seem where the whole project became unreadable.
            check_instance::run(cx, link, Side::Target).await?;
            Ok(None)
        }
        found => Ok(Some(found.on(Side::Target)?.value)),
    }
}

/// The target's copy of a source issue, if a create of ours has taken effect since `since` (by the
/// target's own clock; `None` is ever). Of several the lowest id.
pub(crate) async fn issue(
    cx: &Context,
    link: &Link,
    original: &Hop,
    since: Option<DateTime<Utc>>,
) -> Result<Option<Issue>, SyncError> {
    let ours = cx.store.our_users(link.target.instance).await?;
    let target = &link.target;
    // What has just been created is among the newest.
    let newest = IssueQuery {
        updated_after: since,
        sort: Sort::Desc,
        ..IssueQuery::default()
    };
    let page = target
        .client
        .issues(target.project.id, &newest)
        .await
        .on(Side::Target)?;
    let whole = page.next_page.is_none();
    if whole && page.issues.is_empty() {
        // A list that may not be read is empty, too, and proves no absence.
        check_instance::readable(cx, link, Side::Target).await?;
    }
    let found = of_ours(link, original, &ours, page.issues).min_by_key(|issue| issue.id);
    if found.is_some() || whole {
        return Ok(found);
    }
    let all = issues(cx, link, original, since).await?;
    Ok(all.into_iter().min_by_key(|issue| issue.id))
}

/// All copies of a source issue that were changed on the target since then.
pub(crate) async fn issues(
    cx: &Context,
    link: &Link,
    original: &Hop,
    since: Option<DateTime<Utc>>,
) -> Result<Vec<Issue>, SyncError> {
    let ours = cx.store.our_users(link.target.instance).await?;
    let target = &link.target;
    let query = IssueQuery {
        updated_after: since,
        ..IssueQuery::default()
    };
    let mut rows = Ascending::new(&target.client, target.project.id, query);
    let mut found = Vec::new();
    while let Some(batch) = rows.next().await.on(Side::Target)? {
        found.extend(of_ours(link, original, &ours, batch.issues));
    }
    Ok(found)
}

fn of_ours<'a>(
    link: &'a Link,
    original: &'a Hop,
    ours: &'a BTreeSet<UserId>,
    issues: Vec<Issue>,
) -> impl Iterator<Item = Issue> + 'a {
    issues
        .into_iter()
        .filter(|issue| ours.contains(&issue.author.id))
        .filter(|issue| is_copy(link, original, &issue.description))
}

/// Whether a body is the copy of this original, written for this mirror's target.
pub(crate) fn is_copy(link: &Link, original: &Hop, body: &str) -> bool {
    Found::in_body(body).is_some_and(|found| {
        found.marker.is_copy_of(
            original,
            &link.target.name,
            link.target.project.id,
            |a, b| link.same_name(a, b),
        )
    })
}

/// A comment of ours on the target, and what it is the copy of.
#[derive(Clone, Debug)]
pub(crate) struct FoundNote {
    pub(crate) source_note: NoteId,
    pub(crate) target_note: NoteId,
    pub(crate) discussion: String,
    pub(crate) body: String,
    /// Nobody has edited it.
    pub(crate) untouched: bool,
}

/// All comments on a target issue.
pub(crate) async fn threads(link: &Link, target_iid: Iid) -> Result<Vec<Discussion>, SyncError> {
    let target = &link.target;
    let listed = target
        .client
        .discussions(target.project.id, target_iid)
        .await;
    Ok(listed.on(Side::Target)?.value)
}

/// The comments among `threads` that are copies of notes of `issue`, lowest id first.
pub(crate) async fn notes(
    cx: &Context,
    link: &Link,
    issue: &Hop,
    threads: &[Discussion],
) -> Result<Vec<FoundNote>, SyncError> {
    let ours = cx.store.our_users(link.target.instance).await?;
    let mut found = Vec::new();
    for thread in threads {
        for note in thread
            .notes
            .iter()
            .filter(|note| ours.contains(&note.author.id))
        {
            let claimed = Found::in_body(&note.body);
            let source_note = claimed.and_then(|found| found.marker.path.last()?.note);
            let Some(source_note) = source_note else {
                continue;
            };
            let original = Hop {
                note: Some(source_note),
                ..issue.clone()
            };
            if is_copy(link, &original, &note.body) {
                found.push(FoundNote {
                    source_note,
                    target_note: note.id,
                    discussion: thread.id.clone(),
                    body: note.body.clone(),
                    untouched: note.updated_at == note.created_at,
                });
            }
        }
    }
    found.sort_by_key(|note| note.target_note);
    Ok(found)
}
