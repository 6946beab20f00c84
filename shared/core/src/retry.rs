//! How long to wait before the next attempt.

use std::time::Duration;

/// Attempts before a failing row of work becomes a dead letter.
pub const MAX_ATTEMPTS: i64 = 8;

const BASE: Duration = Duration::from_secs(2);
const CEILING: Duration = Duration::from_secs(15 * 60);
const FIRST_LOOK: Duration = Duration::from_secs(60);
const RAREST_LOOK: Duration = Duration::from_secs(60 * 60);

/// The wait after the `attempt`-th failure (1 is the first): exponential, at most 15 minutes, and
/// spread evenly over its upper half by `random`, so that a crowd does not come back at once.
pub fn delay(attempt: i64, random: u64) -> Duration {
    let doublings = u32::try_from(attempt.clamp(1, 20)).unwrap_or(1) - 1;
    let full = BASE.saturating_mul(1 << doublings).min(CEILING);
    let half = full / 2;
    let spread = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);
    half + Duration::from_millis(random % spread)
}

/// The wait before a mirror that is at fault is looked at again, after the `look`-th look that found
/// it so (0: none yet): one minute, doubled each time, at most an hour.
pub fn next_look(look: i64) -> Duration {
    let doublings = u32::try_from(look.clamp(0, 6)).unwrap_or(0);
    FIRST_LOOK.saturating_mul(1 << doublings).min(RAREST_LOOK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fault_is_looked_at_ever_more_rarely_but_at_least_each_hour() {
        let minutes: Vec<u64> = (0..8).map(|look| next_look(look).as_secs() / 60).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    proptest! {
        #[test]
        fn waits_grow_and_stay_within_bounds(attempt in 1i64..100, random: u64) {
            let wait = delay(attempt, random);
            prop_assert!(wait >= BASE / 2);
            prop_assert!(wait <= CEILING);
            prop_assert!(delay(attempt + 2, random % 7) >= delay(attempt, random % 7));
        }
    }
}
