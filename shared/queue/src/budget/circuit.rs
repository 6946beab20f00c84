//! How many requests at once an instance bears.
//!
//! One at first; each good answer allows one more, which doubles the number with every round trip,
//! until the instance struggles (5xx, time-out): that halves it, and from there it grows by one a
//! round trip. Five struggles in a row open the circuit: one probe at a time, each later than the
//! last, and always a read: of a write to an instance that is down nobody knows what came of it.

use super::{
    lineage::Recall,
    room::Room,
    written::{self, Owner},
};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// More at once would only queue inside GitLab.
const MOST: usize = 64;

/// So many struggles in a row mean that the instance is down.
const DOWN: u32 = 5;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A request that takes longer is no longer held against the others: a large upload, or one whose
/// end was never told. Sparing the instance is a courtesy, which must not end in standing still.
const LOST: Duration = Duration::from_secs(600);

/// How an answer bears on the instance's health.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Health {
    /// It answered as it should.
    Well,
    /// It refused for the rate: alive, but no reason to send more at once.
    Refused,
    /// 5xx or time-out.
    Struggling,
}

/// A request on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Sent(#[serde(with = "written::millis")] Duration, Owner);

#[derive(Debug, Serialize, Deserialize)]
enum State {
    Closed {
        in_a_row: u32,
    },
    Open {
        #[serde(with = "written::millis")]
        until: Duration,
        #[serde(with = "written::millis")]
        pause: Duration,
        /// Whose probe is on its way.
        probing: Option<Owner>,
        /// Sent before it opened: their failures are no news.
        before: usize,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Circuit {
    on_their_way: VecDeque<Sent>,
    at_once: usize,
    /// Below it the number doubles each round trip, above it grows by one.
    careful_from: usize,
    credit: usize,
    /// So many of those on their way were sent before the last halving: one crowd halves once.
    pardoned: usize,
    state: State,
}

impl Default for Circuit {
    fn default() -> Self {
        Self {
            on_their_way: VecDeque::new(),
            at_once: 1,
            careful_from: MOST,
            credit: 0,
            pardoned: 0,
            state: State::Closed { in_a_row: 0 },
        }
    }
}

impl Circuit {
    /// `changes`: not a read. Such a request waits as long again as the probes do, until one of
    /// them was answered well; its sender, who runs out of patience where nobody probes, begins
    /// anew with reads.
    pub(super) fn room(&mut self, now: Duration, changes: bool) -> Room {
        while let Some(Sent(since, owner)) = self.on_their_way.front().copied()
            && now.saturating_sub(since) >= LOST
        {
            self.on_their_way.pop_front();
            self.no_probe_of(owner);
        }
        match &self.state {
            State::Closed { .. } if self.on_their_way.len() < self.at_once => Room::Free,
            State::Closed { .. } => Room::AfterAnswer,
            State::Open { until, .. } if now < *until => Room::In(until.saturating_sub(now)),
            State::Open {
                probing: Some(_), ..
            } => Room::AfterAnswer,
            State::Open { pause, .. } if changes => Room::In(*pause),
            State::Open { .. } => Room::Free,
        }
    }

    pub(super) fn admit(&mut self, now: Duration, owner: Owner) {
        self.on_their_way.push_back(Sent(now, owner));
        match &mut self.state {
            State::Open { probing, .. } => *probing = Some(owner),
            State::Closed { .. } => {}
        }
    }

    /// The owner died: nothing of its is waited for, and another may probe.
    pub(super) fn bury(&mut self, owner: Owner) {
        self.on_their_way.retain(|Sent(_, of)| *of != owner);
        self.no_probe_of(owner);
    }

    fn no_probe_of(&mut self, owner: Owner) {
        match &mut self.state {
            State::Open { probing, .. } if *probing == Some(owner) => *probing = None,
            State::Open { .. } | State::Closed { .. } => {}
        }
    }

    /// Takes over what a lost book said. How many at once is found out anew.
    pub(super) fn recall(&mut self, lost: &Self, recall: &Recall) {
        self.on_their_way.retain(|Sent(_, of)| *of != recall.owner);
        let news = lost.on_their_way.iter();
        let news = news.filter(|Sent(since, of)| recall.takes(*of, *since));
        self.on_their_way
            .extend(news.map(|Sent(since, of)| Sent((*since).min(recall.now), *of)));
        self.on_their_way
            .make_contiguous()
            .sort_by_key(|Sent(since, _)| *since);
        if let (State::Closed { .. }, State::Open { until, pause, .. }) = (&self.state, &lost.state)
            && self.at_once == 1
        {
            self.state = State::Open {
                until: (*until).min(recall.now.saturating_add(*pause)),
                pause: *pause,
                probing: None,
                before: self.on_their_way.len(),
            };
        }
    }

    /// An admitted request was never sent: no word about the instance.
    pub(super) fn withdrawn(&mut self, owner: Owner) {
        let position = self.on_their_way.iter().rposition(|sent| sent.1 == owner);
        if let Some(position) = position {
            self.on_their_way.remove(position);
        }
        self.no_probe_of(owner);
    }

    /// Open until then; it may stay open.
    pub(super) fn open_until(&self, now: Duration) -> Option<Duration> {
        match &self.state {
            State::Open { until, .. } => (now < *until).then_some(*until),
            State::Closed { .. } => None,
        }
    }

    /// Whether nothing is on its way and nothing is wrong.
    pub(super) fn is_at_rest(&self, now: Duration) -> bool {
        self.on_their_way.is_empty() && self.open_until(now).is_none()
    }

    pub(super) fn answered(&mut self, now: Duration, health: Health, owner: Owner) {
        let position = self.on_their_way.iter().position(|sent| sent.1 == owner);
        if let Some(position) = position {
            self.on_their_way.remove(position);
        }
        let pardoned = self.pardoned > 0;
        self.pardoned = self.pardoned.saturating_sub(1);
        match health {
            Health::Well | Health::Refused => {
                self.close();
                if health == Health::Well {
                    self.grow();
                }
            }
            Health::Struggling => self.struggle(now, pardoned),
        }
    }

    fn close(&mut self) {
        match &mut self.state {
            State::Closed { in_a_row } => *in_a_row = 0,
            State::Open { .. } => {
                self.at_once = 1;
                self.state = State::Closed { in_a_row: 0 };
            }
        }
    }

    fn grow(&mut self) {
        if self.at_once < self.careful_from {
            self.at_once = self.at_once.saturating_add(1);
        } else {
            self.credit = self.credit.saturating_add(1);
            if self.credit >= self.at_once {
                self.credit = 0;
                self.at_once = self.at_once.saturating_add(1);
            }
        }
        self.at_once = self.at_once.min(MOST);
    }

    fn struggle(&mut self, now: Duration, pardoned: bool) {
        match &mut self.state {
            State::Closed { in_a_row } => {
                *in_a_row = in_a_row.saturating_add(1);
                if *in_a_row >= DOWN {
                    self.state = State::Open {
                        until: now.saturating_add(FIRST_PAUSE),
                        pause: FIRST_PAUSE,
                        probing: None,
                        before: self.on_their_way.len(),
                    };
                }
                if !pardoned {
                    self.at_once = (self.at_once / 2).max(1);
                    self.careful_from = self.at_once;
                    self.credit = 0;
                    self.pardoned = self.on_their_way.len();
                }
            }
            State::Open { before, .. } if *before > 0 => *before = before.saturating_sub(1),
            State::Open {
                until,
                pause,
                probing,
                ..
            } => {
                *pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                *until = now.saturating_add(*pause);
                *probing = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn fill(circuit: &mut Circuit, now: Duration) -> usize {
        let mut sent = 0;
        while circuit.room(now, false) == Room::Free {
            circuit.admit(now, Owner::ME);
            sent += 1;
        }
        sent
    }

    fn round(circuit: &mut Circuit, health: Health) -> usize {
        let sent = fill(circuit, NOW);
        for _ in 0..sent {
            circuit.answered(NOW, health, Owner::ME);
        }
        sent
    }

    #[test]
    fn it_starts_with_one_and_doubles_each_round_trip() {
        let mut circuit = Circuit::default();
        let rounds: Vec<_> = (0..8).map(|_| round(&mut circuit, Health::Well)).collect();
        assert_eq!(rounds, [1, 2, 4, 8, 16, 32, 64, 64]);
    }

    #[test]
    fn a_struggle_halves_once_for_all_that_were_on_their_way() {
        let mut circuit = Circuit::default();
        for _ in 0..5 {
            round(&mut circuit, Health::Well);
        }
        assert_eq!(fill(&mut circuit, NOW), 32);
        for _ in 0..4 {
            circuit.answered(NOW, Health::Struggling, Owner::ME);
        }
        for _ in 0..28 {
            circuit.answered(NOW, Health::Well, Owner::ME);
        }
        // Halved once to 16, then 28 good answers are one round trip and a bit.
        assert_eq!(fill(&mut circuit, NOW), 17);
    }

    #[test]
    fn a_refusal_does_not_raise_what_goes_at_once() {
        let mut circuit = Circuit::default();
        assert_eq!(round(&mut circuit, Health::Refused), 1);
        assert_eq!(round(&mut circuit, Health::Refused), 1);
    }

    #[test]
    fn five_struggles_open_it_and_probes_come_ever_later() {
        let mut circuit = Circuit::default();
        for _ in 0..5 {
            assert_eq!(round(&mut circuit, Health::Struggling), 1);
        }
        let mut now = NOW;
        for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let pause = Duration::from_secs(pause);
            assert_eq!(circuit.room(now, false), Room::In(pause));
            now += pause;
            assert_eq!(fill(&mut circuit, now), 1, "one probe at a time");
            assert_eq!(circuit.room(now, false), Room::AfterAnswer);
            circuit.answered(now, Health::Struggling, Owner::ME);
        }
        now += LONGEST_PAUSE;
        assert_eq!(fill(&mut circuit, now), 1);
        circuit.answered(now, Health::Well, Owner::ME);
        assert!(fill(&mut circuit, now) >= 1, "one good answer closes it");
    }

    #[test]
    fn requests_sent_before_it_opened_do_not_count_as_probes() {
        let mut circuit = Circuit::default();
        for _ in 0..4 {
            round(&mut circuit, Health::Well);
        }
        assert_eq!(fill(&mut circuit, NOW), 16);
        for _ in 0..16 {
            circuit.answered(NOW, Health::Struggling, Owner::ME);
        }
        assert_eq!(circuit.room(NOW, false), Room::In(FIRST_PAUSE));
    }

    #[test]
    fn a_probe_whose_end_was_never_told_is_followed_by_another() {
        let mut circuit = Circuit::default();
        for _ in 0..5 {
            round(&mut circuit, Health::Struggling);
        }
        let later = NOW + FIRST_PAUSE;
        assert_eq!(fill(&mut circuit, later), 1);
        assert_eq!(circuit.room(later, false), Room::AfterAnswer);
        assert_eq!(fill(&mut circuit, later + LOST), 1);
    }

    #[test]
    fn a_write_is_never_the_probe_and_goes_once_a_read_was_answered() {
        let mut circuit = Circuit::default();
        for _ in 0..5 {
            round(&mut circuit, Health::Struggling);
        }
        assert_eq!(circuit.room(NOW, true), Room::In(FIRST_PAUSE));
        let later = NOW + FIRST_PAUSE;
        assert_eq!(circuit.room(later, true), Room::In(FIRST_PAUSE));
        assert_eq!(fill(&mut circuit, later), 1);
        assert_eq!(circuit.room(later, true), Room::AfterAnswer);
        circuit.answered(later, Health::Struggling, Owner::ME);
        assert_eq!(circuit.room(later, true), Room::In(FIRST_PAUSE * 2));
        let later = later + FIRST_PAUSE * 2;
        assert_eq!(fill(&mut circuit, later), 1);
        circuit.answered(later, Health::Well, Owner::ME);
        assert_eq!(circuit.room(later, true), Room::Free);
    }

    #[test]
    fn a_request_whose_end_was_never_told_does_not_block_for_ever() {
        let mut circuit = Circuit::default();
        assert_eq!(fill(&mut circuit, NOW), 1);
        assert_eq!(fill(&mut circuit, NOW + LOST), 1);
    }

    #[test]
    fn a_probe_of_one_who_died_is_followed_by_anothers() {
        let mut circuit = Circuit::default();
        for _ in 0..5 {
            round(&mut circuit, Health::Struggling);
        }
        let later = NOW + FIRST_PAUSE;
        circuit.admit(later, Owner(7));
        assert_eq!(circuit.room(later, false), Room::AfterAnswer);
        circuit.bury(Owner(7));
        assert_eq!(fill(&mut circuit, later), 1);
    }
}
