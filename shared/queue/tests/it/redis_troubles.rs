//! Redis emptied, killed, stalled, starved: nothing panics or hangs, nothing is lost that the record
//! would not owe again, and both ends recover by themselves.

use crate::{
    delivering::{Seen, deliver, no_panic, over_redis, ticket},
    redis_server::{Server, connect, eventually, named, redis},
};
use mirror_core::job::Ticket;
use mirror_queue::{
    connection::{Redis, RedisError},
    delivery::{Consumer, Producer, Reason},
    signals::{Signal, Signals},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

struct Worker {
    seen: Seen,
    shutdown: CancellationToken,
    running: JoinHandle<Vec<Ticket>>,
}

impl Worker {
    fn start(consumer: Consumer) -> Self {
        let seen = Seen::default();
        let sink = seen.clone();
        let execute = move |ticket: Ticket| {
            sink.note(ticket);
            std::future::ready(())
        };
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(consumer.run(4, shutdown.clone(), execute, no_panic));
        Self {
            seen,
            shutdown,
            running,
        }
    }

    async fn has_seen(&self, work: i64) {
        eventually("the ticket is executed", || async {
            self.seen.all().contains(&work)
        })
        .await;
    }

    async fn stop(self) -> Vec<Ticket> {
        self.shutdown.cancel();
        self.running.await.unwrap()
    }
}

/// As a dispatcher whose tickets ran out: sends until the ticket has been executed.
async fn insist(producer: &Producer, worker: &Worker, work: i64) {
    eventually("a ticket gets through", || async {
        if producer.try_room() > 0 {
            drop(producer.send(ticket(work)).await);
        } else {
            producer.room().await;
        }
        worker.seen.all().contains(&work)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_flush_loses_nothing_that_is_sent_again() {
    let server = Server::start(&[]).await;
    let (producer, consumer) = over_redis(&connect(&server.url()), 64);
    let worker = Worker::start(consumer);
    let mut generations = Vec::new();
    for round in 0..5 {
        deliver(
            &producer,
            (0..40).map(|n| ticket(round * 1000 + n)).collect(),
        )
        .await;
        assert_eq!(server.admin(&["FLUSHALL"]), "OK");
        insist(&producer, &worker, round * 1000 + 999).await;
        generations.push(producer.generation().unwrap());
    }
    generations.dedup();
    assert_eq!(generations.len(), 5, "each loss is noticed");
    assert_eq!(worker.stop().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_under_way_goes_on_when_redis_is_killed_and_comes_back_empty() {
    let mut server = Server::start(&[]).await;
    let redis = connect(&server.url());
    let (producer, consumer) = over_redis(&redis, 64);
    let gate = Arc::new(Semaphore::new(0));
    let (started, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let parts = (gate.clone(), started.clone(), ended.clone());
    let execute = move |_| {
        let (gate, started, ended) = parts.clone();
        async move {
            started.fetch_add(1, Ordering::SeqCst);
            gate.acquire().await.unwrap().forget();
            ended.fetch_add(1, Ordering::SeqCst);
        }
    };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(consumer.run(2, shutdown.clone(), execute, no_panic));
    deliver(&producer, vec![ticket(1)]).await;
    let starts = |many| {
        let started = started.clone();
        eventually("jobs start", move || {
            let now = started.load(Ordering::SeqCst);
            async move { now == many }
        })
    };
    starts(1).await;

    server.kill();
    let error = producer.send(ticket(2)).await.unwrap_err();
    assert_eq!(error.tickets, [ticket(2)]);
    assert!(matches!(
        error.reason,
        Reason::Redis(RedisError::Unreachable(_))
    ));
    assert_eq!(producer.try_room(), 0, "nothing is claimed in vain");
    assert!(redis.health().await.is_err());

    server.begin().await;
    deliver(&producer, vec![ticket(3)]).await;
    starts(2).await;
    assert_eq!(ended.load(Ordering::SeqCst), 0, "the first still runs");
    gate.add_permits(2);
    shutdown.cancel();
    assert_eq!(running.await.unwrap(), []);
    assert_eq!(ended.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_redis_fails_sends_in_time_and_all_goes_on_afterwards() {
    let server = Server::start(&[]).await;
    let (producer, consumer) = over_redis(&connect(&server.url()), 64);
    let worker = Worker::start(consumer);
    deliver(&producer, vec![ticket(1)]).await;
    worker.has_seen(1).await;
    server.signal("-STOP");
    let error = producer.send(ticket(2)).await.unwrap_err();
    assert!(matches!(
        error.reason,
        Reason::Redis(RedisError::Unreachable(_))
    ));
    server.signal("-CONT");
    insist(&producer, &worker, 3).await;
    worker.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_stops_in_time_although_redis_is_gone() {
    let mut server = Server::start(&[]).await;
    let (producer, consumer) = over_redis(&connect(&server.url()), 64);
    let worker = Worker::start(consumer);
    deliver(&producer, vec![ticket(1)]).await;
    worker.has_seen(1).await;
    server.signal("-STOP");
    let stopping = worker.stop();
    tokio::select! {
        undelivered = stopping => assert_eq!(undelivered, []),
        () = eventually("the worker outlasts its patience", || async { false }) => {}
    }
    server.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_refuses_tickets_and_takes_them_when_it_has_memory_again() {
    let server = Server::start(&["--maxmemory", "100mb"]).await;
    let redis = connect(&server.url());
    let (producer, consumer) = over_redis(&redis, 64);
    let worker = Worker::start(consumer);
    insist(&producer, &worker, 1).await;
    server.admin(&["CONFIG", "SET", "maxmemory", "1"]);
    let error = producer.send(ticket(2)).await.unwrap_err();
    let Reason::Redis(full @ RedisError::Full(_)) = error.reason else {
        panic!("{error:?}");
    };
    assert!(full.is_transient());
    server.admin(&["CONFIG", "SET", "maxmemory", "0"]);
    insist(&producer, &worker, 3).await;
    worker.stop().await;
}

#[tokio::test]
async fn an_evicting_redis_is_warned_of_and_a_careful_one_is_not() {
    let server = Server::start(&["--maxmemory-policy", "allkeys-lru"]).await;
    let redis = connect(&server.url());
    let warning = redis.check().await.unwrap().unwrap();
    assert!(warning.contains("allkeys-lru") && warning.contains("noeviction"));
    server.admin(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    assert_eq!(redis.check().await.unwrap(), None);
    assert_eq!(redis.health().await.unwrap().warning, None);
}

#[tokio::test]
async fn each_way_not_to_get_in_is_told_apart() {
    let server = Server::start(&["--requirepass", "hush"]).await;
    let without = connect(&server.url()).check().await.unwrap_err();
    assert!(matches!(without, RedisError::Login(_)), "{without:?}");
    let url = server.url().replace("redis://", "redis://:wrong@");
    let wrong = connect(&url).check().await.unwrap_err();
    assert!(matches!(wrong, RedisError::Login(_)), "{wrong:?}");
    assert!(!wrong.is_transient());
    let url = server.url().replace("redis://", "redis://:hush@");
    connect(&url).check().await.unwrap();
    let nobody = connect("redis://127.0.0.1:1").check().await.unwrap_err();
    assert!(matches!(nobody, RedisError::Unreachable(_)) && nobody.is_transient());

    let cluster = Server::start(&["--cluster-enabled", "yes"]).await;
    let node = connect(&cluster.url()).check().await.unwrap_err();
    assert!(matches!(node, RedisError::Cluster), "{node:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_ticket_is_acknowledged_and_counted() {
    let server = Server::start(&[]).await;
    let redis = named(&server.url(), "m:");
    let (producer, consumer) = over_redis(&redis, 64);
    let worker = Worker::start(consumer);
    for (id, data) in [("7-1", r#"{"newer":true}"#), ("8-1", "")] {
        server.admin(&["HSET", "m:tickets:data", id, data]);
        let notes = format!("m:tickets:meta:{id}");
        let fields = ["attempts", "0", "max_attempts", "1", "status", "Pending"];
        server.admin(&[&["HSET", &notes][..], &fields].concat());
        server.admin(&["RPUSH", "m:tickets:active", id]);
    }
    deliver(&producer, vec![ticket(1)]).await;
    worker.has_seen(1).await;
    assert_eq!(redis.unreadable_tickets(), 2);
    worker.stop().await;
    assert_eq!(server.admin(&["EXISTS", "m:tickets:data"]), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_ticket_stops_nobody_for_long_and_goes_away() {
    let server = Server::start(&[]).await;
    let redis = named(&server.url(), "m:");
    let (producer, consumer) = over_redis(&redis, 64);
    let worker = Worker::start(consumer);
    // As after an eviction: the name is there, the rest is not.
    server.admin(&["RPUSH", "m:tickets:active", "7-1"]);
    deliver(&producer, vec![ticket(1)]).await;
    worker.has_seen(1).await;
    eventually("it is dropped, and its worker with it", || async {
        redis.health().await.unwrap().taken == 0 && redis.health().await.unwrap().workers == 1
    })
    .await;
    assert_eq!(worker.stop().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_worker_had_taken_another_takes_up() {
    let server = Server::start(&[]).await;
    let redis = named(&server.url(), "m:");
    let (producer, consumer) = over_redis(&redis, 64);
    deliver(&producer, vec![ticket(1), ticket(2)]).await;
    // Killed after it had fetched one: its sign of life is gone.
    server.admin(&["ZADD", "m:tickets:workers", "9999999999", "dead"]);
    server.admin(&["LPOP", "m:tickets:active"]);
    server.admin(&["SADD", "m:tickets:inflight:dead", "1-1"]);
    let worker = Worker::start(consumer);
    worker.has_seen(1).await;
    worker.has_seen(2).await;
    worker.stop().await;
    assert_eq!(server.admin(&["KEYS", "m:tickets*"]), "", "nothing is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_deployments_share_a_server_and_not_their_tickets() {
    let (one, two) = (redis(), redis());
    let (producer, consumer) = over_redis(&one, 64);
    let (_, other) = over_redis(&two, 64);
    let (worker, other) = (Worker::start(consumer), Worker::start(other));
    deliver(&producer, vec![ticket(1)]).await;
    worker.has_seen(1).await;
    worker.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_fills_the_window_beyond_its_size() {
    let redis = redis();
    let (one, two) = (Producer::redis(&redis, 10), Producer::redis(&redis, 10));
    let error = one
        .send_all((0..15).map(ticket).collect())
        .await
        .unwrap_err();
    assert_eq!(error.tickets, (10..15).map(ticket).collect::<Vec<_>>());
    assert!(matches!(error.reason, Reason::Full));
    assert_eq!(two.try_room(), 10, "it has not looked yet");
    let error = two.send(ticket(20)).await.unwrap_err();
    assert!(matches!(error.reason, Reason::Full));
    assert_eq!((one.try_room(), two.try_room()), (0, 0));
    assert_eq!(one.generation(), two.generation());
    assert_eq!(redis.health().await.unwrap().waiting, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_reaches_other_processes_also_after_redis_came_back() {
    let mut server = Server::start(&[]).await;
    let ours: Redis = named(&server.url(), "m:");
    let theirs: Redis = named(&server.url(), "m:");
    let (here, there) = (Signals::redis(&ours), Signals::redis(&theirs));
    let (owed_here, owed_there) = (here.listen(Signal::Owed), there.listen(Signal::Owed));
    let reaches = async || {
        // Said again until somebody listens.
        eventually("the signal arrives", || async {
            here.owed();
            tokio::select! {
                () = owed_there.notified() => true,
                () = tokio::task::yield_now() => false,
            }
        })
        .await;
        owed_here.notified().await;
    };
    reaches().await;
    server.kill();
    here.owed();
    owed_here.notified().await;
    server.begin().await;
    // Whoever listens again looks, since something may have been said meanwhile.
    owed_there.notified().await;
    reaches().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_flat() {
    let server = Server::start(&[]).await;
    let redis = connect(&server.url());
    let (producer, consumer) = over_redis(&redis, 256);
    let worker = Worker::start(consumer);
    let mut memory = Vec::new();
    for round in 0..4_i64 {
        let tickets = (0..2500).map(|n| ticket(round * 2500 + n)).collect();
        deliver(&producer, tickets).await;
        eventually("all are executed and forgotten", || async {
            worker.seen.count() >= 2500 * (round as usize + 1)
                && redis.health().await.unwrap().taken == 0
                && server.admin(&["EVAL", LEFT, "0"]) == "0"
        })
        .await;
        memory.push(redis.health().await.unwrap().memory.unwrap());
    }
    worker.stop().await;
    let (first, last) = (memory[0], memory[3]);
    assert!(last < first + 200_000, "{memory:?}");
}

/// How many keys there are besides those that are always there.
const LEFT: &str = "local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do \
    if k:find(':data') or k:find(':done') or k:find('result') or k:find('meta:%d') then n = n + 1 end end return n";
