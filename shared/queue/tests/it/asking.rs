//! What a client hears when it asks, and what a person sees.

use crate::crowd::{charge, epoch, in_paused_time};
use chrono::TimeDelta;
use mirror_core::{
    ids::InstanceId,
    ports::{Admission, Class, Clock, Observation, Pace, Refusal},
};
use mirror_queue::budget::{Budget, Limit};
use mirror_runtime::testing::TokioClock;
use std::{sync::Arc, time::Duration};

fn budget(limits: &[&str]) -> (Budget, TokioClock) {
    let clock = TokioClock::starting_at(epoch());
    let budget = Budget::new(Arc::new(clock));
    let limits = limits.iter().map(|limit| Limit::parse(limit).unwrap());
    budget.configure(InstanceId(1), limits);
    (budget, clock)
}

#[test]
fn a_wait_longer_than_a_minute_is_handed_back() {
    in_paused_time(async {
        let (budget, _clock) = budget(&["api=1/3600"]);
        let charge = charge(true);
        assert_eq!(budget.admit(&charge).await, Admission::Go);
        budget.learn(&charge, &Observation::default());
        let Admission::NotBefore(time) = budget.admit(&charge).await else {
            panic!("an hour is not waited for in place");
        };
        let wait = time - epoch();
        assert!(wait >= TimeDelta::hours(1) && wait < TimeDelta::minutes(61));
    });
}

#[test]
fn who_waits_for_anothers_answer_goes_when_it_comes() {
    in_paused_time(async {
        let (budget, clock) = budget(&[]);
        let budget = Arc::new(budget);
        let charge = charge(false);
        // Of an unknown instance one request is asked for at a time.
        assert_eq!(budget.admit(&charge).await, Admission::Go);
        let (second, asked) = (Arc::clone(&budget), charge.clone());
        let waiting = tokio::spawn(async move { second.admit(&asked).await });
        clock.sleep(Duration::from_secs(7)).await;
        assert!(!waiting.is_finished());
        budget.learn(&charge, &Observation::default());
        assert_eq!(waiting.await.unwrap(), Admission::Go);
        assert_eq!(clock.monotonic(), Duration::from_secs(7));
    });
}

#[test]
fn whether_an_instance_is_back_is_tried_out_with_a_read() {
    in_paused_time(async {
        let (budget, clock) = budget(&[]);
        let read = charge(false);
        let mut write = charge(false);
        write.changes = true;
        let down = Observation {
            struggling: true,
            ..Observation::default()
        };
        for _ in 0..5 {
            assert_eq!(budget.admit(&write).await, Admission::Go);
            budget.learn(&write, &down);
        }
        clock.sleep(Duration::from_secs(1)).await;
        let wait = Admission::In(Duration::from_secs(1));
        assert_eq!(budget.admit(&write).await, wait);
        assert_eq!(budget.admit(&read).await, Admission::Go);
        budget.learn(&read, &Observation::default());
        assert_eq!(budget.admit(&write).await, Admission::Go);
    });
}

#[test]
fn a_person_sees_what_is_used_what_remains_and_what_is_closed() {
    in_paused_time(async {
        let (budget, _clock) = budget(&["api=100/60"]);
        let mut note = charge(false);
        note.class = Class::Notes;
        assert_eq!(budget.admit(&note).await, Admission::Go);
        let refused = Observation {
            refused: Some(Refusal {
                retry_after: None,
                application: true,
            }),
            ..Observation::default()
        };
        budget.learn(&note, &refused);

        let views = budget.snapshot().await.unwrap();
        assert_eq!(views.len(), 2);
        let (api, notes) = (&views[0], &views[1]);
        assert_eq!((api.class, notes.class), (Class::Api, Class::Notes));
        assert_eq!(
            (api.limit, api.used, api.remaining),
            (Some(100), 1, Some(99))
        );
        assert_eq!(api.closed_until, None);
        assert!(api.resets_at.unwrap() >= epoch() + TimeDelta::minutes(1));
        assert_eq!(notes.closed_until, Some(epoch() + TimeDelta::minutes(1)));
        assert_eq!(notes.used, 1);
    });
}
