//! One instance's budget, pure: state and time in, decision out. Shared by all of its accounts.

use super::{
    announced::Announcement,
    bucket::{Bucket, Taught, USUAL_PERIOD},
    circuit::{Circuit, Health},
    limit::Limit,
    lineage::Lineage,
    room::Room,
    skew::Skew,
    written::{self, Owner},
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ports::{Charge, Class, Observation};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// No window is believed to last longer.
const LONGEST_WINDOW: Duration = Duration::from_secs(3600);

/// A process that gave no sign of life for so long is dead, and what it sent has arrived or never
/// will: longer than connecting to an instance and waiting for its answer take.
pub(super) const LEASE: Duration = Duration::from_secs(90);

/// The moment something happens, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub(super) monotonic: Duration,
    pub(super) time_of_day: DateTime<Utc>,
}

impl Moment {
    /// The time of day of a monotonic time.
    pub(super) fn time_at(&self, monotonic: Duration) -> DateTime<Utc> {
        let wait = monotonic.saturating_sub(self.monotonic);
        TimeDelta::from_std(wait)
            .ok()
            .and_then(|wait| self.time_of_day.checked_add_signed(wait))
            .unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// A process, to those it shares a budget with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Sign {
    #[serde(with = "written::millis")]
    pub(super) seen: Duration,
    /// The number of what it did last; zero for one that others remember.
    pub(super) round: u64,
}

impl Sign {
    /// Others remember it; it has not come to this book itself.
    pub(super) fn of_one_yet_to_come(self, now: Duration) -> Self {
        Self {
            seen: self.seen.min(now),
            round: 0,
        }
    }
}

/// One account's buckets, by the name of their class.
type Buckets = BTreeMap<String, Bucket>;

/// One instance, all of its accounts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Book {
    /// Each process is told, none tells another.
    #[serde(skip)]
    limits: HashMap<Class, Limit>,
    pub(super) circuit: Circuit,
    pub(super) skew: Skew,
    pub(super) accounts: BTreeMap<String, Buckets>,
    pub(super) owners: BTreeMap<Owner, Sign>,
    pub(super) lineage: Lineage,
}

impl Book {
    /// What is known of the instance's limits, in place of what was known before.
    pub(super) fn configure(&mut self, limits: impl IntoIterator<Item = Limit>) {
        self.limits = limits
            .into_iter()
            .map(|limit| (limit.class, limit))
            .collect();
        for bucket in self.accounts.values_mut().flat_map(BTreeMap::values_mut) {
            bucket.configured = self.limits.get(&bucket.class).copied();
        }
    }

    /// May this request go? If so it has been counted, and must be [`Book::learn`]ed of once.
    pub(super) fn decide(&mut self, now: Duration, charge: &Charge, owner: Owner) -> Room {
        let shut = Room::at(self.lineage.opens(), now);
        let mut room = shut.and(self.circuit.room(now, charge.changes));
        for class in classes(charge) {
            room = room.and(self.bucket(charge, class).room(now, charge.by_hand));
        }
        if room == Room::Free {
            self.circuit.admit(now, owner);
            for class in classes(charge) {
                self.bucket(charge, class).admit(now, charge.by_hand, owner);
            }
        }
        room
    }

    /// An admitted request was answered, or given up.
    pub(super) fn learn(
        &mut self,
        now: Moment,
        charge: &Charge,
        observation: &Observation,
        owner: Owner,
    ) {
        let at = now.monotonic;
        self.circuit.answered(at, health(observation), owner);
        if let Some(date) = observation.instance_clock {
            self.skew.learn(at, date);
        }
        let announcement = announcement(&self.skew, now, observation);
        for class in classes(charge) {
            let bucket = self.bucket(charge, class);
            bucket.answered(at, charge.by_hand, owner);
            if class == Class::Api {
                bucket.announced(at, announcement);
            }
        }
        if let Some(refusal) = observation.refused {
            let (class, told) = if refusal.application {
                (charge.class, None)
            } else {
                (Class::Api, observation.limit)
            };
            // `Retry-After` may be rounded down to before the window's end.
            let until_reset = announcement.map(|known| known.ends.saturating_sub(at));
            let wait = refusal.retry_after.max(until_reset);
            self.bucket(charge, class).refuse(at, wait, told);
        }
    }

    /// An admitted request was never sent. It counts all the same.
    pub(super) fn withdraw(&mut self, now: Duration, charge: &Charge, owner: Owner) {
        self.circuit.withdrawn(owner);
        for class in classes(charge) {
            let bucket = self.bucket(charge, class);
            bucket.answered(now, charge.by_hand, owner);
        }
    }

    /// The owner lives, and this is the number of what it does now. Those who gave no sign of life
    /// for a lease are dead.
    pub(super) fn sign(&mut self, now: Duration, owner: Owner, round: u64) {
        self.owners.insert(owner, Sign { seen: now, round });
        let silent = |sign: &Sign| now.saturating_sub(sign.seen) >= LEASE;
        let dead: Vec<_> = self
            .owners
            .iter()
            .filter(|(_, sign)| silent(sign))
            .map(|(owner, _)| *owner)
            .collect();
        for owner in dead {
            self.owners.remove(&owner);
            self.circuit.bury(owner);
            for bucket in self.accounts.values_mut().flat_map(BTreeMap::values_mut) {
                bucket.bury(now, owner);
            }
        }
    }

    /// The number of what the owner did last, if it gave a sign of life of late.
    pub(super) fn last_round(&self, owner: Owner) -> Option<u64> {
        self.owners.get(&owner).map(|sign| sign.round)
    }

    /// What refusals taught, in a fixed order: asking alone may change it.
    pub(super) fn lessons(&self) -> Vec<Taught> {
        let buckets = self.accounts.values().flat_map(BTreeMap::values);
        buckets
            .filter_map(|bucket| bucket.taught().cloned())
            .collect()
    }

    /// Drops what says nothing any more.
    pub(super) fn tidy(&mut self, now: Duration) {
        for buckets in self.accounts.values_mut() {
            buckets.retain(|_, bucket| !bucket.is_blank(now));
        }
        self.accounts.retain(|_, buckets| !buckets.is_empty());
    }

    /// Whether it says anything that must not be lost.
    pub(super) fn is_blank(&mut self, now: Duration) -> bool {
        let mut buckets = self.accounts.values_mut().flat_map(BTreeMap::values_mut);
        self.circuit.is_at_rest(now) && buckets.all(|bucket| bucket.is_at_rest(now))
    }

    /// Every bucket that was ever charged, and whose it is.
    pub(super) fn buckets(&mut self) -> impl Iterator<Item = (&str, &mut Bucket)> {
        self.accounts.iter_mut().flat_map(|(user, buckets)| {
            buckets
                .values_mut()
                .map(move |bucket| (user.as_str(), bucket))
        })
    }

    fn bucket(&mut self, charge: &Charge, class: Class) -> &mut Bucket {
        self.bucket_of(&charge.account.user, class)
    }

    pub(super) fn bucket_of(&mut self, user: &str, class: Class) -> &mut Bucket {
        let account = self.accounts.entry(user.to_owned()).or_default();
        account
            .entry(class.name().to_owned())
            .or_insert_with(|| Bucket::new(class, self.limits.get(&class).copied()))
    }
}

fn classes(charge: &Charge) -> impl Iterator<Item = Class> + use<> {
    let other = (charge.class != Class::Api).then_some(charge.class);
    std::iter::once(Class::Api).chain(other)
}

fn health(observation: &Observation) -> Health {
    if observation.struggling {
        Health::Struggling
    } else if observation.refused.is_some() {
        Health::Refused
    } else {
        Health::Well
    }
}

fn announcement(skew: &Skew, now: Moment, observation: &Observation) -> Option<Announcement> {
    let remaining = observation.remaining?;
    let at = now.monotonic;
    let (reset, ends) = match observation.reset {
        Some(reset) => (reset, skew.surely_past(reset, at, now.time_of_day)),
        None => {
            let ends = at.saturating_add(USUAL_PERIOD);
            (now.time_at(ends), ends)
        }
    };
    Some(Announcement {
        remaining,
        limit: observation.limit,
        reset,
        ends: ends.min(at.saturating_add(LONGEST_WINDOW)),
    })
}
