//! What is counted. Names follow the conventions of Prometheus: a unit at the end, `_total` for
//! what only grows.

use mirror_queue::connection::Health;
use mirror_store::WorkTotals;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};
use std::{fmt, sync::atomic::AtomicU64};

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct State {
    state: String,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Written {
    what: &'static str,
}

type Seconds = Gauge<f64, AtomicU64>;

/// What this process counts, and how the deployment stood when it was last asked.
pub struct Metrics {
    registry: Registry,
    issues: Counter,
    written: Family<Written, Counter>,
    waits: Counter,
    failures: Counter,
    given_up: Counter,
    pauses: Counter,
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

impl Metrics {
    /// Nothing is counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("issue_mirror");
        let mut counter = |name, help| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let issues = counter("issues", "Jobs of issues that ended well in this process");
        let waits = counter("waits", "Jobs put off until a known time");
        let failures = counter("failures", "Jobs that failed and are tried again");
        let given_up = counter("given_up", "Jobs that were given up");
        let pauses = counter("pauses", "Mirrors that were paused for a fault");
        let written = Family::default();
        registry.register("written", "What was written on targets", written.clone());
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
            issues,
            written,
            waits,
            failures,
            given_up,
            pauses,
            work,
            oldest,
            workers,
            record_up,
            waiting,
            taken,
            queue_up,
        }
    }

    /// A job of an issue ended well and wrote so much.
    pub fn written(&self, comments: u64, files: u64) {
        self.issues.inc();
        for (what, count) in [("comments", comments), ("files", files)] {
            self.written.get_or_create(&Written { what }).inc_by(count);
        }
    }

    /// A job was put off until a known time.
    pub fn waited(&self) {
        self.waits.inc();
    }

    /// A job failed, and will be tried again or not.
    pub fn failed(&self, gave_up: bool) {
        if gave_up {
            self.given_up.inc();
        } else {
            self.failures.inc();
        }
    }

    /// A mirror was paused for a fault.
    pub fn mirror_paused(&self) {
        self.pauses.inc();
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
