//! What time it is on the instance.

use super::written;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long an extreme is believed, so that a clock set back is noticed.
const GENERATION: Duration = Duration::from_secs(300);

/// Learns an instance's clock from its `Date` headers. `Date` has whole seconds and is as old as
/// the answer's journey, so each reading is too early by an unknown bit; the latest of many is
/// close to the truth, and never after it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Skew {
    #[serde(with = "written::millis")]
    began: Duration,
    current: Option<i64>,
    previous: Option<i64>,
}

impl Skew {
    /// An answer that arrives now carries this `Date`.
    pub(super) fn learn(&mut self, now: Duration, date: DateTime<Utc>) {
        if now.saturating_sub(self.began) >= GENERATION {
            self.began = now;
            self.previous = self.current.take();
        }
        let offset = date.timestamp_millis().saturating_sub(millis(now));
        self.current = self.current.max(Some(offset));
    }

    /// Takes over what was known, where nothing is.
    pub(super) fn recall(&mut self, lost: &Self) {
        if self.current.or(self.previous).is_none() {
            self.clone_from(lost);
        }
    }

    /// The monotonic time by which the instance's clock surely shows `time`. Before anything was
    /// learnt our own time of day stands in.
    pub(super) fn surely_past(
        &self,
        time: DateTime<Utc>,
        now: Duration,
        our_time: DateTime<Utc>,
    ) -> Duration {
        let offset = self
            .current
            .max(self.previous)
            .unwrap_or_else(|| our_time.timestamp_millis().saturating_sub(millis(now)));
        let at = time.timestamp_millis().saturating_sub(offset);
        Duration::from_millis(u64::try_from(at).unwrap_or(0))
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn the_latest_reading_is_the_closest() {
        let mut skew = Skew::default();
        // The instance is at 100.9 when we are at 10.0; the answer took 300 ms and says 100.
        skew.learn(Duration::from_millis(10_000), at(100));
        skew.learn(Duration::from_millis(10_200), at(101));
        let end = skew.surely_past(at(160), Duration::from_secs(11), at(0));
        assert_eq!(end, Duration::from_millis(10_200 + 59_000));
    }

    #[test]
    fn a_clock_set_back_is_believed_after_a_while() {
        let mut skew = Skew::default();
        skew.learn(Duration::from_secs(1), at(4000));
        for minute in 1..=11 {
            let now = Duration::from_secs(60 * minute);
            skew.learn(now, at(0) + TimeDelta::from_std(now).unwrap());
        }
        let now = Duration::from_secs(660);
        assert_eq!(
            skew.surely_past(at(700), now, at(0)),
            Duration::from_secs(700)
        );
    }

    #[test]
    fn without_a_date_our_own_clock_stands_in() {
        let skew = Skew::default();
        let end = skew.surely_past(at(60), Duration::from_secs(5), at(0));
        assert_eq!(end, Duration::from_secs(65));
    }
}
