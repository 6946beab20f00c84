//! Taking tickets from Redis.

use super::{
    codec::{Delivered, TicketCodec, Unreadable},
    execution::{Execution, message},
    tending,
    ticks::Ticks,
};
use crate::{
    connection::{Redis, RedisError},
    names,
    signals::{Signal, Signals},
};
use apalis::prelude::{WorkerBuilder, WorkerBuilderExt, WorkerError};
use apalis_core::backend::ext::BackendExt;
use apalis_redis::{Config, RedisStorage};
use futures_util::{FutureExt, future::BoxFuture};
use mirror_core::job::Ticket;
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// After a worker of apalis' ended the next one starts after this time, then twice as long, up to
/// the longest; a worker that lasted counts as a new beginning.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
const LASTED: Duration = Duration::from_secs(10);

/// How long apalis may take to acknowledge the last tickets, and Redis to forget the worker.
const FAREWELL: Duration = Duration::from_secs(1);

/// How often apalis notes its workers.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// So many heartbeats without a note and apalis takes a worker for dead, by the clock of whoever
/// looks: months, since ours goes by the server's clock.
const NEVER_DEAD: usize = 1_000_000;

/// After so many tickets what is done is cleared at once.
const CLEAR_AFTER: usize = 1000;

#[derive(Debug)]
pub(super) struct Remote {
    redis: Redis,
    wake: Arc<Notify>,
}

/// What outlives the workers of apalis'.
struct Running {
    redis: Redis,
    wake: Arc<Notify>,
    concurrency: usize,
    shutdown: CancellationToken,
    execution: Execution,
    jobs: TaskTracker,
    slots: Arc<Semaphore>,
    unstarted: Mutex<Vec<Ticket>>,
    executed: AtomicUsize,
    clear: Notify,
    name: Mutex<String>,
}

impl Remote {
    pub(super) fn new(redis: Redis, signals: &Signals) -> Self {
        Self {
            redis,
            wake: signals.listen(Signal::Tickets),
        }
    }

    pub(super) async fn run(
        self,
        concurrency: usize,
        shutdown: CancellationToken,
        execution: Execution,
    ) -> Vec<Ticket> {
        if shutdown.is_cancelled() {
            return Vec::new();
        }
        let concurrency = concurrency.max(1);
        let running = Arc::new(Running {
            redis: self.redis,
            wake: self.wake,
            concurrency,
            shutdown,
            execution,
            jobs: TaskTracker::new(),
            slots: Arc::new(Semaphore::new(concurrency)),
            unstarted: Mutex::default(),
            executed: AtomicUsize::new(0),
            clear: Notify::new(),
            name: Mutex::default(),
        });
        running.new_name();
        let working = work(Arc::clone(&running));
        tokio::select! {
            () = running.tend() => {}
            () = working => {}
        }
        running.farewell().await
    }
}

/// Why a worker of apalis' ended before its time.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("redis could not be used")]
    Redis(#[from] RedisError),
    #[error(transparent)]
    Worker(#[from] WorkerError),
    #[error("panic: {0}")]
    Panic(String),
}

/// One worker of apalis' after the other, until the shutdown.
///
/// Boxed: the compiler cannot see that apalis' own future may move between threads once it is
/// hidden inside another.
fn work(running: Arc<Running>) -> BoxFuture<'static, ()> {
    let working = async move {
        let clock = Arc::clone(running.redis.clock());
        let mut pause = PAUSE;
        while !running.shutdown.is_cancelled() {
            let began = clock.monotonic();
            match running.one_worker().await {
                Ok(()) => break,
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "taking tickets from redis failed; starting anew"
                ),
            }
            if clock.monotonic().saturating_sub(began) >= LASTED {
                pause = PAUSE;
            }
            let waiting = clock.sleep(pause);
            running.shutdown.run_until_cancelled(waiting).await;
            pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
        running.all_jobs_end().await;
    };
    working.boxed()
}

/// Boxed for the same reason.
fn worker(
    running: &Arc<Running>,
    name: &str,
) -> Result<BoxFuture<'static, Result<(), WorkerError>>, RedisError> {
    let redis = &running.redis;
    let config = Config::default()
        .queue(redis.names().queue())
        // A buffered ticket would keep the worker from its other duties.
        .batch_size(1)
        .lock_tasks(false)
        .emit_events(false)
        .heartbeat_interval(HEARTBEAT)
        .missed_heartbeats(NEVER_DEAD);
    let backend = RedisStorage::<Delivered>::new(redis.patient()?)
        .with_config(config)
        .with_codec(TicketCodec)
        .poll_with_strategy(Ticks::new(
            Arc::clone(redis.clock()),
            Arc::clone(&running.wake),
        ));
    let taking = Arc::clone(running);
    let worker = WorkerBuilder::new(name)
        .backend(backend)
        .concurrency(running.concurrency)
        .build(move |Delivered(ticket): Delivered| Arc::clone(&taking).take(ticket));
    let end = Arc::clone(running);
    let end = async move {
        end.shutdown.cancelled().await;
        Ok::<(), WorkerError>(())
    };
    Ok(worker.run_until(end).boxed())
}

impl Running {
    /// Ends with the shutdown, or with an error.
    async fn one_worker(self: &Arc<Self>) -> Result<(), Ended> {
        let name = self.new_name();
        // The sign of life comes first, or others would take the new worker for dead.
        tending::tend(&self.redis, &name).await?;
        let worker = AssertUnwindSafe(worker(self, &name)?).catch_unwind();
        let patience = async {
            self.shutdown.cancelled().await;
            self.all_jobs_end().await;
            self.redis.clock().sleep(FAREWELL).await;
        };
        tokio::select! {
            ended = worker => match ended {
                Ok(ended) => Ok(ended?),
                Err(panic) => Err(Ended::Panic(message(panic.as_ref()).to_owned())),
            },
            () = patience => Ok(()),
        }
    }

    /// A ticket has come. The job belongs to us, not to apalis' worker: it goes on when that ends.
    async fn take(self: Arc<Self>, ticket: Result<Ticket, Unreadable>) {
        let ticket = match ticket {
            Ok(ticket) => ticket,
            Err(Unreadable(bytes)) => {
                self.redis.count_unreadable();
                tracing::warn!(
                    bytes,
                    "something in the queue is no ticket of this version; its row is owed again \
                     when its lease runs out"
                );
                return;
            }
        };
        let me = Arc::clone(&self);
        let job = self.jobs.spawn(async move {
            // Jobs of an earlier worker may still hold slots.
            let slot = tokio::select! {
                biased;
                () = me.shutdown.cancelled() => None,
                slot = Arc::clone(&me.slots).acquire_owned() => slot.ok(),
            };
            if slot.is_none() {
                me.unstarted().push(ticket);
                return;
            }
            me.execution.run(ticket).await;
            if me.executed.fetch_add(1, Ordering::Relaxed) % CLEAR_AFTER == CLEAR_AFTER - 1 {
                me.clear.notify_one();
            }
        });
        // It cannot panic, and nobody aborts it.
        drop(job.await);
    }

    async fn all_jobs_end(&self) {
        self.jobs.close();
        self.jobs.wait().await;
    }

    /// What has to be done now and then. Failures are the worker's to tell.
    async fn tend(&self) {
        let clock = self.redis.clock();
        loop {
            let tended = async {
                tending::tend(&self.redis, &self.name()).await?;
                tending::clear(&self.redis).await
            };
            if let Err(error) = tended.await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "redis was not tended"
                );
            }
            let next = clock.sleep(tending::EVERY);
            tokio::pin!(next);
            loop {
                tokio::select! {
                    () = &mut next => break,
                    () = self.clear.notified() => drop(tending::clear(&self.redis).await),
                }
            }
        }
    }

    /// Everything has ended: what was taken and not started.
    async fn farewell(&self) -> Vec<Ticket> {
        let mut tickets = std::mem::take(&mut *self.unstarted());
        let name = self.name();
        let retired = async {
            let taken = tending::retire(&self.redis, &name).await?;
            tending::clear(&self.redis).await?;
            Ok::<_, RedisError>(taken)
        };
        let clock = self.redis.clock();
        tokio::select! {
            retired = retired => match retired {
                Ok(taken) => {
                    for ticket in taken {
                        if !tickets.contains(&ticket) {
                            tickets.push(ticket);
                        }
                    }
                }
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the end of this worker was not told to redis; others find out"
                ),
            },
            () = clock.sleep(FAREWELL) => {}
        }
        tickets
    }

    fn new_name(&self) -> String {
        let number = self.redis.entropy().next_u64();
        let name = format!("{}-{number:016x}", names::WORKER);
        self.name_of_now().clone_from(&name);
        name
    }

    fn name(&self) -> String {
        self.name_of_now().clone()
    }

    fn name_of_now(&self) -> MutexGuard<'_, String> {
        self.name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unstarted(&self) -> MutexGuard<'_, Vec<Ticket>> {
        self.unstarted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
