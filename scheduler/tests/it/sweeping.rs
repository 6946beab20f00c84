use crate::world::World;
use chrono::TimeDelta;
use mirror_queue::delivery;
use mirror_scheduler::{
    dispatch::{self, Window},
    prune, sweep,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn flushing_the_delivery_loses_nothing() {
    let world = World::new().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..500).await;
    let (producer, consumer) = delivery::in_process(1000);
    let window = Window {
        only: Some(mirror),
        per_mirror: 1000,
        ..Window::default()
    };
    let sent = dispatch::dispatch_once(&world.store, &producer, &window)
        .await
        .unwrap();
    assert_eq!(sent, 500);
    drop(consumer);

    assert_eq!(sweep::sweep_once(&world.store).await.unwrap().returned, 0);
    world.clock.advance(window.ticket_lease);
    let swept = sweep::sweep_once(&world.store).await.unwrap();
    assert_eq!((swept.returned, swept.dead), (500, 0));
    assert_eq!(world.store.due(mirror).await.unwrap().pending, 500);
}

#[tokio::test]
async fn the_sweep_wakes_the_dispatch_when_it_finds_something() {
    let world = World::new().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..1).await;
    let lease = Duration::from_secs(10);
    world.store.claim(1, 1, lease).await.unwrap();
    let wake = Arc::new(Notify::new());
    let shutdown = CancellationToken::new();
    let sweeping = tokio::spawn(sweep::run(
        world.store.clone(),
        Arc::new(world.clock.clone()),
        Arc::clone(&wake),
        shutdown.clone(),
    ));
    while world.clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.store.due(mirror).await.unwrap().queued, 1);
    world.clock.advance(Duration::from_secs(60));
    wake.notified().await;
    assert_eq!(world.store.due(mirror).await.unwrap().pending, 1);
    shutdown.cancel();
    sweeping.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_worker_lost_again_and_again_is_given_up_on_and_its_history_pruned_in_time() {
    let world = World::new().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..1).await;
    let lease = Duration::from_secs(10);
    let mut work = None;
    for loss in 1..=3 {
        let claimed = world.store.claim(1, 1, lease).await.unwrap();
        let ticket = claimed[0].ticket;
        work = Some(ticket.work);
        assert!(
            world
                .store
                .start(ticket, "worker", lease)
                .await
                .unwrap()
                .is_some()
        );
        world.clock.advance(lease);
        let swept = sweep::sweep_once(&world.store).await.unwrap();
        assert_eq!(swept.dead, u64::from(loss == 3), "loss {loss}");
    }
    let work = work.unwrap();
    assert_eq!(world.store.attempts(work, 10).await.unwrap().len(), 3);
    assert_eq!(prune::prune_once(&world.store).await.unwrap().attempts, 0);
    world.clock.advance(Duration::from_secs(31 * 24 * 3600));
    assert_eq!(prune::prune_once(&world.store).await.unwrap().attempts, 3);
}

#[tokio::test]
async fn a_moved_clock_takes_nothing_from_a_living_worker() {
    let world = World::new().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..1).await;
    let lease = Duration::from_secs(10);
    let claimed = world.store.claim(1, 1, lease).await.unwrap();
    let started = world.store.start(claimed[0].ticket, "worker", lease).await;
    let fence = started.unwrap().unwrap().fence;
    let shutdown = CancellationToken::new();
    let sweeping = tokio::spawn(sweep::run(
        world.store.clone(),
        Arc::new(world.clock.clone()),
        Arc::new(Notify::new()),
        shutdown.clone(),
    ));
    let mut jumps = [600_i64, -600, 3_600].into_iter();
    for second in 0..60 {
        world.asleep(1).await;
        if second % 20 == 9 {
            world.clock.jump(TimeDelta::seconds(jumps.next().unwrap()));
        }
        if second % 3 == 0 {
            assert!(
                world.store.heartbeat(&fence, lease).await.unwrap(),
                "{second}"
            );
        }
        world.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(world.store.due(mirror).await.unwrap().running, 1);
    // Nobody believes a dead one for ever.
    while world.store.due(mirror).await.unwrap().pending == 0 {
        world.clock.advance(Duration::from_secs(1));
    }
    shutdown.cancel();
    sweeping.await.unwrap().unwrap();
}
