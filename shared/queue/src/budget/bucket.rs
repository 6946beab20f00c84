//! One class of one account: what is counted, what is announced, what was refused.

use super::{
    announced::{Announced, Announcement},
    limit::Limit,
    lineage::Recall,
    room::Room,
    trail::Trail,
    written::{self, Owner},
};
use mirror_core::ports::Class;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where no period is known: what GitLab's own limiters use, and how long to stay away after a
/// refusal that names no time.
pub(super) const USUAL_PERIOD: Duration = Duration::from_secs(60);

/// No refusal is believed for longer: GitLab counts in hours at most.
const LONGEST_REFUSAL: Duration = Duration::from_secs(3600);

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A limit that was too high again and again is tried once an hour.
const MOST_PATIENCE: u32 = 64;

/// A limit that refusals taught.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Taught {
    #[serde(with = "written::limit")]
    limit: Limit,
    /// The instance named it: not to be raised by trying.
    told: bool,
    /// A period began then.
    #[serde(with = "written::millis")]
    since: Duration,
    /// It has held somebody back since.
    binding: bool,
    /// Periods it has held somebody back without a refusal.
    calm: u32,
    /// As many it must have before it is raised: more after each attempt that failed.
    patience: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Bucket {
    #[serde(with = "written::class")]
    pub(super) class: Class,
    /// Each process is told, none tells another.
    #[serde(skip)]
    pub(super) configured: Option<Limit>,
    taught: Option<Taught>,
    trail: Trail,
    announced: Announced,
    #[serde(with = "written::millis")]
    closed_until: Duration,
}

impl Bucket {
    pub(super) fn new(class: Class, configured: Option<Limit>) -> Self {
        Self {
            class,
            configured,
            taught: None,
            trail: Trail::default(),
            announced: Announced::default(),
            closed_until: Duration::ZERO,
        }
    }

    pub(super) fn limit(&self) -> Option<Limit> {
        self.configured
            .or_else(|| self.taught.as_ref().map(|taught| taught.limit))
    }

    pub(super) fn period(&self) -> Duration {
        self.limit().map_or(USUAL_PERIOD, |limit| limit.period)
    }

    pub(super) fn room(&mut self, now: Duration, by_hand: bool) -> Room {
        self.raise(now);
        let closed = self.closed_until.saturating_sub(now);
        if !closed.is_zero() {
            return Room::In(closed);
        }
        self.trail.settle(now, self.period());
        let counted = match self.limit() {
            Some(limit) => self.trail.room(now, &limit, by_hand),
            None => Room::Free,
        };
        if let Some(taught) = &mut self.taught {
            taught.binding |= counted != Room::Free;
        }
        counted.and(self.announced.room(now, self.trail.on_their_way(), by_hand))
    }

    pub(super) fn admit(&mut self, now: Duration, by_hand: bool, owner: Owner) {
        self.trail.admit(now, self.limit().as_ref(), by_hand, owner);
    }

    pub(super) fn answered(&mut self, now: Duration, by_hand: bool, owner: Owner) {
        let period = self.period();
        self.trail.answered_now(now, period, by_hand, owner);
    }

    /// The owner died.
    pub(super) fn bury(&mut self, now: Duration, owner: Owner) {
        let period = self.period();
        self.trail.bury(now, period, owner);
    }

    /// Takes over what a lost book said.
    pub(super) fn recall(&mut self, lost: &Self, recall: &Recall) {
        self.trail.recall(&lost.trail, recall);
        self.announced.recall(&lost.announced);
        let closed_until = lost
            .closed_until
            .min(recall.now.saturating_add(LONGEST_REFUSAL));
        self.closed_until = self.closed_until.max(closed_until);
        if self.taught.is_none() {
            self.taught.clone_from(&lost.taught);
        }
    }

    /// What refusals taught.
    pub(super) fn taught(&self) -> Option<&Taught> {
        self.taught.as_ref()
    }

    /// Whether it counts nothing, waits for nothing and knows of no window.
    pub(super) fn is_at_rest(&mut self, now: Duration) -> bool {
        self.counted(now) == 0
            && self.closed_until(now).is_none()
            && self.announced.current(now).is_none()
    }

    /// Whether a new one would do as well. What refusals taught is kept for a day.
    pub(super) fn is_blank(&mut self, now: Duration) -> bool {
        let lesson = self.taught.as_ref();
        let forgotten = lesson.is_none_or(|taught| now.saturating_sub(taught.since) >= DAY);
        forgotten && self.is_at_rest(now)
    }

    /// Nothing goes before this time, not even a person's request.
    pub(super) fn shut_until(&self, now: Duration) -> Option<Duration> {
        self.closed_until(now)
            .max(self.announced.used_up_until(now))
    }

    pub(super) fn announced(&mut self, now: Duration, announcement: Option<Announcement>) {
        match announcement {
            Some(announcement) => {
                let on_their_way = self.trail.on_their_way();
                self.announced.learn(now, announcement, on_their_way);
            }
            None => self.announced.learn_nothing(now),
        }
    }

    /// A request was refused for its rate: nothing more for a while. `told` is the limit that the
    /// refusal named, if it did; else what got through in the period teaches one.
    pub(super) fn refuse(&mut self, now: Duration, wait: Option<Duration>, told: Option<u64>) {
        let was_open = self.closed_until <= now;
        let wait = wait
            .unwrap_or(USUAL_PERIOD)
            .clamp(Duration::from_secs(1), LONGEST_REFUSAL);
        self.closed_until = self.closed_until.max(now.saturating_add(wait));
        if !was_open || self.configured.is_some() {
            return;
        }
        self.trail.settle(now, self.period());
        // The refused request itself is among the answered.
        let passed = self.trail.answered().saturating_sub(1);
        let known = self.taught.take();
        let requests = known
            .as_ref()
            .map_or(u64::MAX, |known| known.limit.requests)
            .min(told.unwrap_or(passed))
            .max(1);
        self.taught = Some(Taught {
            limit: Limit {
                class: self.class,
                requests,
                period: USUAL_PERIOD,
            },
            told: told.is_some(),
            since: now,
            binding: false,
            calm: 0,
            patience: known.map_or(1, |known| {
                known.patience.saturating_mul(2).min(MOST_PATIENCE)
            }),
        });
    }

    /// A limit taught by counting may be too low, if others used the account just then: after some
    /// periods in which it held somebody back without a refusal it is raised by a twentieth.
    fn raise(&mut self, now: Duration) {
        if let Some(taught) = &mut self.taught
            && now.saturating_sub(taught.since) >= taught.limit.period
        {
            taught.calm = taught.calm.saturating_add(u32::from(taught.binding));
            if taught.calm >= taught.patience && !taught.told {
                taught.calm = 0;
                let more = (taught.limit.requests / 20).max(1);
                taught.limit.requests = taught.limit.requests.saturating_add(more);
            }
            taught.since = now;
            taught.binding = false;
        }
    }

    pub(super) fn counted(&mut self, now: Duration) -> u64 {
        self.trail.settle(now, self.period());
        self.trail.counted()
    }

    pub(super) fn closed_until(&self, now: Duration) -> Option<Duration> {
        (self.closed_until > now).then_some(self.closed_until)
    }

    /// The window that the instance announced: limit, what remains, when it ends.
    pub(super) fn announced_window(&self, now: Duration) -> Option<(Option<u64>, u64, Duration)> {
        self.announced.current(now)
    }

    pub(super) fn next_end(&self) -> Option<Duration> {
        self.trail.next_end(self.period())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn send(bucket: &mut Bucket, now: Duration, requests: u64) {
        for _ in 0..requests {
            assert_eq!(bucket.room(now, true), Room::Free);
            bucket.admit(now, true, Owner::ME);
            bucket.answered(now, true, Owner::ME);
        }
    }

    #[test]
    fn a_refusal_without_a_word_closes_for_a_minute() {
        let mut bucket = Bucket::new(Class::Notes, None);
        send(&mut bucket, seconds(5), 1);
        bucket.refuse(seconds(5), None, None);
        assert_eq!(bucket.room(seconds(5), true), Room::In(seconds(60)));
        assert_eq!(bucket.room(seconds(66), true), Room::Free);
    }

    #[test]
    fn the_first_refusal_teaches_how_many_got_through() {
        let mut bucket = Bucket::new(Class::Notes, None);
        send(&mut bucket, seconds(5), 301);
        bucket.refuse(seconds(5), None, None);
        // The others of the burst are refused as well and teach nothing new.
        bucket.refuse(seconds(6), None, None);
        assert_eq!(bucket.limit().unwrap().requests, 300);
    }

    #[test]
    fn a_taught_limit_rises_only_while_it_holds_somebody_back() {
        let mut bucket = Bucket::new(Class::Notes, None);
        send(&mut bucket, seconds(0), 101);
        bucket.refuse(seconds(0), None, None);
        bucket.room(seconds(70), true);
        bucket.room(seconds(140), true);
        assert_eq!(bucket.limit().unwrap().requests, 100);
        send(&mut bucket, seconds(150), 100);
        assert_ne!(bucket.room(seconds(150), true), Room::Free);
        bucket.room(seconds(220), true);
        assert_eq!(bucket.limit().unwrap().requests, 105);
    }

    #[test]
    fn a_limit_that_a_refusal_named_is_not_tried() {
        let mut bucket = Bucket::new(Class::Api, None);
        send(&mut bucket, seconds(0), 101);
        bucket.refuse(seconds(0), None, Some(150));
        for period in 1..5 {
            send(&mut bucket, seconds(100 * period), 150);
            assert_ne!(bucket.room(seconds(100 * period), true), Room::Free);
        }
    }

    #[test]
    fn a_configured_limit_is_believed_over_what_refusals_teach() {
        let limit = Limit::parse("notes=300/60").unwrap();
        let mut bucket = Bucket::new(Class::Notes, Some(limit));
        send(&mut bucket, seconds(0), 10);
        bucket.refuse(seconds(0), Some(seconds(30)), None);
        assert_eq!(bucket.limit(), Some(limit));
        assert_eq!(bucket.room(seconds(0), true), Room::In(seconds(30)));
    }

    #[test]
    fn an_absurd_retry_after_is_not_believed() {
        let mut bucket = Bucket::new(Class::Api, None);
        bucket.refuse(seconds(0), Some(seconds(1_000_000)), None);
        assert_eq!(bucket.room(seconds(0), true), Room::In(LONGEST_REFUSAL));
    }
}
