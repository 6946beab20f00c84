//! Counting one class of requests so that no window of any server holds more than the limit.
//!
//! A request is counted from its admission until one period after its answer. Let `S` be the
//! requests that reach the server within one of its windows, fixed or sliding, and `j` the one of
//! them that was admitted last, at `a`. The window is no longer than a period and contains `j`'s
//! arrival, which is not before `a`; so every `i` of `S` arrived after `a - period`, and its answer
//! came later still. Hence each was counted when `j` was admitted, and `|S| <= limit`.
//!
//! Only counts matter, not which answer belongs to which request, as long as both are one owner's:
//! what a process that died had sent is answered when its lease ends (`book.rs`).

use super::{
    limit::Limit,
    lineage::Recall,
    places::Places,
    room::Room,
    written::{self, Owner},
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// A request whose end was never reported is forgotten after this time, so that a mistake
/// elsewhere slows us down and does not stop us.
const LOST: Duration = Duration::from_secs(3600);

/// How long a person's request that had to wait keeps others out of the reserve, beyond the time
/// it was told to wait.
const COURTESY: Duration = Duration::from_secs(1);

/// A tenth of every limit is the reserve.
pub(super) fn reserve_of(requests: u64) -> u64 {
    requests / 10
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Share {
    Common,
    Reserve,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Line", into = "Line")]
struct OnItsWay {
    since: Duration,
    share: Share,
    by_hand: bool,
    owner: Owner,
}

/// As it is written down, once for each request: short.
#[derive(Serialize, Deserialize)]
struct Line(
    #[serde(with = "written::millis")] Duration,
    Owner,
    /// From the reserve.
    #[serde(with = "written::flag")]
    bool,
    /// By hand.
    #[serde(with = "written::flag")]
    bool,
);

impl From<Line> for OnItsWay {
    fn from(Line(since, owner, reserve, by_hand): Line) -> Self {
        let share = match reserve {
            true => Share::Reserve,
            false => Share::Common,
        };
        Self {
            since,
            share,
            by_hand,
            owner,
        }
    }
}

impl From<OnItsWay> for Line {
    fn from(request: OnItsWay) -> Self {
        let reserve = request.share == Share::Reserve;
        Self(request.since, request.owner, reserve, request.by_hand)
    }
}

/// The requests of one class that a server may be counting. Times are monotonic.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Trail {
    on_their_way: VecDeque<OnItsWay>,
    common: Places,
    reserve: Places,
    #[serde(with = "written::millis_or_none")]
    trickled: Option<Duration>,
    #[serde(with = "written::millis")]
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
            .min_by_key(|slot| slot.at)
            .map(|slot| slot.at.saturating_add(occupied(period)))
    }

    /// Forgets what no server counts any more.
    pub(super) fn settle(&mut self, now: Duration, period: Duration) {
        while let Some(oldest) = self.on_their_way.front()
            && now.saturating_sub(oldest.since) >= LOST
        {
            let (by_hand, owner) = (oldest.by_hand, oldest.owner);
            self.answered_now(now, period, by_hand, owner);
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
    pub(super) fn admit(
        &mut self,
        now: Duration,
        limit: Option<&Limit>,
        by_hand: bool,
        owner: Owner,
    ) {
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
            owner,
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

    /// One of the owner's requests was answered, or given up.
    pub(super) fn answered_now(
        &mut self,
        now: Duration,
        period: Duration,
        by_hand: bool,
        owner: Owner,
    ) {
        let position = self
            .on_their_way
            .iter()
            .position(|request| request.by_hand == by_hand && request.owner == owner);
        let Some(request) = position.and_then(|position| self.on_their_way.remove(position)) else {
            return;
        };
        let places = self.places(request.share);
        places.on_their_way = places.on_their_way.saturating_sub(1);
        places.note_answer(now, period);
    }

    /// The owner died: all of its requests have arrived by now, or never will.
    pub(super) fn bury(&mut self, now: Duration, period: Duration, owner: Owner) {
        while let Some(request) = self.on_their_way.iter().find(|it| it.owner == owner) {
            let by_hand = request.by_hand;
            self.answered_now(now, period, by_hand, owner);
        }
    }

    /// Takes over what a lost book said.
    pub(super) fn recall(&mut self, lost: &Self, recall: &Recall) {
        let stale = std::mem::take(&mut self.on_their_way);
        let (stale, others): (Vec<_>, _) =
            stale.into_iter().partition(|it| it.owner == recall.owner);
        self.on_their_way = others.into();
        for request in stale {
            let places = self.places(request.share);
            places.on_their_way = places.on_their_way.saturating_sub(1);
        }
        for request in &lost.on_their_way {
            if recall.takes(request.owner, request.since) {
                let places = self.places(request.share);
                places.on_their_way = places.on_their_way.saturating_add(1);
                self.on_their_way.push_back(OnItsWay {
                    since: request.since.min(recall.now),
                    ..request.clone()
                });
            }
        }
        self.on_their_way
            .make_contiguous()
            .sort_by_key(|request| request.since);
        self.common.recall(&lost.common, recall);
        self.reserve.recall(&lost.reserve, recall);
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
mod tests;
