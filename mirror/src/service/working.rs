//! A worker: takes tickets, does what they stand for, ends in good order.

use super::{WorkerArguments, deployment::Deployment};
use crate::exit::misconfigured;
use mirror_api::Metrics;
use mirror_core::ports::Pace;
use mirror_gitlab::{HttpTransport, Options};
use mirror_queue::{delivery::Consumer, signals::Signals};
use mirror_runtime::{Shutdown, process::Process, watchdog::Watchdog};
use mirror_worker::{
    Accounts, Connector, Context, Drained, Event, Events, Facts, InHand, Links, Means, Mode,
    Service, TargetLabels, UntilShutdown,
};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

/// How long a job holds its row without a sign of life: what a killed worker held is taken up by
/// another after this and one sweep at the latest.
const LEASE: Duration = Duration::from_secs(10);
/// The longest wait for a limit that holds a worker's slot; a longer one puts the work off.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often the record's server is asked for its time.
const ASK_TIME: Duration = Duration::from_secs(30);

/// What becomes of the process of a worker that was asked to drain, and has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Afterwards {
    /// It has nothing else to do, and ends.
    End,
    /// Its other parts go on.
    GoOn,
}

/// Puts a worker together and begins.
pub(super) fn spawn(
    deployment: &Deployment,
    arguments: &WorkerArguments,
    (consumer, metrics): (Consumer, Arc<Metrics>),
    (shutdown, afterwards): (&Shutdown, Afterwards),
    parts: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let process = Process::this(&*deployment.entropy);
    let signals = deployment.signals.clone();
    let cx = context(deployment, arguments, &process, metrics, shutdown)?;
    let service = Service {
        cx: Arc::new(cx),
        consumer,
        process,
        concurrency: arguments.concurrency.get(),
        grace: arguments.grace,
        clock: deployment.clock.clone(),
    };
    let (store, clock) = (deployment.store.clone(), deployment.clock.clone());
    let end = shutdown.token();
    parts.spawn(async move {
        // A worker's own clock decides nothing; the server's time is asked for now and then.
        while !end.is_cancelled() {
            if let Err(error) = store.refresh_time().await {
                tracing::warn!(%error, "the server's time is not known anew");
            }
            end.run_until_cancelled(clock.sleep(ASK_TIME)).await;
        }
        Ok(())
    });
    let patience = mirror_runtime::watchdog::PATIENCE;
    let watch = Watchdog::guard(deployment.clock.clone(), patience)?;
    let shutdown = shutdown.clone();
    parts.spawn(async move {
        // A place is free, and others may wait for it.
        let drained = service.run(move || signals.owed()).await;
        watch.abort();
        ended(drained, afterwards, &shutdown)
    });
    Ok(())
}

/// Ends the process with its worker, where that was all of it.
fn ended(drained: Drained, afterwards: Afterwards, shutdown: &Shutdown) -> anyhow::Result<()> {
    match (drained, afterwards) {
        (Drained::Broken, _) => anyhow::bail!("the taking of tickets broke down"),
        // It ends anyway.
        (Drained::InTime | Drained::Late { .. }, _) if shutdown.is_requested() => {}
        (Drained::InTime | Drained::Late { .. }, Afterwards::End) => {
            tracing::info!("this worker is drained, and ends");
            shutdown.request();
        }
        (Drained::InTime | Drained::Late { .. }, Afterwards::GoOn) => {
            tracing::info!("this worker is drained; the rest of its process goes on");
        }
    }
    Ok(())
}

/// What its jobs use.
fn context(
    deployment: &Deployment,
    arguments: &WorkerArguments,
    process: &Process,
    metrics: Arc<Metrics>,
    shutdown: &Shutdown,
) -> anyhow::Result<Context> {
    let options = Options {
        ca_file: arguments.ca_file.clone(),
        proxy: arguments.proxy.clone(),
        spacing_patience: PATIENCE,
        ..Options::default()
    };
    // Tried once, so that a wrong file is told at the start and not by every job.
    HttpTransport::new(&options).map_err(|error| {
        let error = anyhow::Error::from(error);
        misconfigured(format!("{error:#}; check --ca-file and --proxy"))
    })?;
    let budget = deployment.budget.clone();
    let seen = budget.clone();
    let pace = UntilShutdown::new(
        budget.clone() as Arc<dyn Pace>,
        shutdown.clone(),
        deployment.clock.clone(),
    );
    let connector = Connector::new(Means {
        store: deployment.store.clone(),
        cipher: deployment.cipher.clone(),
        clock: deployment.clock.clone(),
        entropy: deployment.entropy.clone(),
        pace: Arc::new(pace),
        limits: Box::new(move |instance, limits| budget.configure(instance, limits)),
        seen: Box::new(move || seen.snapshot()),
        options,
        dial: deployment.dial.clone(),
    });
    let signals = deployment.signals.clone();
    Ok(Context {
        store: deployment.store.clone(),
        clock: deployment.clock.clone(),
        entropy: deployment.entropy.clone(),
        key: deployment.key.clone(),
        links: Links::on_demand(connector),
        lease: LEASE,
        mode: Mode::Sync,
        events: Events::new(move |event| tell(&event, &signals, &metrics)),
        shutdown: shutdown.clone(),
        facts: Facts::default(),
        target_labels: TargetLabels::default(),
        accounts: Accounts::default(),
        planned: mirror_worker::Planned::default(),
        proof: mirror_worker::Each::default(),
        transfers: mirror_worker::Transfers::default(),
        in_hand: InHand::default(),
        owner: process.name.clone(),
    })
}

fn tell(event: &Event, signals: &Signals, metrics: &Metrics) {
    match event {
        Event::Found { owed, .. } if *owed > 0 => signals.owed(),
        Event::Paused { mirror, reason } => {
            metrics.mirror_paused();
            tracing::warn!(mirror.id = %mirror, reason, "the mirror rests");
        }
        Event::Notice(mirror, iid, notice) => {
            tracing::warn!(mirror.id = %mirror, issue.iid = %iid, ?notice, "a person should know");
        }
        Event::Issue {
            comments,
            attachments,
            ..
        } => metrics.written(*comments, *attachments),
        Event::Carried { .. } => metrics.written(0, 1),
        Event::Waiting { .. } => metrics.waited(),
        Event::Failed { gave_up, .. } => metrics.failed(*gave_up),
        Event::Found { .. } | Event::Scanned { .. } | Event::Planned { .. } => {}
    }
}
