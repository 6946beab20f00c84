//! When a mirror's next turn comes.

use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ports::Entropy;
use mirror_store::{DueMirror, Turn};

/// A turn comes up to this share of the interval earlier or later, in thousandths, so that mirrors
/// that once began together part.
const JITTER: i64 = 100;

/// The turn that a mirror takes now, and when the next one comes.
///
/// The next turn is counted from when this one was due, so that scans keep their places between
/// those of other mirrors; also after an outage, when one turn is taken for all that were missed.
/// A mirror that is to be compared in full for the first time gets a time of day of its own, spread
/// evenly over its full interval: at night all of them together would be one long queue. (The first
/// scan of a mirror covers everything anyway.)
pub(crate) fn turn_of(due: DueMirror, now: DateTime<Utc>, entropy: &dyn Entropy) -> Turn {
    let jitter = share(due.interval, within(entropy, 2 * JITTER) - JITTER);
    let next_scan_at = next(due.due_at, due.interval, jitter, now);
    let (full, next_full_at) = match (due.full_interval, due.next_full_at) {
        (None, _) => (false, None),
        (Some(every), None) => (false, Some(after(now, share(every, within(entropy, 1000))))),
        (Some(every), Some(at)) if at <= now => {
            (true, Some(next(at, every, TimeDelta::zero(), now)))
        }
        (Some(_), later) => (false, later),
    };
    Turn {
        due,
        full,
        next_scan_at,
        next_full_at,
    }
}

/// The first of `was + n × every` that is at least half an interval away: none that was missed is
/// made up for.
fn next(
    was: DateTime<Utc>,
    every: TimeDelta,
    jitter: TimeDelta,
    now: DateTime<Utc>,
) -> DateTime<Utc> {
    let every = every.max(TimeDelta::seconds(1));
    let late = now.signed_duration_since(was).max(TimeDelta::zero());
    let missed = late.num_seconds() / every.num_seconds().max(1);
    let missed = i32::try_from(missed).unwrap_or(i32::MAX);
    let kept = every
        .checked_mul(missed.saturating_add(1))
        .map_or(DateTime::<Utc>::MAX_UTC, |gone| after(was, gone));
    let due = after(kept, jitter);
    if due < after(now, every / 2) {
        after(due, every)
    } else {
        due
    }
}

fn after(time: DateTime<Utc>, wait: TimeDelta) -> DateTime<Utc> {
    let sum = time.checked_add_signed(wait);
    sum.unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// So many thousandths of it, to the millisecond.
fn share(whole: TimeDelta, thousandths: i64) -> TimeDelta {
    TimeDelta::milliseconds(whole.num_seconds().saturating_mul(thousandths))
}

/// Evenly from 0 to `most`.
fn within(entropy: &dyn Entropy, most: i64) -> i64 {
    let spread = most.unsigned_abs().saturating_add(1);
    i64::try_from(entropy.next_u64() % spread).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_core::ids::MirrorId;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Counts, so that every share comes up.
    #[derive(Default)]
    struct Counting(AtomicU64);

    impl Entropy for Counting {
        fn next_u64(&self) -> u64 {
            self.0.fetch_add(1, Ordering::Relaxed)
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn due(full_interval: Option<i64>, next_full_at: Option<i64>) -> DueMirror {
        DueMirror {
            mirror: MirrorId(1),
            due_at: at(1_000),
            interval: TimeDelta::seconds(300),
            full_interval: full_interval.map(TimeDelta::seconds),
            next_full_at: next_full_at.map(at),
        }
    }

    #[test]
    fn turns_are_an_interval_apart_give_or_take_a_tenth() {
        let entropy = Counting::default();
        let next: Vec<_> = (0..=200)
            .map(|_| turn_of(due(None, None), at(1_001), &entropy).next_scan_at)
            .collect();
        assert_eq!(next.iter().min(), Some(&at(1_270)));
        assert_eq!(next.iter().max(), Some(&at(1_330)));
    }

    #[test]
    fn after_an_outage_one_turn_is_taken_and_the_next_keeps_its_place() {
        let entropy = Counting::default();
        for late in [0, 10, 200, 299, 300, 301, 3_000, 86_400, 1_000_000_000] {
            let now = at(1_000 + late);
            let next = turn_of(due(None, None), now, &entropy).next_scan_at;
            assert!(next >= now + TimeDelta::seconds(150), "{late}");
            assert!(next <= now + TimeDelta::seconds(480), "{late}");
            let place = (next - at(1_000)).num_seconds() % 300;
            assert!(place <= 30 || place >= 270, "{late}: {place}");
        }
    }

    #[test]
    fn the_first_full_comparison_is_somewhen_within_its_interval_and_then_at_that_time() {
        let entropy = Counting::default();
        let day = 86_400;
        let times: Vec<_> = (0..3_000)
            .map(|_| {
                let turn = turn_of(due(Some(day), None), at(1_000), &entropy);
                assert!(!turn.full);
                turn.next_full_at.unwrap()
            })
            .collect();
        assert!(
            times
                .iter()
                .all(|time| *time >= at(1_000) && *time <= at(1_000 + day))
        );
        let early = times
            .iter()
            .filter(|time| **time < at(1_000 + day / 2))
            .count();
        assert!((1_200..1_800).contains(&early), "{early}");

        let turn = turn_of(due(Some(day), Some(900)), at(1_000), &entropy);
        assert_eq!((turn.full, turn.next_full_at), (true, Some(at(900 + day))));
        let turn = turn_of(due(Some(day), Some(1_100)), at(1_000), &entropy);
        assert_eq!((turn.full, turn.next_full_at), (false, Some(at(1_100))));
        let turn = turn_of(due(None, Some(900)), at(1_000), &entropy);
        assert_eq!((turn.full, turn.next_full_at), (false, None));
    }

    #[test]
    fn absurd_intervals_end_at_the_end_of_time() {
        let endless = DueMirror {
            interval: TimeDelta::MAX,
            ..due(Some(i64::MAX / 1_000), Some(0))
        };
        let turn = turn_of(endless, at(1_000), &Counting::default());
        assert!(turn.next_scan_at > at(1_000));
    }
}
