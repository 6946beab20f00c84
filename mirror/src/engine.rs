//! Puts the parts together in one process, for one mirror: the record, the dispatcher, the
//! delivery, the worker.

use crate::{admin::held_back, connect::Reach, tally::Tally};
use anyhow::Context as _;
use mirror_core::{
    ids::{Iid, MirrorId, RunId},
    job::{Job, Priority},
    provenance::Key,
};
use mirror_queue::delivery;
use mirror_runtime::Shutdown;
use mirror_scheduler::{dispatch, dispatch::Window, sweep};
use mirror_store::{DueSummary, RunKind, RunRequest, Store, StoreError};
use mirror_worker::{Context, Event, Events, Facts, InHand, Link, Links, Mode, execute};
use std::{num::NonZeroUsize, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// How often a person is told how far it is.
const REFRESH: Duration = Duration::from_millis(200);
/// How long a job holds its row without a sign of life.
const LEASE: Duration = Duration::from_secs(90);
/// How long jobs may go on after they were asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// One mirror, ready to run.
pub(crate) struct Engine {
    cx: Arc<Context>,
    mirror: MirrorId,
    kind: RunKind,
    wake: Arc<Notify>,
    /// What jobs reported.
    pub(crate) tally: Arc<Tally>,
}

/// What is handed in to run a mirror.
pub(crate) struct Parts<'a> {
    /// Clock, randomness, limits.
    pub(crate) reach: &'a Reach,
    /// The record.
    pub(crate) store: Store,
    /// The deployment's key.
    pub(crate) key: Key,
    /// The mirror, connected.
    pub(crate) link: Link,
    /// Send, or only plan.
    pub(crate) mode: Mode,
    /// Asked for by Ctrl-C.
    pub(crate) shutdown: Shutdown,
}

impl Engine {
    /// Puts the parts together.
    pub(crate) fn new(parts: Parts<'_>) -> Self {
        let tally = Arc::new(Tally::default());
        let wake = Arc::new(Notify::new());
        let events = {
            let (tally, wake) = (tally.clone(), wake.clone());
            Events::new(move |event: Event| {
                if matches!(event, Event::Found { .. }) {
                    wake.notify_one();
                }
                tally.take(event);
            })
        };
        let mirror = parts.link.mirror;
        let kind = match (parts.link.settings.only, parts.link.settings.full) {
            (Some(_), _) => RunKind::SingleIssue,
            (None, true) => RunKind::Full,
            (None, false) => RunKind::Incremental,
        };
        let links = Links::default();
        links.insert(parts.link);
        let cx = Context {
            store: parts.store,
            clock: parts.reach.clock.clone(),
            entropy: parts.reach.entropy.clone(),
            key: parts.key,
            links,
            lease: LEASE,
            mode: parts.mode,
            events,
            shutdown: parts.shutdown,
            facts: Facts::default(),
            target_labels: mirror_worker::TargetLabels::default(),
            accounts: mirror_worker::Accounts::default(),
            planned: mirror_worker::Planned::default(),
            proof: mirror_worker::Each::default(),
            transfers: mirror_worker::Transfers::default(),
            in_hand: InHand::default(),
            owner: format!(
                "{}-{:08x}",
                std::process::id(),
                parts.reach.entropy.next_u64() >> 32
            ),
        };
        Self {
            cx: Arc::new(cx),
            mirror,
            kind,
            wake,
            tally,
        }
    }

    /// The record.
    pub(crate) fn store(&self) -> &Store {
        &self.cx.store
    }

    /// Takes back what earlier processes left in hand: this mirror's lock is ours, so they are gone.
    /// What failed for good is tried again, since a person asked.
    pub(crate) async fn take_over(&self) -> anyhow::Result<()> {
        let store = &self.cx.store;
        store
            .reclaim(self.mirror)
            .await
            .context("the state could not be read")?;
        store.resume_mirror(self.mirror).await?;
        store.retry_dead(self.mirror).await?;
        Ok(())
    }

    /// What waits for a person, in words: copies of what is gone at the source.
    pub(crate) async fn held(&self) -> anyhow::Result<Option<String>> {
        let removals = self.cx.store.removals(self.mirror).await?;
        Ok(removals.held.map(|held| held_back(held, self.mirror.0)))
    }

    /// Owes a scan and runs until nothing of the mirror is due within `wait`, or the end is asked
    /// for. `show` is called now and then with how far it is.
    pub(crate) async fn run(
        &self,
        concurrency: NonZeroUsize,
        wait: Duration,
        show: impl Fn(&DueSummary),
    ) -> anyhow::Result<DueSummary> {
        let store = &self.cx.store;
        let run = self.request().await?;

        let (producer, consumer) = delivery::in_process(concurrency.get());
        let stop = self.cx.shutdown.token().child_token();
        let window = Window {
            only: Some(self.mirror),
            per_mirror: concurrency.get() * 3,
            ..Window::default()
        };
        let dispatcher = tokio::spawn(dispatch::run(
            store.clone(),
            producer,
            window,
            self.cx.clock.clone(),
            self.wake.clone(),
            stop.clone(),
        ));
        let sweeper = tokio::spawn(sweep::run(
            store.clone(),
            self.cx.clock.clone(),
            self.wake.clone(),
            stop.clone(),
        ));
        let (cx, wake) = (self.cx.clone(), self.wake.clone());
        let worker = tokio::spawn(consumer.run(
            concurrency.get(),
            stop.clone(),
            move |ticket| {
                let (cx, wake) = (cx.clone(), wake.clone());
                async move {
                    execute(&cx, ticket).await;
                    wake.notify_one();
                }
            },
            |ticket, panic| tracing::error!(work.id = %ticket.work, panic, "a worker panicked"),
        ));
        let watched = self.watch(wait, &show).await;
        stop.cancel();
        self.wind_down(worker).await;
        dispatcher.await.context("the dispatcher broke down")??;
        sweeper.await.context("the sweeper broke down")??;
        watched?;
        let left = store.due(self.mirror).await?;
        show(&left);
        self.finish(run).await?;
        Ok(left)
    }

    async fn request(&self) -> anyhow::Result<RunId> {
        let mirror = self.mirror;
        let request = RunRequest {
            mirror,
            kind: self.kind,
            jobs: &[Job::ScanMirror { mirror }],
            priority: Priority::ByHand,
            by: "sync",
        };
        Ok(self.cx.store.request_run(&request).await?.run)
    }

    /// What is open by now is left to a later run.
    async fn finish(&self, run: RunId) -> anyhow::Result<()> {
        let store = &self.cx.store;
        let ended = store.complete_runs().await?;
        if ended.iter().any(|ended| ended.id == run) {
            return Ok(());
        }
        let paused = self.tally.read().paused.clone();
        match store.finish_run(run, paused.as_deref()).await {
            // Another process on this record, at another mirror, saw first that nothing was open.
            Ok(_) | Err(StoreError::NoSuchRun(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    async fn watch(&self, wait: Duration, show: &impl Fn(&DueSummary)) -> anyhow::Result<()> {
        let wait = chrono::TimeDelta::from_std(wait).unwrap_or(chrono::TimeDelta::days(365));
        while !self.cx.shutdown.is_requested() {
            let due = self.cx.store.due(self.mirror).await?;
            show(&due);
            let horizon = self.cx.store.now() + wait;
            let later = due.next_run_at.is_none_or(|at| at > horizon);
            if due.queued == 0 && due.running == 0 && (due.pending == 0 || later) {
                break;
            }
            tokio::select! {
                () = self.cx.clock.sleep(REFRESH) => {}
                () = self.cx.shutdown.requested() => {}
            }
        }
        Ok(())
    }

    /// Lets jobs come to their next stop; those that do not are left to their leases.
    async fn wind_down(&self, worker: tokio::task::JoinHandle<Vec<mirror_core::job::Ticket>>) {
        let abort = worker.abort_handle();
        tokio::select! {
            unstarted = worker => {
                let unstarted = unstarted.unwrap_or_default();
                if let Err(error) = dispatch::hand_back(&self.cx.store, unstarted).await {
                    tracing::warn!(%error, "tickets could not be handed back");
                }
            }
            () = self.cx.clock.sleep(GRACE) => {
                tracing::warn!("some requests did not end in time; the next run looks after them");
                abort.abort();
            }
        }
    }

    /// The issues that were changed on both sides, and wait for a person.
    pub(crate) async fn target_modified(&self) -> Result<Vec<Iid>, StoreError> {
        self.cx.store.target_modified(self.mirror).await
    }

    /// What is not done, for a person.
    pub(crate) async fn left(&self, limit: u32) -> anyhow::Result<Vec<Left>> {
        let rows = self.cx.store.unfinished(self.mirror, limit).await?;
        Ok(rows
            .into_iter()
            .map(|row| Left {
                what: match Job::from_key(&row.key) {
                    Some(Job::SyncIssue { iid, .. }) => format!("#{iid}"),
                    Some(Job::ScanMirror { .. }) => "the scan".to_owned(),
                    Some(Job::TransferUpload { .. }) => "a large file".to_owned(),
                    Some(Job::CheckInstance { .. }) => "a look at what was at fault".to_owned(),
                    Some(Job::Errand { .. }) => "an errand".to_owned(),
                    None => row.key.clone(),
                },
                issue: match Job::from_key(&row.key) {
                    Some(Job::SyncIssue { iid, .. }) => Some(iid.0),
                    Some(
                        Job::ScanMirror { .. }
                        | Job::TransferUpload { .. }
                        | Job::CheckInstance { .. }
                        | Job::Errand { .. },
                    )
                    | None => None,
                },
                gave_up: row.state == mirror_store::WorkState::Dead,
                due: row.run_at,
                attempts: row.attempts,
                error: row.last_error,
            })
            .collect())
    }
}

/// Something that is not done.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct Left {
    /// In words: `#12`, `the scan`.
    pub(crate) what: String,
    /// The source issue, if it is one.
    pub(crate) issue: Option<i64>,
    /// It will not be tried again until the next run.
    pub(crate) gave_up: bool,
    /// When it is due.
    pub(crate) due: chrono::DateTime<chrono::Utc>,
    /// Failures so far.
    pub(crate) attempts: i64,
    /// What last went wrong.
    pub(crate) error: Option<String>,
}
