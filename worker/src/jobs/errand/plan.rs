//! Tells what a sync would send: the engine itself, in plan mode, on a copy of the mirror's record.
//! Its requests are this worker's, under the same limits; nothing it writes outlives it.

mod heard;

use crate::{
    Accounts, Context, Each, Facts, InHand, Link, Links, Mode, Planned, SyncError, TargetLabels,
    Transfers, execute, lease::Lease,
};
use chrono::TimeDelta;
use futures_util::{
    FutureExt,
    future::{BoxFuture, Either, select},
};
use heard::{Heard, count};
use mirror_core::{
    errand::ErrandReport,
    ids::{Iid, MirrorId},
    job::{Job, Priority, Ticket},
};
use mirror_store::{Claimed, RunFilter, RunKind, RunRequest, RunStatus};
use std::{collections::BTreeSet, pin::pin, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tracing::Instrument;

/// Jobs of a plan at once: it is one job beside the others of its worker.
const AT_ONCE: usize = 4;
/// So many issues are looked at; a plan is for people to read.
const MOST_ISSUES: usize = 500;
/// Jobs that a plan may take, scan and second looks included.
const MOST_JOBS: usize = 3 * MOST_ISSUES;
/// How long a plan may take in all.
const PATIENCE: Duration = Duration::from_secs(600);
/// How long something is waited for in place.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(60);
/// Times of the record are cut.
const A_MOMENT: Duration = Duration::from_millis(1);

/// Plans what is due, found by a scan as the next run would do it; or the issues asked for.
pub(super) async fn run(
    cx: &Context,
    lease: &Lease,
    mirror: MirrorId,
    iids: &[Iid],
) -> Result<ErrandReport, SyncError> {
    let link = cx.links.reach(mirror, true).await?;
    let full = iids.is_empty() && is_full(cx, mirror).await?;
    let heard = Arc::new(Heard::default());
    let apart = Apart {
        cx: Arc::new(apart(cx, &link, &heard).await?),
        mirror,
        asked: iids.iter().copied().collect(),
        heard,
    };
    apart.ask(full).await?;
    let in_time = apart.plan_in_time(cx, lease).await?;
    apart.report(in_time).await
}

/// Whether the next run compares everything.
async fn is_full(cx: &Context, mirror: MirrorId) -> Result<bool, SyncError> {
    let schedule = cx.store.schedule(mirror).await?;
    let is_due = schedule.next_full_at.is_some_and(|at| at <= cx.store.now());
    if schedule.full_interval.is_some() && is_due {
        return Ok(true);
    }
    let filter = RunFilter {
        status: Some(RunStatus::Running),
        ..RunFilter::default()
    };
    let under_way = cx.store.listed_runs(mirror, &filter, 10).await?;
    Ok(under_way.iter().any(|run| run.kind == RunKind::Full))
}

/// What jobs of the plan use: the connections and limits of this process, and nothing else of it.
async fn apart(cx: &Context, link: &Link, heard: &Arc<Heard>) -> Result<Context, SyncError> {
    let store = cx.store.copy_of(link.mirror).await?;
    // Somebody may want to know before the mirror goes on.
    store.resume_mirror(link.mirror).await?;
    let links = Links::default();
    links.insert(link.clone());
    Ok(Context {
        store,
        clock: cx.clock.clone(),
        entropy: cx.entropy.clone(),
        key: cx.key.clone(),
        links,
        lease: cx.lease,
        mode: Mode::Plan,
        events: heard.listener(),
        shutdown: cx.shutdown.clone(),
        facts: Facts::default(),
        target_labels: TargetLabels::default(),
        accounts: Accounts::default(),
        planned: Planned::default(),
        proof: Each::default(),
        transfers: Transfers::default(),
        in_hand: InHand::default(),
        owner: cx.owner.clone(),
    })
}

/// Ends with the reason to stop, or well when the time is over. Looks as often as the lease is
/// renewed.
async fn stopped(cx: &Context, lease: &Lease, until: Duration) -> Result<(), SyncError> {
    while cx.clock.monotonic() < until {
        cx.clock.sleep(cx.lease / 3).await;
        cx.may_write(lease)?;
    }
    Ok(())
}

/// Runs a job of the plan. Its future is of a known type, or a plan, which is a job itself, would
/// hold a value of its own kind.
fn executed(cx: Arc<Context>, ticket: Ticket) -> BoxFuture<'static, ()> {
    async move { execute(&cx, ticket).await }
        .in_current_span()
        .boxed()
}

/// A mirror, apart from its record.
struct Apart {
    cx: Arc<Context>,
    mirror: MirrorId,
    /// These issues only; none: all that are due.
    asked: BTreeSet<Iid>,
    heard: Arc<Heard>,
}

impl Apart {
    async fn ask(&self, full: bool) -> Result<(), SyncError> {
        let mirror = self.mirror;
        let (kind, jobs) = if self.asked.is_empty() {
            let kind = if full {
                RunKind::Full
            } else {
                RunKind::Incremental
            };
            (kind, vec![Job::ScanMirror { mirror }])
        } else {
            let asked = self.asked.iter();
            let jobs = asked.map(|iid| Job::SyncIssue { mirror, iid: *iid });
            (RunKind::SingleIssue, jobs.collect())
        };
        let request = RunRequest {
            mirror,
            kind,
            jobs: &jobs,
            priority: Priority::ByHand,
            by: "plan",
        };
        self.cx.store.request_run(&request).await?;
        Ok(())
    }

    /// `false`: it took too long, and is ended where it stood.
    async fn plan_in_time(&self, cx: &Context, lease: &Lease) -> Result<bool, SyncError> {
        let until = cx.clock.monotonic().saturating_add(PATIENCE);
        let planning = pin!(self.plan(cx, lease));
        match select(planning, pin!(stopped(cx, lease, until))).await {
            Either::Left((planned, _)) => planned.map(|()| true),
            Either::Right((stopped, _)) => stopped.map(|()| false),
        }
    }

    /// Works until nothing is due any more, or it is enough.
    async fn plan(&self, cx: &Context, lease: &Lease) -> Result<(), SyncError> {
        let store = &self.cx.store;
        let mut jobs = 0;
        while jobs < MOST_JOBS {
            cx.may_write(lease)?;
            let room = MOST_ISSUES.saturating_sub(self.heard.looked_at());
            if room == 0 {
                break;
            }
            let room = room.min(AT_ONCE);
            let claimed = store.claim_of(self.mirror, room, self.cx.lease).await?;
            if claimed.is_empty() {
                let Some(wait) = self.until_next(cx).await? else {
                    break;
                };
                cx.clock.sleep(wait).await;
                continue;
            }
            let wanted: Vec<Ticket> = claimed.iter().filter_map(|row| self.wanted(row)).collect();
            jobs += wanted.len();
            // As tasks, which end with this one: a job within a job would be too deep for a thread's
            // stack.
            let mut under_way = JoinSet::new();
            for ticket in wanted {
                under_way.spawn(executed(self.cx.clone(), ticket));
            }
            while under_way.join_next().await.is_some() {}
        }
        Ok(())
    }

    /// What was asked for, and the scan; what else is due on the way stays in line.
    fn wanted(&self, row: &Claimed) -> Option<Ticket> {
        if let Some(Job::SyncIssue { iid, .. }) = Job::from_key(&row.key) {
            if !self.asked.is_empty() && !self.asked.contains(&iid) {
                return None;
            }
            self.heard.looks_at(iid);
        }
        Some(row.ticket)
    }

    /// How long until something is due; `None`: nothing is, or not soon. Where that is so before
    /// anything came of the plan, it is made later.
    async fn until_next(&self, cx: &Context) -> Result<Option<Duration>, SyncError> {
        let store = &self.cx.store;
        let due = store.due(self.mirror).await?;
        let Some(next) = due.next_run_at.filter(|_| due.pending > 0) else {
            return Ok(None);
        };
        let wait = next - store.now();
        if wait <= LONGEST_WAIT {
            return Ok(Some(wait.to_std().unwrap_or_default().max(A_MOMENT)));
        }
        match self.heard.only_waits() {
            Some(why) => Err(SyncError::Later {
                until: cx.store.now() + wait,
                why,
            }),
            None => Ok(None),
        }
    }

    async fn report(&self, in_time: bool) -> Result<ErrandReport, SyncError> {
        if let Some(reason) = self.heard.paused() {
            return Err(SyncError::AtFault { reason });
        }
        let owed = if self.asked.is_empty() {
            let due = self.cx.store.due(self.mirror).await?;
            due.pending + due.queued + due.running
        } else {
            count(self.asked.len())
        };
        let scans = self.asked.is_empty();
        Ok(ErrandReport::Plan(self.heard.report(owed, scans, in_time)))
    }
}
