use crate::world::{World, work};
use mirror_core::job::Ticket;
use mirror_queue::delivery;
use mirror_scheduler::dispatch::{self, Window};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

fn no_panic(ticket: Ticket, message: &str) {
    panic!("{ticket:?} panicked: {message}");
}

#[tokio::test]
async fn no_more_goes_out_than_there_is_room_for() {
    let world = World::new().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..10).await;
    let (producer, _consumer) = delivery::in_process(4);
    let window = Window::default();
    let sent = dispatch::dispatch_once(&world.store, &producer, &window)
        .await
        .unwrap();
    assert_eq!(sent, 4);
    let due = world.store.due(mirror).await.unwrap();
    assert_eq!((due.queued, due.pending), (4, 6));
    let sent = dispatch::dispatch_once(&world.store, &producer, &window)
        .await
        .unwrap();
    assert_eq!(sent, 0, "the delivery is full");
}

#[tokio::test]
async fn a_process_with_one_mirrors_tokens_leaves_the_others_alone() {
    let world = World::new().await;
    let ours = world.mirror(1, 2).await;
    let theirs = world.mirror(3, 4).await;
    world.owe_issues(ours, 0..3).await;
    world.owe_issues(theirs, 0..3).await;
    let (producer, _consumer) = delivery::in_process(100);
    let window = Window {
        only: Some(ours),
        ..Window::default()
    };
    let sent = dispatch::dispatch_once(&world.store, &producer, &window)
        .await
        .unwrap();
    assert_eq!(sent, 3);
    assert_eq!(world.store.due(theirs).await.unwrap().pending, 3);
}

#[tokio::test]
async fn all_that_is_owed_is_worked_off_also_what_is_owed_meanwhile() {
    let world = World::new().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..200).await;
    let (producer, consumer) = delivery::in_process(8);
    let wake = Arc::new(Notify::new());
    let shutdown = CancellationToken::new();
    let dispatching = tokio::spawn(dispatch::run(
        world.store.clone(),
        producer,
        Window::default(),
        Arc::new(world.clock.clone()),
        Arc::clone(&wake),
        shutdown.clone(),
    ));
    let done = Arc::new(AtomicUsize::new(0));
    let all = Arc::new(Notify::new());
    let execute = {
        let (store, done, all) = (world.store.clone(), Arc::clone(&done), Arc::clone(&all));
        move |ticket| {
            let (store, done, all) = (store.clone(), Arc::clone(&done), Arc::clone(&all));
            async move {
                assert!(work(&store, ticket).await, "no ticket is void");
                let done = done.fetch_add(1, Ordering::SeqCst) + 1;
                if done == 200 || done == 201 {
                    all.notify_one();
                }
            }
        }
    };
    let consuming = tokio::spawn(consumer.run(4, shutdown.clone(), execute, no_panic));
    all.notified().await;
    // The clock stands still, so it is the wake-up that brings this one, not the poll.
    world.owe_issues(mirror, 200..201).await;
    wake.notify_one();
    all.notified().await;
    shutdown.cancel();
    dispatching.await.unwrap().unwrap();
    assert_eq!(consuming.await.unwrap(), []);
    assert_eq!(done.load(Ordering::SeqCst), 201);
}

#[tokio::test]
async fn work_whose_time_comes_is_found_by_looking_again() {
    let world = World::new().await;
    let mirror = world.mirror(1, 2).await;
    let (producer, consumer) = delivery::in_process(8);
    let shutdown = CancellationToken::new();
    let dispatching = tokio::spawn(dispatch::run(
        world.store.clone(),
        producer,
        Window::default(),
        Arc::new(world.clock.clone()),
        Arc::new(Notify::new()),
        shutdown.clone(),
    ));
    let worked = Arc::new(Notify::new());
    let tell = Arc::clone(&worked);
    let execute = move |_| {
        tell.notify_one();
        std::future::ready(())
    };
    let consuming = tokio::spawn(consumer.run(1, shutdown.clone(), execute, no_panic));
    while world.clock.sleepers() == 0 {
        tokio::task::yield_now().await;
    }
    world.owe_issues(mirror, 0..1).await;
    world.clock.advance(Duration::from_secs(1));
    worked.notified().await;
    shutdown.cancel();
    dispatching.await.unwrap().unwrap();
    consuming.await.unwrap();
}

#[tokio::test]
async fn a_shutdown_hands_back_what_no_worker_has_begun() {
    let world = World::new().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..10).await;
    let (producer, consumer) = delivery::in_process(4);
    let shutdown = CancellationToken::new();
    let dispatching = tokio::spawn(dispatch::run(
        world.store.clone(),
        producer.clone(),
        Window::default(),
        Arc::new(world.clock.clone()),
        Arc::new(Notify::new()),
        shutdown.clone(),
    ));
    let begun = Arc::new(Notify::new());
    let may_end = Arc::new(Semaphore::new(0));
    let execute = {
        let (store, begun, may_end) = (
            world.store.clone(),
            Arc::clone(&begun),
            Arc::clone(&may_end),
        );
        move |ticket| {
            let (store, begun, may_end) = (store.clone(), Arc::clone(&begun), Arc::clone(&may_end));
            async move {
                begun.notify_one();
                drop(may_end.acquire().await);
                work(&store, ticket).await;
            }
        }
    };
    let consuming = tokio::spawn(consumer.run(1, shutdown.clone(), execute, no_panic));
    begun.notified().await;
    shutdown.cancel();
    dispatching.await.unwrap().unwrap();
    may_end.add_permits(1);
    let undelivered = consuming.await.unwrap();
    dispatch::hand_back(&world.store, undelivered)
        .await
        .unwrap();
    let due = world.store.due(mirror).await.unwrap();
    assert_eq!((due.pending, due.queued, due.running), (9, 0, 0));
}

#[tokio::test]
async fn tickets_that_nobody_takes_any_more_are_handed_back() {
    let world = World::new().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..3).await;
    let (producer, consumer) = delivery::in_process(4);
    drop(consumer);
    let sent = dispatch::dispatch_once(&world.store, &producer, &Window::default())
        .await
        .unwrap();
    assert_eq!(sent, 0);
    assert_eq!(world.store.due(mirror).await.unwrap().pending, 3);
    // And the loop ends by itself.
    dispatch::run(
        world.store.clone(),
        producer,
        Window::default(),
        Arc::new(world.clock.clone()),
        Arc::new(Notify::new()),
        CancellationToken::new(),
    )
    .await
    .unwrap();
}
