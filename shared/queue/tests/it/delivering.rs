//! Tickets reach the workers, whatever the workers do: the same stories within the process and over
//! Redis.

use crate::redis_server::{self, eventually};
use mirror_core::{
    ids::{TicketNumber, WorkId},
    job::Ticket,
};
use mirror_queue::{
    connection::Redis,
    delivery::{self, Consumer, Producer},
    signals::Signals,
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// The delivery that a story is told of.
#[derive(Clone, Copy)]
enum Way {
    Process,
    Redis,
}

impl Way {
    /// Both ends, with room for so many.
    fn ends(self, room: usize) -> (Producer, Consumer) {
        match self {
            Self::Process => delivery::in_process(room),
            Self::Redis => over_redis(&redis_server::redis(), room),
        }
    }
}

pub(crate) fn over_redis(redis: &Redis, room: usize) -> (Producer, Consumer) {
    let signals = Signals::redis(redis);
    let consumer = Consumer::redis(redis, &signals);
    // The signals live as long as somebody listens: here, as long as the test.
    std::mem::forget(signals);
    (Producer::redis(redis, room), consumer)
}

pub(crate) fn ticket(work: i64) -> Ticket {
    Ticket {
        work: WorkId(work),
        ticket: TicketNumber(1),
    }
}

pub(crate) fn no_panic(ticket: Ticket, message: &str) {
    panic!("{ticket:?} panicked: {message}");
}

/// Hands over, as a dispatcher does: waits for room, tries again.
pub(crate) async fn deliver(producer: &Producer, mut tickets: Vec<Ticket>) {
    while !tickets.is_empty() {
        assert!(producer.room().await);
        tickets = match producer.send_all(tickets).await {
            Ok(()) => return,
            Err(not_sent) => not_sent.tickets,
        };
    }
}

/// What was executed.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<Vec<i64>>>);

impl Seen {
    pub(crate) fn note(&self, ticket: Ticket) {
        self.0.lock().unwrap().push(ticket.work.0);
    }

    pub(crate) fn all(&self) -> BTreeSet<i64> {
        self.0.lock().unwrap().iter().copied().collect()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

macro_rules! both {
    ($($story:ident)*) => {
        mod in_process {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(super::Way::Process).await;
            })*
        }
        mod over_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $story() {
                super::$story(super::Way::Redis).await;
            })*
        }
    };
}

both! {
    every_ticket_is_executed_once_when_many_produce_at_once
    no_more_than_the_concurrency_run_at_once
    a_panic_ends_its_ticket_alone_and_is_told
    a_shutdown_finishes_what_runs_and_loses_nothing
    a_shutdown_before_the_start_runs_nothing
    the_room_is_what_workers_have_not_taken
    tickets_are_asked_for_many_at_a_time
    tickets_go_in_the_order_they_came
}

async fn every_ticket_is_executed_once_when_many_produce_at_once(way: Way) {
    let (producer, consumer) = way.ends(16);
    let seen = Seen::default();
    for first in [0, 1000, 2000, 3000] {
        let producer = producer.clone();
        tokio::spawn(async move {
            for work in first..first + 1000 {
                deliver(&producer, vec![ticket(work)]).await;
            }
        });
    }
    let sink = seen.clone();
    let execute = move |ticket: Ticket| {
        sink.note(ticket);
        std::future::ready(())
    };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(consumer.run(8, shutdown.clone(), execute, no_panic));
    eventually("all are executed", || async { seen.count() >= 4000 }).await;
    shutdown.cancel();
    assert_eq!(running.await.unwrap(), []);
    assert_eq!(seen.count(), 4000);
    assert_eq!(seen.all().len(), 4000);
}

async fn no_more_than_the_concurrency_run_at_once(way: Way) {
    let (producer, consumer) = way.ends(16);
    let running = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let ended = Arc::new(AtomicUsize::new(0));
    let counted = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&ended));
    let execute = move |_| {
        let (running, most, ended) = counted.clone();
        async move {
            let now = running.fetch_add(1, Ordering::SeqCst) + 1;
            most.fetch_max(now, Ordering::SeqCst);
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            running.fetch_sub(1, Ordering::SeqCst);
            ended.fetch_add(1, Ordering::SeqCst);
        }
    };
    let shutdown = CancellationToken::new();
    let consuming = tokio::spawn(consumer.run(3, shutdown.clone(), execute, no_panic));
    deliver(&producer, (0..200).map(ticket).collect()).await;
    eventually("all are executed", || async {
        ended.load(Ordering::SeqCst) == 200
    })
    .await;
    shutdown.cancel();
    consuming.await.unwrap();
    assert!(most.load(Ordering::SeqCst) <= 3);
}

async fn a_panic_ends_its_ticket_alone_and_is_told(way: Way) {
    let (producer, consumer) = way.ends(16);
    let (send, mut done) = mpsc::unbounded_channel();
    let told = send.clone();
    let execute = move |ticket: Ticket| {
        let send = send.clone();
        async move {
            assert!(ticket.work.0 % 2 == 0, "odd work {}", ticket.work);
            send.send(format!("done {}", ticket.work)).unwrap();
        }
    };
    let on_panic = move |_: Ticket, message: &str| told.send(message.to_owned()).unwrap();
    let shutdown = CancellationToken::new();
    let consuming = tokio::spawn(consumer.run(1, shutdown.clone(), execute, on_panic));
    deliver(&producer, (1..=4).map(ticket).collect()).await;
    for expected in ["odd work 1", "done 2", "odd work 3", "done 4"] {
        assert_eq!(done.recv().await.unwrap(), expected);
    }
    shutdown.cancel();
    consuming.await.unwrap();
}

async fn a_shutdown_finishes_what_runs_and_loses_nothing(way: Way) {
    let (producer, consumer) = way.ends(16);
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
    deliver(&producer, (1..=3).map(ticket).collect()).await;
    started.notified().await;
    shutdown.cancel();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!consuming.is_finished(), "the running ticket is waited for");
    may_finish.add_permits(1);
    let undelivered = consuming.await.unwrap();
    assert_eq!(finished.load(Ordering::SeqCst), 1);
    match way {
        Way::Process => {
            assert_eq!(undelivered, [ticket(2), ticket(3)]);
            assert_eq!(producer.try_room(), 0);
            assert!(!producer.room().await);
            let refused = producer.send(ticket(4)).await.unwrap_err();
            assert_eq!(refused.tickets, [ticket(4)]);
        }
        // They wait for other workers.
        Way::Redis => {
            assert_eq!(undelivered, []);
            assert!(producer.room().await);
            assert_eq!(producer.try_room(), 14);
        }
    }
}

async fn a_shutdown_before_the_start_runs_nothing(way: Way) {
    let (producer, consumer) = way.ends(16);
    producer.send(ticket(1)).await.unwrap();
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    let execute = |ticket| async move { panic!("{ticket:?} was not to run") };
    let undelivered = consumer.run(1, shutdown, execute, no_panic).await;
    match way {
        Way::Process => assert_eq!(undelivered, [ticket(1)]),
        Way::Redis => assert_eq!(undelivered, []),
    }
}

async fn the_room_is_what_workers_have_not_taken(way: Way) {
    let (producer, _consumer) = way.ends(2);
    assert_eq!(producer.try_room(), 2);
    producer.send(ticket(1)).await.unwrap();
    assert_eq!(producer.try_room(), 1);
    assert!(producer.room().await);
    assert_eq!(producer.try_room(), 1, "asking takes nothing");
}

async fn tickets_are_asked_for_many_at_a_time(way: Way) {
    const PLACES: usize = 16;
    let (producer, consumer) = way.ends(PLACES);
    let seen = Seen::default();
    let execute = {
        let seen = seen.clone();
        move |ticket| {
            seen.note(ticket);
            async {}
        }
    };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(consumer.run(1, shutdown.clone(), execute, no_panic));
    let mut next = 0;
    while next < 500 {
        assert!(producer.room().await);
        let room = producer.try_room();
        assert!(room >= PLACES / 2, "a claim for {room}");
        let tickets = (next..).take(room).map(ticket).collect();
        producer.send_all(tickets).await.unwrap();
        next += i64::try_from(room).unwrap();
    }
    let all = usize::try_from(next).unwrap();
    eventually("all are executed", || async { seen.count() == all }).await;
    shutdown.cancel();
    running.await.unwrap();
}

async fn tickets_go_in_the_order_they_came(way: Way) {
    let (producer, consumer) = way.ends(64);
    deliver(&producer, (0..50).map(ticket).collect()).await;
    let (send, mut executed) = mpsc::unbounded_channel();
    let execute = move |ticket: Ticket| {
        send.send(ticket).unwrap();
        std::future::ready(())
    };
    let shutdown = CancellationToken::new();
    let consuming = tokio::spawn(consumer.run(1, shutdown.clone(), execute, no_panic));
    for work in 0..50 {
        assert_eq!(executed.recv().await.unwrap(), ticket(work));
    }
    shutdown.cancel();
    consuming.await.unwrap();
}

#[tokio::test]
async fn a_consumer_within_the_process_ends_with_its_last_producer() {
    let (producer, consumer) = delivery::in_process(16);
    let seen = Seen::default();
    let sink = seen.clone();
    let execute = move |ticket: Ticket| {
        sink.note(ticket);
        std::future::ready(())
    };
    producer.send(ticket(1)).await.unwrap();
    drop(producer);
    let undelivered = consumer
        .run(1, CancellationToken::new(), execute, no_panic)
        .await;
    assert_eq!((undelivered, seen.count()), (vec![], 1));
}
