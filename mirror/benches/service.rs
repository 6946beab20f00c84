//! What the service does in a second when no job has anything to do, how soon an idle one begins,
//! and how soon what a killed worker held is taken up:
//!
//! ```sh
//! . .ci/postgres && . .ci/redis && postgres_start && redis_start "$(mktemp -d)"
//! cargo bench -p issue-mirror --bench service; postgres_stop; redis_stop
//! ```
//!
//! One dispatcher and two workers with connections of their own, as three processes would have; the
//! servers share the machine. A job here starts and ends its row and asks no GitLab.

use anyhow::Context;
use mirror_core::{
    ids::{Iid, InstanceName, MirrorId, ProjectId},
    job::{Job, Priority, Ticket},
    outcome::Outcome,
    ports::{Clock, Entropy},
};
use mirror_queue::{
    connection::{Redis, RedisUrl},
    delivery::{self, Consumer, Producer},
    names::Prefix,
    signals::{Signal, Signals},
};
use mirror_runtime::{SystemClock, SystemEntropy};
use mirror_scheduler::{dispatch, dispatch::Window, sweep};
use mirror_store::{
    DatabaseUrl, End, MirrorEnd, NewMirror, Owe, Store,
    testing::{TestDatabase, VARIABLE},
};
use std::{
    future::Future,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const JOBS: i64 = 20_000;
const ROUNDS: usize = 5;
const WORKERS: usize = 2;
const AT_ONCE: usize = 16;
const PICKUPS: i64 = 400;
const HELD: i64 = 40;
const LEASE: Duration = Duration::from_secs(10);
const WINDOW: usize = 200;

#[tokio::main]
async fn main() -> ExitCode {
    match measure().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a benchmark's result")]
fn say(line: &str) {
    println!("{line}");
}

async fn measure() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("state.sqlite3");
    let alone = Deployment::alone(&DatabaseUrl::sqlite(&file)).await?;
    let size = async || Ok(std::fs::metadata(&file)?.len());
    let sqlite = rounds("SQLite, in process", &alone, size).await?;
    pickup("SQLite, in process", &alone).await?;
    let database = TestDatabase::create().await?;
    let scaled = Deployment::scaled(&database).await?;
    let size = async || Ok(database.size().await?);
    let name = format!("PostgreSQL and Redis, {WORKERS} workers x {AT_ONCE}");
    let postgres = rounds(&name, &scaled, size).await?;
    say(&format!("that is {:.2} of SQLite", postgres / sqlite));
    pickup("PostgreSQL and Redis", &scaled).await?;
    rescue(&scaled).await
}

/// Makes a connection of a process's own.
enum Way {
    Alone(Store),
    Scaled(DatabaseUrl, Box<Redis>),
}

impl Way {
    async fn store(&self, clock: &Arc<dyn Clock>) -> anyhow::Result<Store> {
        Ok(match self {
            Self::Alone(store) => store.clone(),
            Self::Scaled(url, _) => Store::connect(url, clock.clone()).await?,
        })
    }
}

struct Deployment {
    way: Way,
    clock: Arc<dyn Clock>,
    /// Of whoever owes the jobs.
    store: Store,
    mirror: MirrorId,
    owed: AtomicUsize,
}

impl Deployment {
    async fn alone(url: &DatabaseUrl) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        Store::migrate(url, clock.clone()).await?;
        let store = Store::connect(url, clock.clone()).await?;
        Self::on(Way::Alone(store), clock).await
    }

    async fn scaled(database: &TestDatabase) -> anyhow::Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        // With the password, which the database's own address hides.
        let mut server = url::Url::parse(&variable(VARIABLE)?)?;
        server.set_path(url::Url::parse(&database.url().to_string())?.path());
        let redis: RedisUrl = variable("ISSUE_MIRROR_TEST_REDIS")?.parse()?;
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let prefix: Prefix = format!("bench-{:x}:", entropy.next_u64()).parse()?;
        let redis = Redis::new(redis, prefix, clock.clone(), entropy)?;
        let way = Way::Scaled(server.as_str().parse()?, Box::new(redis));
        Self::on(way, clock).await
    }

    async fn on(way: Way, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let store = way.store(&clock).await?;
        let mut end = Vec::new();
        for (name, project) in [("gitlab.a", 1), ("gitlab.b", 2)] {
            let name = InstanceName(name.to_owned());
            let base = format!("https://{name}/");
            end.push(MirrorEnd {
                instance: store.register_instance(&name, &base, &[]).await?,
                project: ProjectId(project),
                path: "group/project".to_owned(),
            });
        }
        let (target, source) = (end.pop().context("two")?, end.pop().context("two")?);
        let mirror = store.ensure_mirror(&NewMirror { source, target }).await?;
        Ok(Self {
            way,
            clock,
            store,
            mirror: mirror.id,
            owed: AtomicUsize::new(0),
        })
    }

    /// Another process's.
    async fn store(&self) -> anyhow::Result<Store> {
        self.way.store(&self.clock).await
    }

    fn signals(&self) -> Signals {
        match &self.way {
            Way::Alone(_) => Signals::in_process(),
            Way::Scaled(_, redis) => Signals::redis(redis),
        }
    }

    /// Owes jobs of issues that nobody knew of.
    async fn owe(&self, count: i64) -> anyhow::Result<()> {
        let count = usize::try_from(count)?;
        let first = self.owed.fetch_add(count, Ordering::Relaxed);
        let jobs: Vec<Owe> = (first..first + count)
            .map(|iid| Job::SyncIssue {
                mirror: self.mirror,
                iid: Iid(i64::try_from(iid).unwrap_or(i64::MAX)),
            })
            .map(|job| Owe::changed(job, Priority::Incremental))
            .collect();
        for some in jobs.chunks(1_000) {
            self.store.owe(some).await?;
        }
        Ok(())
    }

    /// Starts a dispatcher and the workers, whose jobs do this.
    async fn start<F>(
        &self,
        signals: &Signals,
        job: impl Fn(Store, Ticket) -> F + Clone + Send + Sync + 'static,
    ) -> anyhow::Result<Running>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let end = CancellationToken::new();
        let mut parts = JoinSet::new();
        let mut heard = Vec::new();
        let (producer, consumers) = match &self.way {
            Way::Alone(_) => {
                let (producer, consumer) = delivery::in_process(2 * AT_ONCE);
                (producer, vec![consumer])
            }
            Way::Scaled(_, redis) => {
                heard = (0..WORKERS).map(|_| self.signals()).collect();
                let consumer = |signals| Consumer::redis(redis, signals);
                let consumers = heard.iter().map(consumer).collect();
                (Producer::redis(redis, WINDOW), consumers)
            }
        };
        // No instance's window: what is measured is the machinery.
        let window = Window {
            only: Some(self.mirror),
            per_mirror: 2 * WINDOW,
            ..Window::default()
        };
        let wake = signals.listen(Signal::Owed);
        let store = self.store().await?;
        let clock = self.clock.clone();
        parts.spawn({
            let run = dispatch::run(store, producer, window, clock, wake, end.clone());
            async move { run.await.map_err(anyhow::Error::from) }
        });
        for consumer in consumers {
            let (store, signals, job) = (self.store().await?, signals.clone(), job.clone());
            let execute = move |ticket| {
                let (store, signals, job) = (store.clone(), signals.clone(), job.clone());
                async move {
                    job(store, ticket).await;
                    signals.owed();
                }
            };
            let end = end.clone();
            parts.spawn(async move {
                consumer.run(AT_ONCE, end, execute, |_, _| {}).await;
                Ok(())
            });
        }
        Ok(Running {
            end,
            parts,
            _heard: heard,
        })
    }
}

struct Running {
    end: CancellationToken,
    parts: JoinSet<anyhow::Result<()>>,
    /// Each worker hears what wakes it for as long as this lives.
    _heard: Vec<Signals>,
}

impl Running {
    async fn stop(mut self) -> anyhow::Result<()> {
        self.end.cancel();
        while let Some(ended) = self.parts.join_next().await {
            ended??;
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "the servers are named there")]
fn variable(name: &str) -> anyhow::Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set; see the top of this file"))
}

const DONE: End<'static> = End::Done {
    outcome: &Outcome::Unchanged,
};

/// Starts a row and ends it.
async fn no_op(store: &Store, ticket: Ticket) -> bool {
    match store.start(ticket, "bench", LEASE).await {
        Ok(Some(started)) => store.end(&started.fence, DONE).await.is_ok(),
        Ok(None) | Err(_) => false,
    }
}

/// Several rounds: their median of jobs in a second, and what a finished job leaves behind.
async fn rounds(
    name: &str,
    deployment: &Deployment,
    size: impl AsyncFn() -> anyhow::Result<u64>,
) -> anyhow::Result<f64> {
    let mut rates = Vec::new();
    let (mut sizes, mut memory) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        rates.push(throughput(deployment).await?);
        sizes.push(size().await?);
        if let Way::Scaled(_, redis) = &deployment.way {
            memory.extend(redis.health().await?.memory);
        }
    }
    rates.sort_by(f64::total_cmp);
    let median = rates.get(ROUNDS / 2).copied().unwrap_or_default();
    let (least, most) = (
        rates.first().unwrap_or(&median),
        rates.last().unwrap_or(&median),
    );
    say(&format!(
        "{name}: {median:.0} no-op jobs/s (median of {ROUNDS} rounds of {JOBS}, {least:.0} to \
         {most:.0})"
    ));
    let (first, last) = (sizes.first().unwrap_or(&0), sizes.last().unwrap_or(&0));
    let jobs = u64::try_from(JOBS)? * (u64::try_from(ROUNDS)? - 1);
    say(&format!(
        "{name}: the database grows by {} bytes for each finished job of a new issue",
        last.saturating_sub(*first) / jobs
    ));
    if let (Some(first), Some(last)) = (memory.first(), memory.last()) {
        say(&format!(
            "{name}: Redis holds {first} bytes after {JOBS} jobs, {last} after {}",
            JOBS * i64::try_from(ROUNDS)?
        ));
    }
    Ok(median)
}

/// Jobs in a second, from the first dispatch to the last end.
async fn throughput(deployment: &Deployment) -> anyhow::Result<f64> {
    deployment.owe(JOBS).await?;
    let (told, mut done) = tokio::sync::mpsc::unbounded_channel();
    let clock = &deployment.clock;
    let signals = deployment.signals();
    let began = clock.monotonic();
    let running = deployment
        .start(&signals, move |store, ticket| {
            let told = told.clone();
            async move {
                if no_op(&store, ticket).await {
                    let _ = told.send(());
                }
            }
        })
        .await?;
    for _ in 0..JOBS {
        done.recv().await.context("the workers ended")?;
    }
    let took = clock.monotonic().saturating_sub(began);
    running.stop().await?;
    #[expect(clippy::cast_precision_loss, reason = "a count of jobs")]
    Ok(JOBS as f64 / took.as_secs_f64())
}

/// From owing to starting, when nothing else is to be done.
async fn pickup(name: &str, deployment: &Deployment) -> anyhow::Result<()> {
    let (told, mut started) = tokio::sync::mpsc::unbounded_channel();
    let clock = deployment.clock.clone();
    let signals = deployment.signals();
    let watch = clock.clone();
    let running = deployment
        .start(&signals, move |store, ticket| {
            let (told, watch) = (told.clone(), watch.clone());
            async move {
                let _ = told.send(watch.monotonic());
                no_op(&store, ticket).await;
            }
        })
        .await?;
    clock.sleep(Duration::from_secs(2)).await;
    let mut took = Vec::new();
    for _ in 0..PICKUPS {
        clock.sleep(Duration::from_millis(20)).await;
        let owed = clock.monotonic();
        deployment.owe(1).await?;
        signals.owed();
        let start = started.recv().await.context("the workers ended")?;
        took.push(start.saturating_sub(owed));
    }
    running.stop().await?;
    report(&format!("{name}: idle pickup (owing included)"), took);
    Ok(())
}

/// From the death of a worker that held jobs to their start at another.
async fn rescue(deployment: &Deployment) -> anyhow::Result<()> {
    let clock = deployment.clock.clone();
    let store = deployment.store().await?;
    deployment.owe(HELD).await?;
    let held = usize::try_from(HELD)?;
    for claimed in store.claim_of(deployment.mirror, held, LEASE).await? {
        store.start(claimed.ticket, "killed", LEASE).await?;
    }
    let died = clock.monotonic();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let (told, mut started) = tokio::sync::mpsc::unbounded_channel();
    let signals = deployment.signals();
    let sweeper = CancellationToken::new();
    let sweeping = tokio::spawn(sweep::run(
        store.clone(),
        clock.clone(),
        signals.listen(Signal::Owed),
        sweeper.clone(),
    ));
    let (watch, times) = (clock.clone(), taken.clone());
    let running = deployment
        .start(&signals, move |store, ticket| {
            let (told, watch, times) = (told.clone(), watch.clone(), times.clone());
            async move {
                if let Ok(mut times) = times.lock() {
                    times.push(watch.monotonic().saturating_sub(died));
                }
                no_op(&store, ticket).await;
                let _ = told.send(());
            }
        })
        .await?;
    for _ in 0..HELD {
        started.recv().await.context("the workers ended")?;
    }
    running.stop().await?;
    sweeper.cancel();
    sweeping.await??;
    let taken = taken.lock().map(|taken| taken.clone()).unwrap_or_default();
    report("rescue after a worker's death", taken);
    Ok(())
}

fn report(name: &str, mut took: Vec<Duration>) {
    took.sort_unstable();
    let at = |share: usize| took.get((took.len() * share / 100).min(took.len().saturating_sub(1)));
    let ms = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1_000.0);
    say(&format!(
        "{name}: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms, of {}",
        ms(at(50)),
        ms(at(99)),
        ms(took.last()),
        took.len()
    ));
}
