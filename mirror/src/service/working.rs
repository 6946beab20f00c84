//! A worker: takes tickets, does what they stand for, ends in good order.

use super::{WorkerArguments, deployment::Deployment};
use crate::exit::misconfigured;
use mirror_api::Metrics;
use mirror_core::ports::Pace;
use mirror_gitlab::Options;
use mirror_queue::{budget::Budget, delivery::Consumer, signals::Signals};
use mirror_runtime::Shutdown;
use mirror_scheduler::dispatch;
use mirror_worker::{
    Connector, Context, Event, Events, Facts, InHand, Links, Means, Mode, TargetLabels, execute,
    network,
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// How long a job holds its row without a sign of life.
const LEASE: Duration = Duration::from_secs(15);
/// The longest wait for a limit that holds a worker's slot; a longer one puts the work off.
const PATIENCE: Duration = Duration::from_secs(3);

/// A worker, ready to begin.
pub(super) struct Working {
    cx: Arc<Context>,
    signals: Signals,
    concurrency: usize,
    grace: Duration,
}

impl Working {
    /// Puts it together; connects nothing yet.
    pub(super) fn new(
        deployment: &Deployment,
        arguments: &WorkerArguments,
        metrics: Arc<Metrics>,
        shutdown: &Shutdown,
    ) -> anyhow::Result<Self> {
        let options = Options {
            ca_file: arguments.ca_file.clone(),
            proxy: arguments.proxy.clone(),
            spacing_patience: PATIENCE,
            ..Options::default()
        };
        // Tried once, so that a wrong file is told at the start and not by every job.
        mirror_gitlab::HttpTransport::new(&options).map_err(|error| {
            let error = anyhow::Error::from(error);
            misconfigured(format!("{error:#}; check --ca-file and --proxy"))
        })?;
        let budget = Arc::new(Budget::new(deployment.clock.clone()));
        let connector = Connector::new(Means {
            store: deployment.store.clone(),
            cipher: deployment.cipher.clone(),
            clock: deployment.clock.clone(),
            entropy: deployment.entropy.clone(),
            pace: budget.clone() as Arc<dyn Pace>,
            limits: Box::new(move |instance, limits| budget.configure(instance, limits)),
            options,
            dial: Box::new(network),
        });
        let signals = deployment.signals.clone();
        let events = {
            let signals = signals.clone();
            Events::new(move |event| tell(&event, &signals, &metrics))
        };
        let cx = Context {
            store: deployment.store.clone(),
            clock: deployment.clock.clone(),
            entropy: deployment.entropy.clone(),
            key: deployment.key.clone(),
            links: Links::on_demand(connector),
            lease: LEASE,
            mode: Mode::Sync,
            events,
            shutdown: shutdown.clone(),
            facts: Facts::default(),
            target_labels: TargetLabels::default(),
            proof: tokio::sync::Mutex::default(),
            in_hand: InHand::default(),
            owner: name(deployment),
        };
        Ok(Self {
            cx: Arc::new(cx),
            signals,
            concurrency: arguments.concurrency.get(),
            grace: arguments.grace,
        })
    }

    /// Begins.
    pub(super) fn spawn(self, consumer: Consumer, parts: &mut JoinSet<anyhow::Result<()>>) {
        parts.spawn(async move { self.run(consumer).await });
    }

    async fn run(self, consumer: Consumer) -> anyhow::Result<()> {
        let (cx, signals) = (self.cx.clone(), self.signals.clone());
        let shutdown = cx.shutdown.token();
        let worker = tokio::spawn(consumer.run(
            self.concurrency,
            shutdown.clone(),
            move |ticket| {
                let (cx, signals) = (cx.clone(), signals.clone());
                async move {
                    execute(&cx, ticket).await;
                    // A place is free, and others may wait for it.
                    signals.owed();
                }
            },
            |ticket, panic| tracing::error!(work.id = %ticket.work, panic, "a worker panicked"),
        ));
        shutdown.cancelled().await;
        let abort = worker.abort_handle();
        tokio::select! {
            unstarted = worker => {
                dispatch::hand_back(&self.cx.store, unstarted.unwrap_or_default()).await?;
            }
            () = self.cx.clock.sleep(self.grace) => {
                tracing::warn!("some jobs did not end in time; others take them up when their leases end");
                abort.abort();
            }
        }
        Ok(())
    }
}

/// Of this one start, for people and for leases.
fn name(deployment: &Deployment) -> String {
    format!(
        "{}-{:08x}",
        std::process::id(),
        deployment.entropy.next_u64() >> 32
    )
}

fn tell(event: &Event, signals: &Signals, metrics: &Metrics) {
    let _ = metrics;
    match event {
        Event::Found { owed, .. } if *owed > 0 => signals.owed(),
        Event::Paused { mirror, reason } => {
            tracing::warn!(mirror.id = %mirror, reason, "the mirror rests");
        }
        Event::Notice(mirror, iid, notice) => {
            tracing::warn!(mirror.id = %mirror, issue.iid = %iid, ?notice, "a person should know");
        }
        Event::Found { .. }
        | Event::Scanned { .. }
        | Event::Issue { .. }
        | Event::Waiting { .. }
        | Event::Failed { .. }
        | Event::Planned { .. } => {}
    }
}
