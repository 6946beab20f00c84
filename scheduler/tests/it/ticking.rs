//! Turns: owed once each, whoever ticks.

use crate::world::{World, entropy, stories};
use chrono::TimeDelta;
use mirror_core::ids::MirrorId;
use mirror_scheduler::tick::{self, Ticked};
use mirror_store::{RunKind, RunStatus, Store, Turn};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_util::sync::CancellationToken;

stories! {
    of_three_schedulers_one_owes_each_turn
    a_scheduler_that_stood_still_in_the_middle_takes_nothing_twice
    when_one_scheduler_is_gone_another_ticks_on
    after_a_pause_one_turn_is_owed_not_many
    a_mirror_that_rests_has_no_turn
    everything_is_compared_when_that_is_due
    a_run_that_waits_for_nothing_is_ended
}

const INTERVAL: Duration = Duration::from_secs(300);

fn ticking(world: &World, store: Store, shutdown: &CancellationToken) -> JoinHandle<()> {
    let clock = Arc::new(world.clock.clone());
    let wake = Arc::new(Notify::new());
    let run = tick::run(store, clock, entropy(), wake, shutdown.clone());
    tokio::spawn(async move { run.await.unwrap() })
}

/// How many scans are due; they are done then.
async fn scans(world: &World) -> usize {
    let claimed = world.store.claim(1_000, 1_000, INTERVAL).await.unwrap();
    for claimed in &claimed {
        assert!(claimed.key.starts_with("scan_mirror/"));
        assert!(world.work(claimed.ticket).await);
    }
    claimed.len()
}

async fn of_three_schedulers_one_owes_each_turn(world: World) {
    for project in 1..=20 {
        world.scheduled(project).await;
    }
    let shutdown = CancellationToken::new();
    let mut schedulers = Vec::new();
    for _ in 0..3 {
        let store = world.beside().await;
        schedulers.push(ticking(&world, store, &shutdown));
    }
    for _ in 0..4 {
        world.asleep(3).await;
        world.turns_are_taken().await;
        assert_eq!(scans(&world).await, 20);
        // Past all of the next turns, and not yet at those after them.
        world
            .clock
            .advance(INTERVAL + INTERVAL / 10 + Duration::from_secs(1));
    }
    shutdown.cancel();
    for scheduler in schedulers {
        scheduler.await.unwrap();
    }
}

async fn a_scheduler_that_stood_still_in_the_middle_takes_nothing_twice(world: World) {
    let mirror = world.scheduled(1).await;
    let stopped = world.beside().await;
    let due = stopped.due_mirrors(9).await.unwrap();
    for _ in 0..2 {
        let store = world.beside().await;
        tick::tick_once(&store, &*entropy()).await.unwrap();
    }
    assert_eq!(scans(&world).await, 1);
    let turn = Turn {
        due: due[0],
        full: false,
        next_scan_at: due[0].due_at + TimeDelta::seconds(300),
        next_full_at: None,
    };
    assert_eq!(stopped.take_turn(&turn).await.unwrap(), None);
    assert_eq!(scans(&world).await, 0);
    assert_eq!(world.store.runs(mirror, 9).await.unwrap().len(), 1);
}

async fn when_one_scheduler_is_gone_another_ticks_on(world: World) {
    world.scheduled(1).await;
    let shutdown = CancellationToken::new();
    let one = ticking(&world, world.beside().await, &shutdown);
    let other = ticking(&world, world.beside().await, &shutdown);
    world.asleep(2).await;
    world.turns_are_taken().await;
    assert_eq!(scans(&world).await, 1);
    one.abort();
    assert!(one.await.unwrap_err().is_cancelled());
    world.clock.advance(INTERVAL * 2);
    world.turns_are_taken().await;
    assert_eq!(scans(&world).await, 1);
    shutdown.cancel();
    other.await.unwrap();
}

async fn after_a_pause_one_turn_is_owed_not_many(world: World) {
    world.scheduled(1).await;
    world.clock.advance(INTERVAL * 50);
    let tick = async || tick::tick_once(&world.store, &*entropy()).await.unwrap();
    assert_eq!(tick().await.turns, 1);
    assert_eq!(tick().await, Ticked::default());
    let next = world.store.next_turn().await.unwrap().unwrap();
    assert!(next >= world.store.now() + TimeDelta::seconds(150));
    assert!(next <= world.store.now() + TimeDelta::seconds(480));
}

async fn a_mirror_that_rests_has_no_turn(world: World) {
    let mirror = world.scheduled(1).await;
    world.store.pause_mirror(mirror, "a rest").await.unwrap();
    let tick = async || tick::tick_once(&world.store, &*entropy()).await.unwrap();
    assert_eq!(tick().await.turns, 0);
    world.store.resume_mirror(mirror).await.unwrap();
    assert_eq!(tick().await.turns, 1);
}

async fn everything_is_compared_when_that_is_due(world: World) {
    let mirror = world.scheduled(1).await;
    let kinds = async |mirror: MirrorId| -> Vec<RunKind> {
        let runs = world.store.runs(mirror, 9).await.unwrap();
        runs.iter().rev().map(|run| run.kind).collect()
    };
    let mut schedule = world.store.schedule(mirror).await.unwrap();
    schedule.full_interval = Some(TimeDelta::days(1));
    world.store.set_schedule(mirror, &schedule).await.unwrap();
    let entropy = entropy();
    tick::tick_once(&world.store, &*entropy).await.unwrap();
    assert_eq!(scans(&world).await, 1);
    let set = world.store.schedule(mirror).await.unwrap().next_full_at;
    assert!(set.unwrap() <= world.store.now() + TimeDelta::days(1));
    let until = set.unwrap() - world.store.now() + TimeDelta::seconds(300);
    world.clock.advance(until.to_std().unwrap());
    let ticked = tick::tick_once(&world.store, &*entropy).await.unwrap();
    assert_eq!((ticked.turns, ticked.full), (1, 1));
    assert_eq!(kinds(mirror).await, [RunKind::Incremental, RunKind::Full]);
    let next = world.store.schedule(mirror).await.unwrap().next_full_at;
    assert_eq!(next.unwrap(), set.unwrap() + TimeDelta::days(1));
}

async fn a_run_that_waits_for_nothing_is_ended(world: World) {
    let mirror = world.scheduled(1).await;
    let tick = async || tick::tick_once(&world.store, &*entropy()).await.unwrap();
    assert_eq!(tick().await.runs_ended, 0);
    assert_eq!(scans(&world).await, 1);
    let mut ended = 0;
    for _ in 0..3 {
        ended += tick().await.runs_ended;
    }
    assert_eq!(ended, 1);
    let runs = world.store.runs(mirror, 9).await.unwrap();
    assert_eq!(runs[0].status, RunStatus::Completed);
}

#[tokio::test]
async fn a_database_that_broke_off_is_outlived() {
    let world = World::on_postgres().await;
    world.scheduled(1).await;
    let shutdown = CancellationToken::new();
    let scheduler = ticking(&world, world.beside().await, &shutdown);
    for _ in 0..3 {
        world.turns_are_taken().await;
        let database = world.database.as_ref().unwrap();
        database.disconnect_all().await.unwrap();
        world.clock.advance(INTERVAL * 2);
        // Its pauses pass by this clock.
        while world
            .store
            .next_turn()
            .await
            .map_or(true, |next| next.unwrap() <= world.store.now())
        {
            world.clock.advance(Duration::from_millis(50));
        }
    }
    shutdown.cancel();
    scheduler.await.unwrap();
}
