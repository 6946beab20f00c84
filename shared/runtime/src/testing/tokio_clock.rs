use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ports::{BoxFuture, Clock};
use std::time::Duration;
use tokio::time::Instant;

/// A clock over tokio's time: under `tokio::time::pause()` hours pass as fast as the runtime is
/// idle. Its time of day begins where it is told.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    epoch: DateTime<Utc>,
    start: Instant,
}

impl TokioClock {
    /// Begins at `epoch`.
    #[expect(clippy::disallowed_methods, reason = "a clock asks the time")]
    pub fn starting_at(epoch: DateTime<Utc>) -> Self {
        Self {
            epoch,
            start: Instant::now(),
        }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> DateTime<Utc> {
        TimeDelta::from_std(self.monotonic())
            .ok()
            .and_then(|elapsed| self.epoch.checked_add_signed(elapsed))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "a clock waits")]
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_hour_passes_at_once_while_time_is_paused() {
        let epoch = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let clock = TokioClock::starting_at(epoch);
        clock.sleep(Duration::from_secs(3600)).await;
        assert_eq!(clock.monotonic(), Duration::from_secs(3600));
        assert_eq!(clock.now(), epoch + TimeDelta::hours(1));
    }
}
