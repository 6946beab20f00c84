//! Finds the source issues that are due.

use super::{
    ascending::{Ascending, Batch},
    vanished::{self, SECOND_LOOK},
};
use crate::{
    Context, SyncError,
    error::{On, Side},
    events::Event,
    jobs::check_instance,
    lease::Lease,
    link::Link,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    discover::{THROTTLED_TOUCH, is_settled, watermark},
    ids::Iid,
    issue::Issue,
    job::{Job, Priority},
    mapping::{IssueMapping, MappingStatus},
    outcome::SkipReason,
};
use mirror_gitlab::{IssueQuery, Sort};
use mirror_store::{Owe, Watermarks};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

/// Owes every source issue that changed since the watermark, or whose last read may have missed a
/// change, and moves the watermark. Returns how many are due.
pub(crate) async fn run(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    marks: &Watermarks,
    full: bool,
) -> Result<u64, SyncError> {
    let mut walk = Walk {
        cx,
        lease,
        link,
        full,
        started: None,
        owed: 0,
        priority: Priority::Incremental,
        met: HashSet::new(),
    };
    if let Some(iid) = link.settings.only {
        walk.owe([iid], None).await?;
        return Ok(walk.owed);
    }
    let mut since = marks.source.filter(|_| !full);
    if since.is_none() {
        walk.priority = Priority::Backfill;
    }
    if !walk.newest_page_says_it_all(&mut since).await? {
        let query = IssueQuery {
            updated_after: since,
            with_label_details: true,
            ..IssueQuery::default()
        };
        let mut rows = Ascending::new(&link.source.client, link.source.project.id, query);
        while let Some(batch) = rows.next().await.on(Side::Source)? {
            walk.batch(batch).await?;
        }
    }
    if since.is_none() {
        walk.missing().await?;
    }
    walk.unsettled().await?;
    Ok(walk.owed)
}

struct Walk<'a> {
    cx: &'a Context,
    lease: &'a Lease,
    link: &'a Link,
    /// Everything is to be compared.
    full: bool,
    /// The instance's own clock at the first answer.
    started: Option<DateTime<Utc>>,
    owed: u64,
    priority: Priority,
    /// What the listing showed.
    met: HashSet<Iid>,
}

impl Walk<'_> {
    /// One request that often is the whole walk: the newest changes. It is, when they are all there
    /// are, or when they are as recorded and there are exactly as many since the watermark as are
    /// on record: then nothing new hides behind them.
    async fn newest_page_says_it_all(
        &mut self,
        since: &mut Option<DateTime<Utc>>,
    ) -> Result<bool, SyncError> {
        let query = IssueQuery {
            updated_after: *since,
            sort: Sort::Desc,
            with_label_details: true,
            ..IssueQuery::default()
        };
        let client = &self.link.source.client;
        let project = self.link.source.project.id;
        let mut page = match client.issues(project, &query).await {
            // The walk itself takes smaller pages.
            Err(error) if error.is_over_cap() => return Ok(false),
            page => page.on(Side::Source)?,
        };
        if let (Some(bound), Some(clock)) = (*since, page.clock)
            && clock < bound
        {
            // The instance's clock was set back: what is before the watermark may be new.
            *since = None;
            let query = IssueQuery {
                updated_after: None,
                ..query
            };
            page = client.issues(project, &query).await.on(Side::Source)?;
        }
        if page.issues.is_empty() && page.next_page.is_none() {
            // A list that may not be read is empty, too; taken for "nothing changed", it would
            // move the watermark past what has.
            check_instance::readable(self.cx, self.link, Side::Source).await?;
        }
        self.started = page.clock;
        let newest = page.issues.first().map(|issue| issue.updated_at);
        if page.next_page.is_none() {
            let mut issues = page.issues;
            issues.reverse();
            self.batch(Batch {
                issues,
                until: newest,
                clock: page.clock,
            })
            .await?;
            return Ok(true);
        }
        let (Some(bound), Some(total)) = (*since, page.total) else {
            return Ok(false);
        };
        let store = &self.cx.store;
        let recorded = store
            .mappings_seen_since(self.link.mirror, mirror_store::Side::Source, bound)
            .await?;
        let by_iid: HashMap<Iid, &IssueMapping> = recorded
            .iter()
            .map(|mapping| (mapping.source_iid, mapping))
            .collect();
        let known = |issue: &Issue| {
            by_iid
                .get(&issue.iid)
                .is_some_and(|mapping| !self.is_due(issue, Some(mapping)))
        };
        let all = u64::try_from(recorded.len()) == Ok(total) && page.issues.iter().all(known);
        Ok(all)
    }

    async fn batch(&mut self, batch: Batch) -> Result<(), SyncError> {
        self.cx.may_write(self.lease)?;
        let started = *self
            .started
            .get_or_insert_with(|| batch.clock.unwrap_or_else(|| self.cx.store.now()));
        let read_at = batch.clock.unwrap_or(started);
        let iids: Vec<Iid> = batch.issues.iter().map(|issue| issue.iid).collect();
        self.met.extend(&iids);
        let known = self
            .cx
            .store
            .issue_mappings_by_iid(self.link.mirror, &iids)
            .await?;
        let taken = self.cx.clock.monotonic();
        let mut due = Vec::new();
        for issue in batch.issues {
            if self.is_due(&issue, known.get(&issue.iid)) {
                due.push(issue.iid);
                self.cx.facts.keep(self.link.mirror, issue, read_at, taken);
            }
        }
        // In the order of their numbers, so that the copies are numbered alike.
        due.sort_unstable();
        self.owe(due, Some(watermark(batch.until, started))).await
    }

    fn is_due(&self, issue: &Issue, mapping: Option<&IssueMapping>) -> bool {
        let Some(mapping) = mapping else { return true };
        let settled = mapping
            .read
            .as_ref()
            .is_some_and(|read| is_settled(read, issue));
        match &mapping.status {
            MappingStatus::Synced => !settled || mapping.fingerprint.is_none(),
            MappingStatus::Skipped(reason) => {
                let asked_for = self.link.settings.include_closed
                    && *reason == SkipReason::ClosedBeforeFirstSync.to_string();
                !settled || self.full || asked_for
            }
            MappingStatus::Pending | MappingStatus::Blocked(_) | MappingStatus::Failed(_) => true,
        }
    }

    /// Nothing tells that an issue was deleted but a listing of everything that lacks it. Whether it
    /// is gone its own job finds out.
    async fn missing(&mut self) -> Result<(), SyncError> {
        let (store, mirror) = (&self.cx.store, self.link.mirror);
        let sight = vanished::sight(self.link);
        store.note_sight(&self.lease.fence, mirror, sight).await?;
        let mut missing = store.copied(mirror).await?;
        missing.retain(|iid| !self.met.contains(iid));
        if missing.is_empty() {
            return Ok(());
        }
        self.owe(missing, None).await
    }

    /// Within a minute of its last change an issue may change again without showing it: what was
    /// read that early is read once more.
    async fn unsettled(&mut self) -> Result<(), SyncError> {
        let slack = THROTTLED_TOUCH.to_std().unwrap_or(Duration::ZERO);
        let unsettled = self.cx.store.unsettled(self.link.mirror, slack).await?;
        self.owe(unsettled, None).await?;
        let missed_until = self.cx.store.now() - SECOND_LOOK;
        let looks = self.cx.store.second_looks(self.link.mirror, missed_until);
        let looks = looks.await?;
        if !looks.is_empty() {
            self.owe(looks, None).await?;
        }
        if self.link.settings.include_closed {
            // Left out by an earlier run that was not asked for them.
            let reason = SkipReason::ClosedBeforeFirstSync.to_string();
            let left_out = self.cx.store.skipped(self.link.mirror, &reason).await?;
            self.owe(left_out, None).await?;
        }
        Ok(())
    }

    async fn owe(
        &mut self,
        iids: impl IntoIterator<Item = Iid>,
        watermark: Option<DateTime<Utc>>,
    ) -> Result<(), SyncError> {
        let mirror = self.link.mirror;
        let by_hand = self.link.settings.only.is_some();
        let owes: Vec<Owe> = iids
            .into_iter()
            .map(|iid| Owe {
                job: Job::SyncIssue { mirror, iid },
                priority: if by_hand {
                    Priority::ByHand
                } else {
                    self.priority
                },
                run_at: None,
                changed: true,
            })
            .collect();
        self.cx
            .store
            .record_source_walk(&self.lease.fence, mirror, &owes, watermark)
            .await?;
        let owed = u64::try_from(owes.len()).unwrap_or(u64::MAX);
        self.owed += owed;
        self.cx.events.emit(Event::Found { mirror, owed });
        Ok(())
    }
}
