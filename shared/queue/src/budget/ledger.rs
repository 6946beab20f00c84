//! The pure heart of the budget: state and time in, decision out.

use super::{
    announced::Announcement,
    bucket::{Bucket, USUAL_PERIOD},
    circuit::{Circuit, Health},
    limit::Limit,
    skew::Skew,
    trail::Room,
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Account, Charge, Class, Observation},
};
use std::{collections::HashMap, time::Duration};

/// No window is believed to last longer.
const LONGEST_WINDOW: Duration = Duration::from_secs(3600);

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

#[derive(Debug, Default)]
struct Instance {
    limits: HashMap<Class, Limit>,
    circuit: Circuit,
    skew: Skew,
}

/// All accounts of all instances.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    instances: HashMap<InstanceId, Instance>,
    buckets: HashMap<(Account, Class), Bucket>,
}

impl Ledger {
    /// What is known of an instance's limits, in place of what was known before.
    pub(super) fn configure(
        &mut self,
        instance: InstanceId,
        limits: impl IntoIterator<Item = Limit>,
    ) {
        let limits: HashMap<_, _> = limits
            .into_iter()
            .map(|limit| (limit.class, limit))
            .collect();
        for ((account, class), bucket) in &mut self.buckets {
            if account.instance == instance {
                bucket.configured = limits.get(class).copied();
            }
        }
        self.instances.entry(instance).or_default().limits = limits;
    }

    /// May this request go? If so it has been counted, and must be [`Ledger::learn`]ed of once.
    pub(super) fn decide(&mut self, now: Duration, charge: &Charge) -> Room {
        let instance = self.instances.entry(charge.account.instance).or_default();
        let mut room = instance.circuit.room(now, charge.changes);
        for class in classes(charge) {
            let bucket = bucket(&mut self.buckets, instance, &charge.account, class);
            room = room.and(bucket.room(now, charge.by_hand));
        }
        if room == Room::Free {
            instance.circuit.admit(now);
            for class in classes(charge) {
                bucket(&mut self.buckets, instance, &charge.account, class)
                    .admit(now, charge.by_hand);
            }
        }
        room
    }

    /// An admitted request was answered, or given up.
    pub(super) fn learn(&mut self, now: Moment, charge: &Charge, observation: &Observation) {
        let at = now.monotonic;
        let instance = self.instances.entry(charge.account.instance).or_default();
        instance.circuit.answered(at, health(observation));
        if let Some(date) = observation.instance_clock {
            instance.skew.learn(at, date);
        }
        let announcement = announcement(&instance.skew, now, observation);
        for class in classes(charge) {
            let bucket = bucket(&mut self.buckets, instance, &charge.account, class);
            bucket.answered(at, charge.by_hand);
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
            bucket(&mut self.buckets, instance, &charge.account, class).refuse(at, wait, told);
        }
    }

    /// Every bucket that was ever charged.
    pub(super) fn buckets(&mut self) -> impl Iterator<Item = (&Account, Class, &mut Bucket)> {
        self.buckets
            .iter_mut()
            .map(|((account, class), bucket)| (account, *class, bucket))
    }
}

fn bucket<'a>(
    buckets: &'a mut HashMap<(Account, Class), Bucket>,
    instance: &Instance,
    account: &Account,
    class: Class,
) -> &'a mut Bucket {
    buckets
        .entry((account.clone(), class))
        .or_insert_with(|| Bucket::new(class, instance.limits.get(&class).copied()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_core::ports::Refusal;

    fn charge(class: Class) -> Charge {
        Charge {
            account: Account {
                instance: InstanceId(1),
                user: "42".into(),
            },
            class,
            by_hand: true,
            changes: false,
        }
    }

    fn moment(seconds: u64) -> Moment {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Moment {
            monotonic: Duration::from_secs(seconds),
            time_of_day: start + TimeDelta::seconds(i64::try_from(seconds).unwrap()),
        }
    }

    fn send(ledger: &mut Ledger, at: u64, class: Class, observation: &Observation) -> Room {
        let room = ledger.decide(moment(at).monotonic, &charge(class));
        if room == Room::Free {
            ledger.learn(moment(at), &charge(class), observation);
        }
        room
    }

    fn refused(application: bool) -> Observation {
        Observation {
            refused: Some(Refusal {
                retry_after: Some(Duration::from_secs(30)),
                application,
            }),
            ..Observation::default()
        }
    }

    #[test]
    fn a_note_is_charged_twice() {
        let mut ledger = Ledger::default();
        ledger.configure(InstanceId(1), [Limit::parse("api=3/60").unwrap()]);
        let fine = Observation::default();
        for _ in 0..3 {
            assert_eq!(send(&mut ledger, 0, Class::Notes, &fine), Room::Free);
        }
        assert_ne!(send(&mut ledger, 0, Class::Notes, &fine), Room::Free);
        assert_ne!(send(&mut ledger, 0, Class::Api, &fine), Room::Free);
    }

    #[test]
    fn a_request_that_may_not_go_is_not_charged_anywhere() {
        let mut ledger = Ledger::default();
        let limits = ["api=3/60", "notes=1/60"].map(|limit| Limit::parse(limit).unwrap());
        ledger.configure(InstanceId(1), limits);
        let fine = Observation::default();
        assert_eq!(send(&mut ledger, 0, Class::Notes, &fine), Room::Free);
        assert_ne!(send(&mut ledger, 0, Class::Notes, &fine), Room::Free);
        assert_eq!(send(&mut ledger, 0, Class::Api, &fine), Room::Free);
        assert_eq!(send(&mut ledger, 0, Class::Api, &fine), Room::Free);
    }

    #[test]
    fn the_application_limiter_closes_its_class_alone() {
        let mut ledger = Ledger::default();
        send(&mut ledger, 0, Class::Notes, &refused(true));
        let fine = Observation::default();
        assert_eq!(
            send(&mut ledger, 0, Class::Notes, &fine),
            Room::In(Duration::from_secs(30))
        );
        assert_eq!(send(&mut ledger, 0, Class::Issues, &fine), Room::Free);
    }

    #[test]
    fn the_throttle_of_all_requests_closes_all_of_the_account() {
        let mut ledger = Ledger::default();
        send(&mut ledger, 0, Class::Notes, &refused(false));
        let fine = Observation::default();
        for class in Class::ALL {
            assert_eq!(
                send(&mut ledger, 0, class, &fine),
                Room::In(Duration::from_secs(30))
            );
        }
        let mut other = charge(Class::Api);
        other.account.user = "43".into();
        assert_eq!(ledger.decide(Duration::ZERO, &other), Room::Free);
    }

    #[test]
    fn what_an_earlier_process_used_is_learnt_from_the_first_answer() {
        let mut ledger = Ledger::default();
        ledger.configure(InstanceId(1), [Limit::parse("api=600/60").unwrap()]);
        let nearly_used_up = Observation {
            instance_clock: Some(moment(10).time_of_day),
            limit: Some(600),
            remaining: Some(1),
            reset: Some(moment(60).time_of_day),
            ..Observation::default()
        };
        assert_eq!(
            send(&mut ledger, 10, Class::Api, &nearly_used_up),
            Room::Free
        );
        let used_up = Observation {
            remaining: Some(0),
            ..nearly_used_up
        };
        assert_eq!(send(&mut ledger, 10, Class::Api, &used_up), Room::Free);
        assert_eq!(
            send(&mut ledger, 10, Class::Api, &used_up),
            Room::In(Duration::from_secs(50))
        );
    }

    #[test]
    fn a_limit_configured_later_counts_what_went_before() {
        let mut ledger = Ledger::default();
        let fine = Observation::default();
        for _ in 0..5 {
            assert_eq!(send(&mut ledger, 0, Class::Api, &fine), Room::Free);
        }
        ledger.configure(InstanceId(1), [Limit::parse("api=5/60").unwrap()]);
        assert_ne!(send(&mut ledger, 0, Class::Api, &fine), Room::Free);
    }
}
