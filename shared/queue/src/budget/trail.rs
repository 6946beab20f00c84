//! Counting one class of requests so that no window of any server holds more than the limit.
//!
//! A request is counted from its admission until one period after its answer. Let `S` be the
//! requests that reach the server within one of its windows, fixed or sliding, and `j` the one of
//! them that was admitted last, at `a`. The window is no longer than a period and contains `j`'s
//! arrival, which is not before `a`; so every `i` of `S` arrived after `a - period`, and its answer
//! came later still. Hence each was counted when `j` was admitted, and `|S| <= limit`.
//!
//! Only counts matter, not which answer belongs to which request.

use super::limit::Limit;
use std::{collections::VecDeque, time::Duration};

/// A request whose end was never reported is forgotten after this time, so that a mistake
/// elsewhere slows us down and does not stop us.
const LOST: Duration = Duration::from_secs(3600);

/// How long a person's request that had to wait keeps others out of the reserve, beyond the time
/// it was told to wait.
const COURTESY: Duration = Duration::from_secs(1);

/// Whether there is room for one more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Room {
    /// There is.
    Free,
    /// Not before so much time has passed.
    In(Duration),
    /// Not before one of the requests on their way is answered.
    AfterAnswer,
}

impl Room {
    /// Room in both: the longer wait.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::In(one), Self::In(two)) => Self::In(one.max(two)),
            (Self::In(wait), Self::Free | Self::AfterAnswer)
            | (Self::Free | Self::AfterAnswer, Self::In(wait)) => Self::In(wait),
            (Self::AfterAnswer, Self::Free | Self::AfterAnswer)
            | (Self::Free, Self::AfterAnswer) => Self::AfterAnswer,
            (Self::Free, Self::Free) => Self::Free,
        }
    }

    /// Room in one of them: the shorter wait. Time is surer than an answer.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Free, _) | (_, Self::Free) => Self::Free,
            (Self::In(one), Self::In(two)) => Self::In(one.min(two)),
            (Self::In(wait), Self::AfterAnswer) | (Self::AfterAnswer, Self::In(wait)) => {
                Self::In(wait)
            }
            (Self::AfterAnswer, Self::AfterAnswer) => Self::AfterAnswer,
        }
    }

    fn at(time: Duration, now: Duration) -> Self {
        let wait = time.saturating_sub(now);
        if wait.is_zero() {
            Self::Free
        } else {
            Self::In(wait)
        }
    }
}

/// A tenth of every limit is the reserve.
pub(super) fn reserve_of(requests: u64) -> u64 {
    requests / 10
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Share {
    Common,
    Reserve,
}

#[derive(Debug, Default)]
struct Places {
    on_their_way: u64,
    answered: VecDeque<Duration>,
}

impl Places {
    fn counted(&self) -> u64 {
        self.on_their_way
            .saturating_add(u64::try_from(self.answered.len()).unwrap_or(u64::MAX))
    }

    fn forget(&mut self, now: Duration, occupied: Duration) {
        while let Some(answered) = self.answered.front()
            && now.saturating_sub(*answered) >= occupied
        {
            self.answered.pop_front();
        }
    }

    fn room(&self, now: Duration, places: u64, occupied: Duration) -> Room {
        if self.counted() < places {
            return Room::Free;
        }
        match self.answered.front() {
            Some(answered) => Room::at(answered.saturating_add(occupied), now),
            None => Room::AfterAnswer,
        }
    }
}

#[derive(Debug)]
struct OnItsWay {
    since: Duration,
    share: Share,
    by_hand: bool,
}

/// The requests of one class that a server may be counting. Times are monotonic.
#[derive(Debug, Default)]
pub(super) struct Trail {
    on_their_way: VecDeque<OnItsWay>,
    common: Places,
    reserve: Places,
    trickled: Option<Duration>,
    a_person_waits_until: Duration,
}

impl Trail {
    /// How many are on their way.
    pub(super) fn on_their_way(&self) -> u64 {
        u64::try_from(self.on_their_way.len()).unwrap_or(u64::MAX)
    }

    /// How many are counted, on their way or answered within the period.
    pub(super) fn counted(&self) -> u64 {
        self.common.counted().saturating_add(self.reserve.counted())
    }

    /// How many were answered within the period.
    pub(super) fn answered(&self) -> u64 {
        self.counted().saturating_sub(self.on_their_way())
    }

    /// When the next answered request stops being counted.
    pub(super) fn next_end(&self, period: Duration) -> Option<Duration> {
        [self.common.answered.front(), self.reserve.answered.front()]
            .into_iter()
            .flatten()
            .min()
            .map(|answered| answered.saturating_add(occupied(period)))
    }

    /// Forgets what no server counts any more.
    pub(super) fn settle(&mut self, now: Duration, period: Duration) {
        while let Some(oldest) = self.on_their_way.front()
            && now.saturating_sub(oldest.since) >= LOST
        {
            let by_hand = oldest.by_hand;
            self.answered_now(now, by_hand);
        }
        self.common.forget(now, occupied(period));
        self.reserve.forget(now, occupied(period));
    }

    /// Is there room under this limit?
    pub(super) fn room(&mut self, now: Duration, limit: &Limit, by_hand: bool) -> Room {
        self.settle(now, limit.period);
        let reserve = reserve_of(limit.requests);
        let common = self.common_room(now, limit);
        let reserved = if by_hand {
            self.reserve.room(now, reserve, occupied(limit.period))
        } else {
            self.trickle_room(now, limit)
        };
        let room = if reserve == 0 {
            common
        } else {
            common.or(reserved)
        };
        match room {
            Room::In(wait) if by_hand => {
                self.a_person_waits_until = now.saturating_add(wait).saturating_add(COURTESY);
            }
            Room::Free | Room::In(_) | Room::AfterAnswer => {}
        }
        room
    }

    fn common_room(&self, now: Duration, limit: &Limit) -> Room {
        let places = limit.requests.saturating_sub(reserve_of(limit.requests));
        self.common.room(now, places, occupied(limit.period))
    }

    /// Work that nobody waits for passes through the reserve evenly, and not while somebody waits.
    fn trickle_room(&self, now: Duration, limit: &Limit) -> Room {
        let reserve = reserve_of(limit.requests);
        let step = limit.period / u32::try_from(reserve).unwrap_or(u32::MAX).max(1);
        let next = match self.trickled {
            Some(last) => Room::at(last.saturating_add(step), now),
            None => Room::Free,
        };
        self.reserve
            .room(now, reserve, occupied(limit.period))
            .and(next)
            .and(Room::at(self.a_person_waits_until, now))
    }

    /// Counts an admitted request.
    pub(super) fn admit(&mut self, now: Duration, limit: Option<&Limit>, by_hand: bool) {
        let share = match limit {
            Some(limit) => self.share(now, limit, by_hand),
            None => Share::Common,
        };
        if share == Share::Reserve && !by_hand {
            self.trickled = Some(now);
        }
        let places = self.places(share);
        places.on_their_way = places.on_their_way.saturating_add(1);
        self.on_their_way.push_back(OnItsWay {
            since: now,
            share,
            by_hand,
        });
    }

    /// A person's request takes from the reserve first: that is what it is for.
    fn share(&self, now: Duration, limit: &Limit, by_hand: bool) -> Share {
        let reserve = reserve_of(limit.requests);
        let reserve_is_free = self.reserve.counted() < reserve;
        let common_is_full = self.common_room(now, limit) != Room::Free;
        if reserve_is_free && (by_hand || common_is_full) {
            Share::Reserve
        } else {
            Share::Common
        }
    }

    /// One of the requests was answered, or given up.
    pub(super) fn answered_now(&mut self, now: Duration, by_hand: bool) {
        let position = self
            .on_their_way
            .iter()
            .position(|request| request.by_hand == by_hand);
        let Some(request) = position.and_then(|position| self.on_their_way.remove(position)) else {
            return;
        };
        let places = self.places(request.share);
        places.on_their_way = places.on_their_way.saturating_sub(1);
        places.answered.push_back(now);
    }

    fn places(&mut self, share: Share) -> &mut Places {
        match share {
            Share::Common => &mut self.common,
            Share::Reserve => &mut self.reserve,
        }
    }
}

/// The period, and some care: two clocks tick at rates that differ by up to 200 millionths, and a
/// window may count both of its ends.
fn occupied(period: Duration) -> Duration {
    period
        .saturating_add(period / 5000)
        .saturating_add(Duration::from_millis(10))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_core::ports::Class;

    const LIMIT: Limit = Limit {
        class: Class::Api,
        requests: 20,
        period: Duration::from_secs(60),
    };

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Sends as many as there is room for, answered at once.
    fn send_all(trail: &mut Trail, now: Duration, by_hand: bool) -> u64 {
        let mut sent = 0;
        while trail.room(now, &LIMIT, by_hand) == Room::Free {
            trail.admit(now, Some(&LIMIT), by_hand);
            trail.answered_now(now, by_hand);
            sent += 1;
        }
        sent
    }

    #[test]
    fn a_place_is_free_one_period_after_the_answer_not_after_the_question() {
        let mut trail = Trail::default();
        for _ in 0..20 {
            assert_eq!(trail.room(seconds(0), &LIMIT, true), Room::Free);
            trail.admit(seconds(0), Some(&LIMIT), true);
        }
        assert_eq!(trail.room(seconds(30), &LIMIT, true), Room::AfterAnswer);
        trail.answered_now(seconds(30), true);
        assert!(matches!(trail.room(seconds(61), &LIMIT, true), Room::In(_)));
        assert_eq!(trail.room(seconds(91), &LIMIT, true), Room::Free);
    }

    #[test]
    fn a_person_finds_the_reserve_when_the_rest_is_used_up() {
        let mut trail = Trail::default();
        assert_eq!(send_all(&mut trail, seconds(0), false), 18 + 1);
        assert_eq!(trail.room(seconds(0), &LIMIT, true), Room::Free);
        assert_eq!(send_all(&mut trail, seconds(0), true), 1);
    }

    #[test]
    fn the_reserve_does_not_lie_idle_when_nobody_asks_for_it() {
        let mut trail = Trail::default();
        let mut sent = 0;
        for second in 0..60 {
            sent += send_all(&mut trail, seconds(second), false);
        }
        assert_eq!(sent, 20);
    }

    #[test]
    fn a_waiting_person_goes_before_the_trickle() {
        let mut trail = Trail::default();
        send_all(&mut trail, seconds(0), false);
        send_all(&mut trail, seconds(0), true);
        let Room::In(wait) = trail.room(seconds(50), &LIMIT, true) else {
            panic!("all is used");
        };
        let freed = seconds(50) + wait;
        let other = Trail::trickle_room(&trail, freed, &LIMIT);
        assert!(matches!(other, Room::In(_)), "{other:?}");
        assert_eq!(trail.room(freed, &LIMIT, true), Room::Free);
    }

    #[test]
    fn a_request_whose_end_was_never_told_does_not_hold_its_place_for_ever() {
        let mut trail = Trail::default();
        for _ in 0..20 {
            trail.admit(seconds(0), Some(&LIMIT), true);
        }
        trail.settle(LOST, LIMIT.period);
        assert_eq!(trail.on_their_way(), 0);
        assert_eq!(send_all(&mut trail, LOST + seconds(61), true), 20);
    }

    #[test]
    fn a_tiny_limit_has_no_reserve_and_is_used_whole() {
        let tiny = Limit {
            requests: 1,
            ..LIMIT
        };
        let mut trail = Trail::default();
        assert_eq!(trail.room(seconds(0), &tiny, false), Room::Free);
        trail.admit(seconds(0), Some(&tiny), false);
        assert_eq!(trail.room(seconds(0), &tiny, false), Room::AfterAnswer);
    }
}
