//! What others use of an account, as far as announcements show.
//!
//! Within a window `remaining` falls by our requests and by theirs. Ours are those answered since,
//! and at most those still on their way; the rest is theirs. The first request of a window goes
//! alone, so none of ours is taken for theirs.

use super::written;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Their pace is taken anew so often.
const WHILE: Duration = Duration::from_secs(5);

/// How old an announcement is when our next request arrives, beyond the time since we heard it.
const JOURNEYS: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Strangers {
    /// What remained when the window was first heard of.
    first: u64,
    /// Answers since.
    answers: u64,
    /// Theirs since.
    theirs: u64,
    /// Theirs when the current while began.
    theirs_before: u64,
    #[serde(with = "written::millis")]
    began: Duration,
    /// Theirs in a while, by the one before it.
    last: u64,
    #[serde(with = "written::millis")]
    heard: Duration,
}

impl Strangers {
    pub(super) fn in_new_window(now: Duration, remaining: u64, before: Option<&Self>) -> Self {
        Self {
            first: remaining,
            answers: 0,
            theirs: 0,
            theirs_before: 0,
            began: now,
            last: before.map_or(0, Self::in_a_while),
            heard: now,
        }
    }

    /// One of ours was answered.
    pub(super) fn answered(&mut self) {
        self.answers = self.answers.saturating_add(1);
    }

    /// So many remain, while so many of ours are on their way.
    pub(super) fn learn(&mut self, now: Duration, remaining: u64, on_their_way: u64) {
        self.heard = now;
        let fallen = self.first.saturating_sub(remaining);
        let ours = self.answers.saturating_add(on_their_way);
        self.theirs = self.theirs.max(fallen.saturating_sub(ours));
        if now.saturating_sub(self.began) >= WHILE {
            self.last = self.lately();
            self.theirs_before = self.theirs;
            self.began = now;
        }
    }

    fn in_a_while(&self) -> u64 {
        self.last.max(self.lately())
    }

    /// In a while, if they go on as in the current one.
    fn lately(&self) -> u64 {
        let theirs = self.theirs.saturating_sub(self.theirs_before);
        // A window may be used up within moments.
        let passed = self.heard.saturating_sub(self.began).max(WHILE / 2);
        let in_a_while = u128::from(theirs)
            .saturating_mul(WHILE.as_millis())
            .div_ceil(passed.as_millis().max(1));
        u64::try_from(in_a_while).unwrap_or(u64::MAX)
    }

    /// What they may have used when a request that leaves now arrives: what they use on average,
    /// and twice what that varies by.
    pub(super) fn share(&self, now: Duration) -> u64 {
        let stale = now.saturating_sub(self.heard).saturating_add(JOURNEYS);
        let stale = stale.as_millis();
        let average = u128::from(self.in_a_while())
            .saturating_mul(stale)
            .div_ceil(WHILE.as_millis());
        let average = u64::try_from(average).unwrap_or(u64::MAX);
        average.saturating_add(average.isqrt().saturating_mul(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn who_is_alone_leaves_nothing_to_others() {
        let mut strangers = Strangers::in_new_window(seconds(0), 599, None);
        // Three are sent together, and the last is answered first.
        for (answered, remaining) in [(1, 596), (2, 596), (3, 596)] {
            strangers.answered();
            strangers.learn(seconds(1), remaining, 3 - answered);
        }
        assert_eq!(strangers.share(seconds(2)), 0);
    }

    #[test]
    fn what_strangers_use_in_a_journey_is_left_to_them() {
        let mut strangers = Strangers::in_new_window(seconds(0), 599, None);
        for second in 1..=20 {
            strangers.answered();
            strangers.learn(seconds(second), 599 - 6 * second, 0);
        }
        // Five a second: five on average, and four more.
        assert_eq!(strangers.share(seconds(20)), 9);
        let next = Strangers::in_new_window(seconds(60), 599, Some(&strangers));
        assert_eq!(next.share(seconds(60)), 9);
    }

    #[test]
    fn strangers_who_have_gone_are_forgotten() {
        let mut strangers = Strangers::in_new_window(seconds(0), 599, None);
        for second in 1..=20 {
            strangers.answered();
            strangers.learn(seconds(second), 299 - second, 0);
        }
        assert_eq!(strangers.share(seconds(20)), 0);
    }
}
