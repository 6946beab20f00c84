//! The worker as a service: seen, stopped from afar, and drained.

use crate::{
    leases::stall,
    support::{LEASE, World, a_talk, issue},
};
use gitlab_sim::{HookVerdict, Phase};
use mirror_core::{
    ids::Iid,
    job::{Job, Priority},
};
use mirror_queue::delivery::{self, Producer};
use mirror_runtime::{process::Process, testing::ManualClock};
use mirror_store::{RunKind, RunRequest, Store};
use mirror_worker::{Context, Drained, GRACE, Service};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// A service at work on a world, which goes on living beside it.
struct Serving {
    cx: Arc<Context>,
    beats: ManualClock,
    producer: Producer,
    service: JoinHandle<Drained>,
}

fn process() -> Process {
    Process {
        name: "host-7-abc".to_owned(),
        host: "host".to_owned(),
        pid: 7,
    }
}

impl Serving {
    /// Sends all that is due to a service of this concurrency.
    async fn with(world: &mut World, concurrency: usize) -> Self {
        let spare = world.beside().await;
        let mut cx = std::mem::replace(&mut world.cx, spare.cx);
        cx.owner = process().name;
        let cx = Arc::new(cx);
        let beats = ManualClock::starting_at(world.now());
        let (producer, consumer) = delivery::in_process(16);
        let service = Service {
            cx: cx.clone(),
            consumer,
            process: process(),
            concurrency,
            grace: GRACE,
            clock: Arc::new(beats.clone()),
        };
        let serving = Self {
            cx,
            beats,
            producer,
            service: tokio::spawn(service.run(|| {})),
        };
        let claimed = world.cx.store.claim(16, 16, LEASE).await.unwrap();
        for claimed in claimed {
            serving.producer.send(claimed.ticket).await.unwrap();
        }
        serving
    }

    /// One second after the other, so that every beat comes.
    fn second(&self) {
        self.beats.advance(Duration::from_secs(1));
    }
}

/// Lets everybody else go on until it is so.
async fn until<F: Future<Output = bool>>(mut so: impl FnMut() -> F) {
    while !so().await {
        tokio::task::yield_now().await;
    }
}

async fn listed(store: &Store) -> Vec<(String, bool)> {
    let workers = store.workers().await.unwrap();
    workers
        .into_iter()
        .map(|worker| (worker.name, worker.draining))
        .collect()
}

fn talk_of(world: &World, iid: u64) -> Job {
    Job::SyncIssue {
        mirror: world.mirror,
        iid: Iid(i64::try_from(iid).unwrap()),
    }
}

#[tokio::test]
async fn a_worker_is_on_the_list_from_its_start_to_its_clean_end() {
    let mut world = World::new().await;
    let serving = Serving::with(&mut world, 1).await;
    let store = world.cx.store.clone();
    let name = process().name;
    until(async || listed(&store).await == [(name.clone(), false)]).await;
    let first = store.workers().await.unwrap()[0].heartbeat_at;
    world.later(60);
    until(async || {
        serving.second();
        store.workers().await.unwrap()[0].heartbeat_at > first
    })
    .await;
    serving.cx.shutdown.request();
    assert_eq!(serving.service.await.unwrap(), Drained::InTime);
    assert_eq!(listed(&store).await, []);
}

#[tokio::test]
async fn a_run_cancelled_on_another_host_stops_its_job_before_the_next_write() {
    let mut world = World::new().await;
    let iid = a_talk(&world);
    let request = RunRequest {
        mirror: world.mirror,
        kind: RunKind::SingleIssue,
        jobs: &[talk_of(&world, iid)],
        priority: Priority::ByHand,
        by: "test",
    };
    let run = world.cx.store.request_run(&request).await.unwrap().run;
    let (met, go) = stall(&world, "/issues");
    let serving = Serving::with(&mut world, 1).await;
    met.notified().await;
    let sent = world.writes();
    world.cx.store.cancel_run(run).await.unwrap();
    until(async || {
        serving.second();
        serving.cx.in_hand.asked_to_stop() == 1
    })
    .await;
    go.notify_one();
    until(async || serving.cx.in_hand.is_empty()).await;
    assert_eq!(world.writes(), sent);
    serving.cx.shutdown.request();
    assert_eq!(serving.service.await.unwrap(), Drained::InTime);
    world.run().await;
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn a_drained_worker_leaves_nothing_in_hand_and_no_attempt_burnt() {
    let mut world = World::new().await;
    let iids: Vec<u64> = (0..4).map(|_| a_talk(&world)).collect();
    world.owe_talks(&iids).await;
    let (met, go) = stall(&world, "/issues");
    let serving = Serving::with(&mut world, 1).await;
    met.notified().await;
    let sent = world.writes();
    serving.cx.shutdown.request();
    let store = world.cx.store.clone();
    let name = process().name;
    until(async || listed(&store).await == [(name.clone(), true)]).await;
    go.notify_one();
    assert_eq!(serving.service.await.unwrap(), Drained::InTime);
    let due = store.due(world.mirror).await.unwrap();
    assert_eq!((due.pending, due.queued, due.running), (4, 0, 0));
    let rows = store.unfinished(world.mirror, 10).await.unwrap();
    assert!(rows.iter().all(|row| row.attempts == 0), "{rows:?}");
    assert_eq!(world.writes(), sent);
    world.run().await;
    world.assert_mirrored(iids);
    world.all_went_well().await;
}

#[tokio::test]
async fn what_does_not_end_within_the_grace_time_is_left_to_its_lease() {
    let mut world = World::new().await;
    let iid = a_talk(&world);
    world.owe_talks(&[iid]).await;
    let (met, go) = stall(&world, "/issues");
    let serving = Serving::with(&mut world, 1).await;
    met.notified().await;
    serving.cx.shutdown.request();
    let sleepers = serving.beats.clone();
    // The beats and the grace time.
    until(async || sleepers.sleepers() == 3).await;
    serving.beats.advance(GRACE);
    assert_eq!(serving.service.await.unwrap(), Drained::Late { left: 1 });
    assert_eq!(listed(&world.cx.store).await, []);
    let due = world.cx.store.due(world.mirror).await.unwrap();
    assert_eq!(due.running, 1);
    go.notify_one();
    until(async || serving.cx.in_hand.is_empty()).await;
    world.later(LEASE.as_secs() + 1);
    world.cx.store.sweep(10).await.unwrap();
    world.run().await;
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn a_scan_that_only_reads_stops_before_its_next_request() {
    let mut world = World::new().await;
    for n in 0..250 {
        world.write(issue(world.alice, &format!("Issue {n}")));
    }
    world.serve().await;
    let (shutdown, sim) = (world.cx.shutdown.clone(), world.source.clone());
    world.source.set_hook(Arc::new(move |event| {
        if event.phase == Phase::After && event.path.ends_with("/issues") {
            sim.clear_hook();
            shutdown.request();
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.owe_scan().await;
    world.round(1).await;
    let asked = world.source_requests();
    assert!(asked.last().unwrap().ends_with("/issues"), "{asked:?}");
    let rows = world.cx.store.unfinished(world.mirror, 300).await.unwrap();
    assert!(rows.iter().all(|row| row.attempts == 0), "{rows:?}");
    assert_eq!(world.failures(), Vec::<String>::new());
    world.restart().await;
    world.run_wide(8).await;
    world.assert_all_mirrored();
    world.all_went_well().await;
}

impl World {
    async fn owe_talks(&self, iids: &[u64]) {
        let owes = iids
            .iter()
            .map(|iid| mirror_store::Owe::changed(talk_of(self, *iid), Priority::Incremental));
        self.cx.store.owe(&owes.collect::<Vec<_>>()).await.unwrap();
    }
}
