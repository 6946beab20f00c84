//! The machine's own clock: the only place that asks it.

use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ports::{BoxFuture, Clock};
use std::time::{Duration, Instant};

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    start: Instant,
    off_by: TimeDelta,
}

impl SystemClock {
    /// Its monotonic time starts here.
    #[expect(clippy::disallowed_methods, reason = "this is the home of the clock")]
    pub fn new() -> Self {
        Self {
            start: Instant::now(),
            off_by: TimeDelta::zero(),
        }
    }

    /// As on a machine whose time of day is wrong by so much: for trying that nothing depends on
    /// it.
    pub fn off_by(off_by: TimeDelta) -> Self {
        Self {
            off_by,
            ..Self::new()
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the home of the clock")]
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        now.checked_add_signed(self.off_by).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the home of the clock")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}
