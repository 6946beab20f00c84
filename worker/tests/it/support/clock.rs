//! Time that the story moves, on this side and on both GitLabs at once.

use chrono::{DateTime, TimeDelta, Utc};
use gitlab_sim::SimClock;
use mirror_core::ports::{BoxFuture, Clock};
use mirror_runtime::testing::ManualClock;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Lengths that nothing but a time-out or a lease's renewal has, so that they can be told from
/// waits.
pub(crate) const READ_PATIENCE: Duration = Duration::from_millis(60_001);
pub(crate) const BODY_PATIENCE: Duration = Duration::from_millis(30_001);
pub(crate) const LEASE: Duration = Duration::from_secs(90);
const RENEWAL: Duration = Duration::from_secs(30);

/// The clocks of the two GitLabs are wrong, and differently: no rule may lean on their agreement.
const SOURCE_SKEW: TimeDelta = TimeDelta::seconds(7 * 60);
const TARGET_SKEW: TimeDelta = TimeDelta::seconds(-4 * 60);

/// A wait passes at once; a time-out passes only when a request hangs.
#[derive(Clone)]
pub(crate) struct TestClock {
    ours: ManualClock,
    pub(crate) source: SimClock,
    pub(crate) target: SimClock,
    held: Arc<AtomicUsize>,
}

/// While it lives no request is taken to hang: the story makes one wait, and time is its to move.
pub(crate) struct Hold(TestClock);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.held.fetch_sub(1, Ordering::Relaxed);
    }
}

impl TestClock {
    pub(crate) fn new() -> Self {
        let start = DateTime::from_timestamp(1_767_603_600, 0).unwrap();
        Self {
            ours: ManualClock::starting_at(start),
            source: SimClock::manual(start + SOURCE_SKEW),
            target: SimClock::manual(start + TARGET_SKEW),
            held: Arc::default(),
        }
    }

    pub(crate) fn hold(&self) -> Hold {
        self.held.fetch_add(1, Ordering::Relaxed);
        Hold(self.clone())
    }

    pub(super) fn is_held(&self) -> bool {
        self.held.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.source.advance(by);
        self.target.advance(by);
        self.ours.advance(by);
    }

    pub(crate) fn advance_to(&self, moment: DateTime<Utc>) {
        let ahead = (moment - self.ours.now()).to_std().unwrap_or_default();
        // Times of the record are cut to microseconds.
        self.advance(ahead + Duration::from_micros(1));
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        self.ours.now()
    }

    fn monotonic(&self) -> Duration {
        self.ours.monotonic()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if [READ_PATIENCE, BODY_PATIENCE, RENEWAL].contains(&duration) {
            return self.ours.sleep(duration);
        }
        self.advance(duration);
        Box::pin(tokio::task::yield_now())
    }
}
