//! All instances, in one process.

use super::{
    book::{Book, Moment},
    limit::Limit,
    room::Room,
    written::Owner,
};
use mirror_core::{
    ids::InstanceId,
    ports::{Charge, Observation},
};
use std::{collections::HashMap, time::Duration};

/// A book for each instance.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    books: HashMap<InstanceId, Book>,
}

impl Ledger {
    /// What is known of an instance's limits, in place of what was known before.
    pub(super) fn configure(
        &mut self,
        instance: InstanceId,
        limits: impl IntoIterator<Item = Limit>,
    ) {
        self.book(instance).configure(limits);
    }

    /// May this request go? If so it has been counted, and must be [`Ledger::learn`]ed of once.
    pub(super) fn decide(&mut self, now: Duration, charge: &Charge) -> Room {
        let book = self.book(charge.account.instance);
        book.decide(now, charge, Owner::ME)
    }

    /// An admitted request was answered, or given up.
    pub(super) fn learn(&mut self, now: Moment, charge: &Charge, observation: &Observation) {
        let book = self.book(charge.account.instance);
        book.learn(now, charge, observation, Owner::ME);
    }

    /// Every book.
    pub(super) fn books(&mut self) -> impl Iterator<Item = (InstanceId, &mut Book)> {
        self.books
            .iter_mut()
            .map(|(instance, book)| (*instance, book))
    }

    fn book(&mut self, instance: InstanceId) -> &mut Book {
        self.books.entry(instance).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};
    use mirror_core::ports::{Account, Class, Refusal};

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
