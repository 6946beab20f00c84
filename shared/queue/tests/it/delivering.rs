//! Tickets reach the workers, whatever the workers do.

use mirror_core::{
    ids::{TicketNumber, WorkId},
    job::Ticket,
};
use mirror_queue::delivery;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

fn ticket(work: i64) -> Ticket {
    Ticket {
        work: WorkId(work),
        ticket: TicketNumber(1),
    }
}

fn no_panic(ticket: Ticket, message: &str) {
    panic!("{ticket:?} panicked: {message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_ticket_is_executed_once_when_many_produce_at_once() {
    let (producer, consumer) = delivery::in_process(16);
    let seen = Arc::new(Mutex::new(Vec::new()));
    for first in [0, 1000, 2000, 3000] {
        let producer = producer.clone();
        tokio::spawn(async move {
            for work in first..first + 1000 {
                producer.send(ticket(work)).await.unwrap();
            }
        });
    }
    drop(producer);
    let sink = Arc::clone(&seen);
    let execute = move |ticket: Ticket| {
        sink.lock().unwrap().push(ticket.work.0);
        std::future::ready(())
    };
    // The consumer ends by itself when the last producer is gone.
    let running = tokio::spawn(consumer.run(8, CancellationToken::new(), execute, no_panic));
    let undelivered = running.await.unwrap();
    assert_eq!(undelivered, []);
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 4000);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 4000);
}

#[tokio::test]
async fn no_more_than_the_concurrency_run_at_once() {
    let (producer, consumer) = delivery::in_process(16);
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let counted = (Arc::clone(&running), Arc::clone(&most));
    let execute = move |_| {
        let (running, most) = (Arc::clone(&counted.0), Arc::clone(&counted.1));
        async move {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            running.fetch_sub(1, Ordering::SeqCst);
        }
    };
    let consuming = tokio::spawn(consumer.run(3, CancellationToken::new(), execute, no_panic));
    for work in 0..100 {
        producer.send(ticket(work)).await.unwrap();
    }
    drop(producer);
    consuming.await.unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_panic_ends_its_ticket_alone_and_is_told() {
    let (producer, consumer) = delivery::in_process(16);
    let (send, mut done) = mpsc::unbounded_channel();
    let execute = move |ticket: Ticket| {
        let send = send.clone();
        async move {
            assert!(ticket.work.0 % 2 == 0, "odd work {}", ticket.work);
            send.send(ticket.work.0).unwrap();
        }
    };
    let panics = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&panics);
    let on_panic = move |ticket: Ticket, message: &str| {
        told.lock()
            .unwrap()
            .push((ticket.work.0, message.to_owned()));
    };
    let consuming = tokio::spawn(consumer.run(1, CancellationToken::new(), execute, on_panic));
    for work in 1..=4 {
        producer.send(ticket(work)).await.unwrap();
    }
    drop(producer);
    consuming.await.unwrap();
    assert_eq!([done.recv().await, done.recv().await], [Some(2), Some(4)]);
    let panics = panics.lock().unwrap();
    assert_eq!(
        *panics,
        [(1, "odd work 1".to_owned()), (3, "odd work 3".to_owned())]
    );
}

#[tokio::test]
async fn a_shutdown_finishes_what_runs_and_returns_what_does_not() {
    let (producer, consumer) = delivery::in_process(16);
    let shutdown = CancellationToken::new();
    let started = Arc::new(Notify::new());
    let may_finish = Arc::new(Semaphore::new(0));
    let finished = Arc::new(AtomicUsize::new(0));
    let parts = (
        Arc::clone(&started),
        Arc::clone(&may_finish),
        Arc::clone(&finished),
    );
    let execute = move |_| {
        let (started, may_finish, finished) = parts.clone();
        async move {
            started.notify_one();
            drop(may_finish.acquire().await);
            finished.fetch_add(1, Ordering::SeqCst);
        }
    };
    let consuming = tokio::spawn(consumer.run(1, shutdown.clone(), execute, no_panic));
    for work in 1..=3 {
        producer.send(ticket(work)).await.unwrap();
    }
    started.notified().await;
    shutdown.cancel();
    tokio::task::yield_now().await;
    assert!(!consuming.is_finished(), "the running ticket is waited for");
    may_finish.add_permits(1);
    let undelivered = consuming.await.unwrap();
    assert_eq!(finished.load(Ordering::SeqCst), 1);
    assert_eq!(undelivered, [ticket(2), ticket(3)]);
    assert_eq!(producer.try_room(), 0);
    let refused = producer.send(ticket(4)).await.unwrap_err();
    assert_eq!(refused.0, ticket(4));
}

#[tokio::test]
async fn a_shutdown_before_the_start_runs_nothing() {
    let (producer, consumer) = delivery::in_process(16);
    producer.send(ticket(1)).await.unwrap();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let execute = |ticket| async move { panic!("{ticket:?} was not to run") };
    let undelivered = consumer.run(1, shutdown, execute, no_panic).await;
    assert_eq!(undelivered, [ticket(1)]);
}

#[tokio::test]
async fn the_room_is_what_workers_have_not_taken() {
    let (producer, _consumer) = delivery::in_process(2);
    assert_eq!(producer.try_room(), 2);
    producer.send(ticket(1)).await.unwrap();
    assert_eq!(producer.try_room(), 1);
    assert!(producer.room().await);
    assert_eq!(producer.try_room(), 1, "asking takes nothing");
}
