//! Rows that a listing brought. A listing carries whole issues, so a job that runs soon after needs
//! no request of its own; after a minute a row is stale, since the issue may have become
//! confidential meanwhile, and is read again, in batches.

use crate::{Context, SyncError, each::Each, error::On, error::Side, link::Link};
use chrono::{DateTime, Utc};
use mirror_core::{
    discover::OVERLAP,
    ids::{Iid, MirrorId},
    issue::Issue,
    job::Job,
    mapping::SourceRead,
};
use mirror_gitlab::{ErrorKind, IssueQuery};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a row may be used.
pub(crate) const LIFE: Duration = Duration::from_secs(60);
/// Rows read again in one request. Their numbers stand in the query, which has its limits.
const BATCH: usize = 50;
/// Bytes of text kept at most, so that a large project does not fill the memory.
const ROOM: usize = 64 * 1024 * 1024;

/// A source issue as read lately.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    pub(crate) issue: Issue,
    /// The instance's own clock when it was read.
    pub(crate) read_at: DateTime<Utc>,
    /// When it was taken, by the clock that never jumps.
    pub(crate) taken: Duration,
}

impl Fresh {
    /// What is recorded of this read.
    pub(crate) fn read(&self) -> SourceRead {
        SourceRead {
            read_at: self.read_at,
            updated_at: self.issue.updated_at,
            notes_count: self.issue.user_notes_count,
        }
    }
}

/// Rows that listings brought.
#[derive(Default)]
pub struct Facts {
    rows: Mutex<Rows>,
    fetching: Each<MirrorId, ()>,
    echoes: Mutex<HashMap<MirrorId, DateTime<Utc>>>,
}

#[derive(Default)]
struct Rows {
    by_issue: HashMap<(MirrorId, Iid), Fresh>,
    bytes: usize,
}

impl Rows {
    fn drop_stale(&mut self, now: Duration) {
        self.by_issue
            .retain(|_, row| now.saturating_sub(row.taken) < LIFE);
        self.bytes = self.by_issue.values().map(|row| weight(&row.issue)).sum();
    }
}

fn weight(issue: &Issue) -> usize {
    issue.description.len() + issue.title.len() + 1024
}

impl Facts {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a row for the job that will need it, if there is room.
    pub(crate) fn keep(
        &self,
        mirror: MirrorId,
        issue: Issue,
        read_at: DateTime<Utc>,
        taken: Duration,
    ) {
        let mut rows = self.rows();
        let weight = weight(&issue);
        if rows.bytes + weight > ROOM {
            rows.drop_stale(taken);
        }
        if rows.bytes + weight <= ROOM {
            rows.bytes += weight;
            rows.by_issue.insert(
                (mirror, issue.iid),
                Fresh {
                    issue,
                    read_at,
                    taken,
                },
            );
        }
    }

    /// The target showed a change of this time, by its own clock.
    pub(crate) fn echoed(&self, mirror: MirrorId, at: DateTime<Utc>) {
        let mut echoes = self.echoes.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = echoes.entry(mirror).or_insert(at);
        *latest = at.max(*latest);
    }

    /// A time, by the target's own clock, that lies safely before anything sent from now on.
    pub(crate) fn before_anything_new(
        &self,
        mirror: MirrorId,
        watermark: Option<DateTime<Utc>>,
    ) -> Option<DateTime<Utc>> {
        let echoes = self.echoes.lock().unwrap_or_else(PoisonError::into_inner);
        let echo = echoes.get(&mirror).map(|at| *at - OVERLAP);
        echo.max(watermark)
    }

    fn take(&self, mirror: MirrorId, iid: Iid, now: Duration) -> Option<Fresh> {
        let mut rows = self.rows();
        let row = rows.by_issue.remove(&(mirror, iid))?;
        rows.bytes = rows.bytes.saturating_sub(weight(&row.issue));
        (now.saturating_sub(row.taken) < LIFE).then_some(row)
    }
}

/// The source issue, at most a minute old. `None`: the token does not see it.
pub(crate) async fn fresh(cx: &Context, link: &Link, iid: Iid) -> Result<Option<Fresh>, SyncError> {
    if let Some(row) = cx.facts.take(link.mirror, iid, cx.clock.monotonic()) {
        return Ok(Some(row));
    }
    // One at a time, so that of a mirror's many jobs in need the first reads for all of them.
    let one_by_one = cx.facts.fetching.lock(link.mirror).await;
    if let Some(row) = cx.facts.take(link.mirror, iid, cx.clock.monotonic()) {
        return Ok(Some(row));
    }
    read_batch(cx, link, iid).await?;
    drop(one_by_one);
    match cx.facts.take(link.mirror, iid, cx.clock.monotonic()) {
        Some(row) => Ok(Some(row)),
        None => again(cx, link, iid).await,
    }
}

async fn read_batch(cx: &Context, link: &Link, iid: Iid) -> Result<(), SyncError> {
    let mut iids = vec![iid];
    let limit = u32::try_from(BATCH).unwrap_or(u32::MAX);
    for row in cx.store.unfinished(link.mirror, limit).await? {
        if let Some(Job::SyncIssue { iid, .. }) = Job::from_key(&row.key)
            && !iids.contains(&iid)
            && iids.len() < BATCH
        {
            iids.push(iid);
        }
    }
    let taken = cx.clock.monotonic();
    let query = IssueQuery {
        iids,
        with_label_details: true,
        ..IssueQuery::default()
    };
    let page = link
        .source
        .client
        .issues(link.source.project.id, &query)
        .await
        .on(Side::Source)?;
    let read_at = page.clock.unwrap_or_else(|| cx.store.now());
    for issue in page.issues {
        cx.facts.keep(link.mirror, issue, read_at, taken);
    }
    Ok(())
}

/// The source issue, as it is this moment.
pub(crate) async fn again(cx: &Context, link: &Link, iid: Iid) -> Result<Option<Fresh>, SyncError> {
    let taken = cx.clock.monotonic();
    let query = IssueQuery {
        iids: vec![iid],
        with_label_details: true,
        ..IssueQuery::default()
    };
    let page = link
        .source
        .client
        .issues(link.source.project.id, &query)
        .await
        .on(Side::Source)?;
    let read_at = page.clock.unwrap_or_else(|| cx.store.now());
    if let Some(issue) = page.issues.into_iter().find(|issue| issue.iid == iid) {
        return Ok(Some(Fresh {
            issue,
            read_at,
            taken,
        }));
    }
    // A list leaves out what it must not show; only a 404 of the issue itself says that it is not
    // to be seen.
    match link.source.client.issue(link.source.project.id, iid).await {
        Ok(found) => {
            let read_at = found.clock.unwrap_or(read_at);
            Ok(Some(Fresh {
                issue: found.value,
                read_at,
                taken,
            }))
        }
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SyncError::GitLab {
            side: Side::Source,
            source,
        }),
    }
}
