//! What a client hears when it asks, and what a person and the dispatcher see. Each story is told
//! of the budget of one process and of the one on Redis.

use crate::{
    crowd::{charge, epoch, in_paused_time},
    driven_shelf::DrivenShelf,
    redis_server::shared_url,
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{Admission, Charge, Class, Clock, Observation, Pace, Refusal},
};
use mirror_queue::budget::{Budget, Limit};
use mirror_runtime::testing::TokioClock;
use std::{sync::Arc, time::Duration};

#[derive(Clone, Copy)]
enum Way {
    Process,
    Redis,
}

macro_rules! both {
    ($($story:ident)*) => {
        mod in_process {
            $(#[test]
            fn $story() {
                super::in_paused_time(super::$story(super::Way::Process));
            })*
        }
        mod over_redis {
            $(#[test]
            fn $story() {
                super::in_paused_time(super::$story(super::Way::Redis));
            })*
        }
    };
}

both! {
    a_wait_longer_than_a_minute_is_handed_back
    who_waits_for_anothers_answer_goes_when_it_comes
    whether_an_instance_is_back_is_tried_out_with_a_read
    a_person_sees_what_is_used_what_remains_and_what_is_closed
    the_dispatcher_sees_which_instances_are_closed
    who_leaves_while_waiting_takes_no_place
}

/// Journeys to Redis and what they are rounded to.
const MOMENT: Duration = Duration::from_millis(150);

struct Story {
    budget: Arc<Budget>,
    clock: TokioClock,
    start: DateTime<Utc>,
    shelf: Option<Arc<DrivenShelf>>,
}

impl Story {
    async fn begin(way: Way, limits: &[&str]) -> Self {
        let clock = TokioClock::starting_at(epoch());
        let (budget, shelf) = match way {
            Way::Process => (Budget::new(Arc::new(clock)), None),
            Way::Redis => {
                let shelf = DrivenShelf::new(&shared_url(), clock, 3);
                (shelf.process(), Some(shelf))
            }
        };
        let limits = limits.iter().map(|limit| Limit::parse(limit).unwrap());
        budget.configure(InstanceId(1), limits);
        // A new one on Redis opens.
        clock.sleep(Duration::from_secs(4)).await;
        Self {
            budget: Arc::new(budget),
            clock,
            start: clock.now(),
            shelf,
        }
    }

    async fn goes(&self, charge: &Charge) {
        assert_eq!(self.budget.admit(charge).await, Admission::Go);
    }

    async fn waits(&self, charge: &Charge, expected: Duration) {
        let Admission::In(wait) = self.budget.admit(charge).await else {
            panic!("it does not wait");
        };
        assert!(wait.abs_diff(expected) <= MOMENT, "{wait:?}");
    }

    /// Tells, and lets the news get around.
    async fn learn(&self, charge: &Charge, told: &Observation) {
        self.budget.learn(charge, told);
        self.clock.sleep(MOMENT / 2).await;
    }

    fn is_about(&self, time: Option<DateTime<Utc>>, after: TimeDelta) {
        let apart = (time.unwrap() - self.start - after).abs();
        assert!(apart <= TimeDelta::from_std(MOMENT).unwrap(), "{time:?}");
    }
}

fn refused() -> Observation {
    Observation {
        refused: Some(Refusal {
            retry_after: None,
            application: true,
        }),
        ..Observation::default()
    }
}

fn down() -> Observation {
    Observation {
        struggling: true,
        ..Observation::default()
    }
}

async fn a_wait_longer_than_a_minute_is_handed_back(way: Way) {
    let story = Story::begin(way, &["api=1/3600"]).await;
    let charge = charge(true);
    story.goes(&charge).await;
    story.learn(&charge, &Observation::default()).await;
    let Admission::NotBefore(time) = story.budget.admit(&charge).await else {
        panic!("an hour is not waited for in place");
    };
    let wait = time - story.start;
    assert!(wait >= TimeDelta::hours(1) && wait < TimeDelta::minutes(61));
}

async fn who_waits_for_anothers_answer_goes_when_it_comes(way: Way) {
    let story = Story::begin(way, &[]).await;
    let charge = charge(false);
    // Of an unknown instance one request is asked for at a time.
    story.goes(&charge).await;
    let (second, asked) = (Arc::clone(&story.budget), charge.clone());
    let waiting = tokio::spawn(async move { second.admit(&asked).await });
    story.clock.sleep(Duration::from_secs(7)).await;
    assert!(!waiting.is_finished());
    let answered = story.clock.monotonic();
    story.budget.learn(&charge, &Observation::default());
    assert_eq!(waiting.await.unwrap(), Admission::Go);
    assert!(story.clock.monotonic() - answered <= MOMENT);
}

async fn whether_an_instance_is_back_is_tried_out_with_a_read(way: Way) {
    let story = Story::begin(way, &[]).await;
    let read = charge(false);
    let write = Charge {
        changes: true,
        ..charge(false)
    };
    for _ in 0..5 {
        story.goes(&write).await;
        story.learn(&write, &down()).await;
    }
    story.clock.sleep(Duration::from_secs(1)).await;
    story.waits(&write, Duration::from_secs(1)).await;
    story.goes(&read).await;
    story.learn(&read, &Observation::default()).await;
    story.goes(&write).await;
}

async fn a_person_sees_what_is_used_what_remains_and_what_is_closed(way: Way) {
    let story = Story::begin(way, &["api=100/60"]).await;
    let note = Charge {
        class: Class::Notes,
        ..charge(false)
    };
    story.goes(&note).await;
    story.learn(&note, &refused()).await;

    let views = story.budget.snapshot();
    assert_eq!(story.budget.buckets().await.unwrap().len(), views.len());
    assert_eq!(views.len(), 2);
    let (api, notes) = (&views[0], &views[1]);
    assert_eq!((api.class, notes.class), (Class::Api, Class::Notes));
    assert_eq!(
        (api.limit, api.used, api.remaining),
        (Some(100), 1, Some(99))
    );
    assert_eq!(api.closed_until, None);
    assert!(api.resets_at.unwrap() >= story.start + TimeDelta::minutes(1));
    story.is_about(notes.closed_until, TimeDelta::minutes(1));
    assert_eq!(notes.used, 1);
}

async fn the_dispatcher_sees_which_instances_are_closed(way: Way) {
    let story = Story::begin(way, &[]).await;
    let closed = async || story.budget.closed_instances().await.unwrap();
    assert_eq!(closed().await, []);
    // The throttle of all requests closes the account, and no other is in use.
    let charge = charge(false);
    story.goes(&charge).await;
    let mut told = refused();
    told.refused.as_mut().unwrap().application = false;
    story.learn(&charge, &told).await;
    let found = closed().await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, InstanceId(1));
    story.is_about(Some(found[0].1), TimeDelta::minutes(1));

    story.clock.sleep(Duration::from_secs(61)).await;
    assert_eq!(closed().await, []);
    if let Some(shelf) = &story.shelf {
        // Another process sees the same, although it was never told of the instance.
        assert_eq!(shelf.process().closed_instances().await.unwrap(), []);
    }
}

async fn who_leaves_while_waiting_takes_no_place(way: Way) {
    let story = Story::begin(way, &["api=2/60"]).await;
    let charge = charge(true);
    story.goes(&charge).await;
    let (second, asked) = (Arc::clone(&story.budget), charge.clone());
    let waiting = tokio::spawn(async move { second.admit(&asked).await });
    story.clock.sleep(Duration::from_secs(1)).await;
    waiting.abort();
    story.learn(&charge, &Observation::default()).await;
    story.goes(&charge).await;
}
