//! What is counted. Names follow the conventions of Prometheus: a unit at the end, `_total` for
//! what only grows.

use mirror_queue::connection::Health;
use mirror_store::WorkTotals;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use std::{fmt, sync::atomic::AtomicU64, time::Duration};

/// Upper bounds of how long a job takes, in seconds.
const SECONDS: [f64; 10] = [0.005, 0.02, 0.1, 0.5, 1.0, 5.0, 20.0, 60.0, 300.0, 1200.0];

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Job {
    kind: &'static str,
    ending: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct State {
    state: String,
}

type Seconds = Gauge<f64, AtomicU64>;

/// What this process counts, and how the deployment stood when it was last asked.
pub struct Metrics {
    registry: Registry,
    jobs: Family<Job, Counter>,
    took: Family<Kind, Histogram, fn() -> Histogram>,
    pickup: Histogram,
    work: Family<State, Gauge>,
    oldest: Seconds,
    workers: Gauge,
    record_up: Gauge,
    waiting: Gauge,
    taken: Gauge,
    queue_up: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn buckets() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    /// Nothing is counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("issue_mirror");
        let jobs = Family::default();
        registry.register("jobs", "Jobs that ended in this process", jobs.clone());
        let took = Family::new_with_constructor(buckets as fn() -> Histogram);
        registry.register("job_seconds", "How long jobs took", took.clone());
        let pickup = buckets();
        registry.register(
            "pickup_seconds",
            "From a job's due time to its start",
            pickup.clone(),
        );
        let work = Family::default();
        registry.register("work", "Rows of work that are not done", work.clone());
        let oldest = Seconds::default();
        registry.register(
            "oldest_due_seconds",
            "How long the job that is due longest has been due",
            oldest.clone(),
        );
        let workers = Gauge::default();
        registry.register("workers", "Workers with a sign of life", workers.clone());
        let record_up = Gauge::default();
        registry.register("record_up", "The record answers", record_up.clone());
        let waiting = Gauge::default();
        registry.register("queue_waiting", "Tickets no worker took", waiting.clone());
        let taken = Gauge::default();
        registry.register("queue_taken", "Tickets workers hold", taken.clone());
        let queue_up = Gauge::default();
        registry.register("queue_up", "Redis answers", queue_up.clone());
        Self {
            registry,
            jobs,
            took,
            pickup,
            work,
            oldest,
            workers,
            record_up,
            waiting,
            taken,
            queue_up,
        }
    }

    /// A job of this kind (`sync_issue`) ended so (`done`, `failed`, …).
    pub fn job_ended(&self, kind: &'static str, ending: &'static str, took: Duration) {
        self.jobs.get_or_create(&Job { kind, ending }).inc();
        self.took
            .get_or_create(&Kind { kind })
            .observe(took.as_secs_f64());
    }

    /// A job was started this long after it was due.
    pub fn picked_up(&self, after: Duration) {
        self.pickup.observe(after.as_secs_f64());
    }

    pub(crate) fn deployment(&self, totals: &WorkTotals) {
        self.record_up.set(1);
        for (state, count) in [
            ("pending", totals.pending),
            ("queued", totals.queued),
            ("running", totals.running),
            ("dead", totals.dead),
        ] {
            let state = State {
                state: state.to_owned(),
            };
            self.work.get_or_create(&state).set(count);
        }
        self.oldest.set(totals.oldest_due.as_secs_f64());
        self.workers.set(totals.workers);
    }

    pub(crate) fn deployment_unknown(&self) {
        self.record_up.set(0);
    }

    pub(crate) fn queue(&self, health: Option<&Health>) {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.queue_up.set(i64::from(health.is_some()));
        if let Some(health) = health {
            self.waiting.set(number(health.waiting));
            self.taken.set(number(health.taken));
        }
    }

    pub(crate) fn encoded(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}
