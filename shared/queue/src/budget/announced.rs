//! What the instance itself announces: `RateLimit-Remaining` until `RateLimit-Reset`.
//!
//! A server's count only grows within a window, so the lowest number seen is the newest, whatever
//! order the answers came in. Requests still on their way may or may not be in it, so they are held
//! against it; once they are answered they are: either their own number is lower, or they had been
//! counted before. So nothing is overdrawn, and nothing stays unused when the last answers are in.
//!
//! Others may use the account too. What the number fell by beyond our own requests is theirs, and
//! as much as they may take until our next request arrives is left to them (`strangers.rs`).

use super::{room::Room, strangers::Strangers, trail::reserve_of, written};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Resets computed from a remaining time differ by rounding.
const SAME_WINDOW: TimeDelta = TimeDelta::seconds(1);

/// For a window whose length was not told.
const USUAL_PERIOD: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Window {
    /// On the instance's clock: tells windows apart.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    reset: DateTime<Utc>,
    /// On our monotonic clock: when it has surely ended.
    #[serde(with = "written::millis")]
    ends: Duration,
    remaining: u64,
    limit: Option<u64>,
    /// Answered since without a word about the limit: counted or not, nobody knows.
    silent: u64,
    strangers: Strangers,
}

/// The newest announcement.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Announced {
    window: Option<Window>,
}

/// One announcement, its reset in both times.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announcement {
    pub(super) remaining: u64,
    pub(super) limit: Option<u64>,
    pub(super) reset: DateTime<Utc>,
    pub(super) ends: Duration,
}

impl Announced {
    /// Is there room, with so many requests on their way?
    pub(super) fn room(&self, now: Duration, on_their_way: u64, by_hand: bool) -> Room {
        let Some(window) = &self.window else {
            return Room::Free;
        };
        if now >= window.ends {
            // Nothing is known of the new window: one request asks.
            return if on_their_way == 0 {
                Room::Free
            } else {
                Room::AfterAnswer
            };
        }
        let left = window.ends.saturating_sub(now);
        let sure = window.remaining.saturating_sub(window.silent);
        let sure = sure.saturating_sub(window.strangers.share(now));
        let free = sure.saturating_sub(on_their_way);
        let reserve = if by_hand { 0 } else { window.reserve(left) };
        if free > reserve {
            Room::Free
        } else if sure > reserve && on_their_way > 0 {
            Room::AfterAnswer
        } else if sure > 0 && reserve > 0 {
            Room::In(window.next_release(left))
        } else {
            Room::In(left)
        }
    }

    /// An answer announced this, while so many others are on their way.
    pub(super) fn learn(&mut self, now: Duration, announcement: Announcement, on_their_way: u64) {
        let Announcement {
            remaining,
            limit,
            reset,
            ends,
        } = announcement;
        let later = |window: &Window| reset.signed_duration_since(window.reset);
        match &mut self.window {
            Some(window) if later(window) < -SAME_WINDOW => {}
            Some(window) if later(window) <= SAME_WINDOW && now < window.ends => {
                window.strangers.answered();
                window.ends = window.ends.min(ends);
                window.limit = limit.or(window.limit);
                if remaining < window.remaining {
                    window.remaining = remaining;
                    window.silent = 0;
                }
                let remaining = window.remaining;
                window.strangers.learn(now, remaining, on_their_way);
            }
            other => {
                let before = other.as_ref().map(|window| &window.strangers);
                *other = Some(Window {
                    reset,
                    ends,
                    remaining,
                    limit,
                    silent: 0,
                    strangers: Strangers::in_new_window(now, remaining, before),
                });
            }
        }
    }

    /// An answer announced nothing.
    pub(super) fn learn_nothing(&mut self, now: Duration) {
        match &mut self.window {
            // An instance that no longer announces has no window to wait for.
            Some(window) if now >= window.ends => self.window = None,
            Some(window) => {
                window.silent = window.silent.saturating_add(1);
                window.strangers.answered();
            }
            None => {}
        }
    }

    /// Of two that know different things the later window, or the one with less left.
    pub(super) fn recall(&mut self, others: &Self) {
        let later = match (&self.window, &others.window) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(ours), Some(theirs)) => {
                let apart = theirs.reset.signed_duration_since(ours.reset);
                apart > SAME_WINDOW || (apart >= -SAME_WINDOW && theirs.remaining < ours.remaining)
            }
        };
        if later {
            self.window.clone_from(&others.window);
        }
    }

    /// When the window ends of which nothing is left.
    pub(super) fn used_up_until(&self, now: Duration) -> Option<Duration> {
        let window = self.window.as_ref()?;
        let used_up = window.remaining <= window.silent && now < window.ends;
        used_up.then_some(window.ends)
    }

    /// The window that is open now: limit, what remains, when it ends.
    pub(super) fn current(&self, now: Duration) -> Option<(Option<u64>, u64, Duration)> {
        self.window
            .as_ref()
            .filter(|window| now < window.ends)
            .map(|window| (window.limit, window.remaining, window.ends))
    }
}

impl Window {
    /// What is still kept for people: less and less towards the window's end, where keeping it
    /// would only waste it.
    fn reserve(&self, left: Duration) -> u64 {
        let whole = reserve_of(self.limit.unwrap_or(0).min(u64::from(u32::MAX)));
        let part = left.as_millis().min(USUAL_PERIOD.as_millis());
        let kept = u128::from(whole).saturating_mul(part) / USUAL_PERIOD.as_millis();
        u64::try_from(kept).unwrap_or(whole)
    }

    /// How long until one less is kept.
    fn next_release(&self, left: Duration) -> Duration {
        let whole = u32::try_from(reserve_of(self.limit.unwrap_or(0))).unwrap_or(u32::MAX);
        (USUAL_PERIOD / whole.max(1))
            .max(Duration::from_millis(1))
            .min(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announcement(remaining: u64, ends: u64) -> Announcement {
        Announcement {
            remaining,
            limit: Some(600),
            reset: DateTime::from_timestamp(1_800_000_000 + i64::try_from(ends).unwrap(), 0)
                .unwrap(),
            ends: Duration::from_secs(ends),
        }
    }

    const START: Duration = Duration::from_secs(1);

    #[test]
    fn a_late_answer_does_not_raise_what_remains() {
        let mut announced = Announced::default();
        announced.learn(START, announcement(3, 60), 0);
        announced.learn(START, announcement(5, 60), 0);
        assert_eq!(announced.current(START).unwrap().1, 3);
        // And one of an earlier window says nothing about this one.
        announced.learn(START, announcement(1, 0), 0);
        assert_eq!(announced.current(START).unwrap().1, 3);
    }

    #[test]
    fn requests_on_their_way_are_held_against_what_remains() {
        let mut announced = Announced::default();
        announced.learn(START, announcement(3, 60), 0);
        assert_eq!(announced.room(START, 2, true), Room::Free);
        assert_eq!(announced.room(START, 3, true), Room::AfterAnswer);
        announced.learn(START, announcement(0, 60), 0);
        assert_eq!(
            announced.room(START, 3, true),
            Room::In(Duration::from_secs(59))
        );
    }

    #[test]
    fn a_new_window_is_asked_after_by_one_request() {
        let mut announced = Announced::default();
        announced.learn(START, announcement(0, 60), 0);
        let later = Duration::from_secs(60);
        assert_eq!(announced.room(later, 0, false), Room::Free);
        assert_eq!(announced.room(later, 1, false), Room::AfterAnswer);
        announced.learn(later, announcement(599, 120), 0);
        assert_eq!(announced.room(later, 30, false), Room::Free);
    }

    #[test]
    fn the_reserve_shrinks_towards_the_windows_end() {
        let mut announced = Announced::default();
        announced.learn(START, announcement(20, 60), 0);
        assert!(matches!(announced.room(START, 0, false), Room::In(_)));
        assert_eq!(announced.room(START, 0, true), Room::Free);
        assert_eq!(
            announced.room(Duration::from_secs(45), 0, false),
            Room::Free
        );
    }

    #[test]
    fn silent_answers_count_as_used_until_the_next_word() {
        let mut announced = Announced::default();
        announced.learn(START, announcement(2, 60), 0);
        announced.learn_nothing(START);
        assert_eq!(announced.room(START, 1, true), Room::AfterAnswer);
        announced.learn(START, announcement(1, 60), 0);
        assert_eq!(announced.room(START, 0, true), Room::Free);
    }

    #[test]
    fn an_instance_that_stops_announcing_is_not_asked_one_by_one_for_ever() {
        let mut announced = Announced::default();
        announced.learn(START, announcement(2, 60), 0);
        announced.learn_nothing(Duration::from_secs(61));
        assert_eq!(
            announced.room(Duration::from_secs(62), 50, false),
            Room::Free
        );
    }
}
