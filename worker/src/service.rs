//! The worker as a service: takes tickets until it is told to stop, tells that it is alive, heeds
//! those who want a job stopped, and drains.

mod heartbeat;
mod stops;
mod until_shutdown;

use crate::{Context, execute};
use mirror_core::{job::Ticket, ports::Clock};
use mirror_queue::delivery::Consumer;
use mirror_runtime::process::Process;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub use until_shutdown::UntilShutdown;

/// How long jobs may go on after they were asked to stop, unless told otherwise.
pub const GRACE: Duration = Duration::from_secs(20);

/// A worker, ready to run.
pub struct Service {
    /// What its jobs use. The owner is the process's name.
    pub cx: Arc<Context>,
    /// Where tickets come from.
    pub consumer: Consumer,
    /// Which process this is.
    pub process: Process,
    /// Jobs at once.
    pub concurrency: usize,
    /// How long jobs may go on after they were asked to stop.
    pub grace: Duration,
    /// For the service's own beats; the jobs have theirs in the context.
    pub clock: Arc<dyn Clock>,
}

/// How a service ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drained {
    /// Everything was ended or handed back.
    InTime,
    /// The grace time ended first: so many jobs were left to their leases, and others take them
    /// over when these have run out. The process had better exit now.
    Late {
        /// Jobs.
        left: usize,
    },
    /// Nobody takes tickets any more, unasked: a mistake of ours.
    Broken,
}

impl Service {
    /// Works until the context's shutdown is asked for, then drains: no ticket is started any more,
    /// jobs stop before their next write (before any request, where an [`UntilShutdown`] stands
    /// before the budget) and hand back unharmed. `after` is called when a job has ended.
    pub async fn run(self, after: impl Fn() + Clone + Send + Sync + 'static) -> Drained {
        let Self {
            cx,
            consumer,
            process,
            concurrency,
            grace,
            clock,
        } = self;
        let draining = cx.shutdown.token().child_token();
        let ended = CancellationToken::new();
        let worker = {
            let cx = cx.clone();
            let taking = draining.clone();
            let job = move |ticket| {
                let (cx, after) = (cx.clone(), after.clone());
                async move {
                    execute(&cx, ticket).await;
                    after();
                }
            };
            tokio::spawn(consumer.run(concurrency, taking, job, |ticket, panic| {
                tracing::error!(work.id = %ticket.work, panic, "a worker panicked");
            }))
        };
        let drained = async {
            let drained = drain(&cx, worker, grace, &*clock, &draining).await;
            ended.cancel();
            drained
        };
        let beats = heartbeat::run(&cx.store, &process, concurrency, &*clock, &draining, &ended);
        let stops = stops::run(&cx, &*clock, &ended);
        let (drained, (), ()) = futures_util::future::join3(drained, beats, stops).await;
        drained
    }
}

async fn drain(
    cx: &Context,
    worker: tokio::task::JoinHandle<Vec<Ticket>>,
    grace: Duration,
    clock: &dyn Clock,
    draining: &CancellationToken,
) -> Drained {
    let abort = worker.abort_handle();
    let too_late = async {
        draining.cancelled().await;
        tracing::info!(running = cx.in_hand.len(), "draining");
        clock.sleep(grace).await;
    };
    tokio::select! {
        unstarted = worker => match unstarted {
            Ok(tickets) => {
                hand_back(cx, tickets).await;
                Drained::InTime
            }
            Err(error) => {
                tracing::error!(%error, "the taking of tickets broke down");
                Drained::Broken
            }
        },
        () = too_late => {
            abort.abort();
            let left = cx.in_hand.len();
            tracing::warn!(left, "the grace time is over; what still runs is left to its lease");
            Drained::Late { left }
        }
    }
}

/// Tickets that were taken and not started are due again at once, and not after their lease.
async fn hand_back(cx: &Context, tickets: Vec<Ticket>) {
    for ticket in tickets {
        if let Err(error) = cx.store.unqueue(ticket).await {
            tracing::warn!(%error, "a ticket could not be handed back; it runs out by itself");
            return;
        }
    }
}
