use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ports::{BoxFuture, Clock};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// A clock that stands still until it is moved. Clones are the same clock.
#[derive(Clone, Debug)]
pub struct ManualClock {
    /// The time of day when `elapsed` was zero.
    epoch: Arc<Mutex<DateTime<Utc>>>,
    elapsed: Arc<watch::Sender<Duration>>,
}

impl ManualClock {
    /// Stands at `now`.
    pub fn starting_at(now: DateTime<Utc>) -> Self {
        Self {
            epoch: Arc::new(Mutex::new(now)),
            elapsed: Arc::new(watch::Sender::new(Duration::ZERO)),
        }
    }

    /// Lets time pass and wakes who has slept long enough.
    pub fn advance(&self, by: Duration) {
        self.elapsed
            .send_modify(|elapsed| *elapsed = elapsed.saturating_add(by));
    }

    /// Sets the time of day without time passing, as an administrator or NTP does.
    pub fn jump(&self, by: TimeDelta) {
        let mut epoch = self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        *epoch = epoch.checked_add_signed(by).unwrap_or(*epoch);
    }

    /// How many are asleep.
    pub fn sleepers(&self) -> usize {
        self.elapsed.receiver_count()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        let epoch = *self.epoch.lock().unwrap_or_else(PoisonError::into_inner);
        TimeDelta::from_std(self.monotonic())
            .ok()
            .and_then(|elapsed| epoch.checked_add_signed(elapsed))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn monotonic(&self) -> Duration {
        *self.elapsed.borrow()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let until = self.monotonic().saturating_add(duration);
        let mut elapsed = self.elapsed.subscribe();
        Box::pin(async move {
            if elapsed.wait_for(|elapsed| *elapsed >= until).await.is_err() {
                // Nobody is left who could move this clock.
                std::future::pending::<()>().await;
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> ManualClock {
        ManualClock::starting_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
    }

    #[tokio::test]
    async fn a_sleeper_wakes_when_its_time_has_passed_and_not_before() {
        let clock = clock();
        let sleeping = tokio::spawn(clock.sleep(Duration::from_secs(10)));
        clock.advance(Duration::from_secs(9));
        tokio::task::yield_now().await;
        assert!(!sleeping.is_finished());
        assert_eq!(clock.sleepers(), 1);
        clock.advance(Duration::from_secs(1));
        sleeping.await.unwrap();
        assert_eq!(clock.sleepers(), 0);
    }

    #[test]
    fn a_jump_moves_the_time_of_day_alone() {
        let clock = clock();
        let before = clock.now();
        clock.jump(TimeDelta::hours(-1));
        assert_eq!(clock.now(), before - TimeDelta::hours(1));
        assert_eq!(clock.monotonic(), Duration::ZERO);
    }
}
