//! The simulator's time: the machine's, or one that a test moves by hand.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use tokio::sync::watch;

/// A shared handle on the time that the simulated GitLab lives in; clones share it.
#[derive(Clone, Debug)]
pub struct SimClock(Source);

#[derive(Clone, Debug)]
enum Source {
    Real,
    Manual(Arc<watch::Sender<DateTime<Utc>>>),
}

impl SimClock {
    /// The machine's own time.
    #[must_use]
    pub fn real() -> Self {
        Self(Source::Real)
    }

    /// A time that stands still until [`SimClock::advance`] or [`SimClock::set`] moves it.
    #[must_use]
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Source::Manual(Arc::new(watch::Sender::new(start))))
    }

    /// The present moment, cut to the microseconds that GitLab's columns hold.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let now = match &self.0 {
            Source::Real => machine_time(),
            Source::Manual(time) => *time.borrow(),
        };
        now.duration_trunc(TimeDelta::microseconds(1))
            .unwrap_or(now)
    }

    /// Moves a manual clock forward; the machine's time cannot be moved and is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(time) = &self.0 {
            let step = TimeDelta::from_std(by).unwrap_or(TimeDelta::zero());
            time.send_modify(|now| *now += step);
        }
    }

    /// Puts a manual clock at `moment`, also backwards; the machine's time is left alone.
    pub fn set(&self, moment: DateTime<Utc>) {
        if let Source::Manual(time) = &self.0 {
            time.send_replace(moment);
        }
    }

    /// Waits until this clock has moved by `wait`: on a manual clock until somebody moves it.
    pub async fn sleep(&self, wait: Duration) {
        match &self.0 {
            Source::Real => machine_sleep(wait).await,
            Source::Manual(time) => {
                let step = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
                let due = time.borrow().checked_add_signed(step);
                let mut seen = time.subscribe();
                // An error would mean that no clock is left to move, and this one is still held.
                let _ = seen
                    .wait_for(|now| due.is_some_and(|due| *now >= due))
                    .await;
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator's own home of the machine's time"
)]
fn machine_time() -> DateTime<Utc> {
    Utc::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator's own home of waiting"
)]
async fn machine_sleep(wait: Duration) {
    tokio::time::sleep(wait).await;
}
