//! What the scheduler costs and how it shares. Run with
//!
//! ```text
//! cargo bench -p mirror-scheduler --bench share
//! ```
//!
//! On an SQLite file, and on PostgreSQL where `ISSUE_MIRROR_TEST_POSTGRES` names a server.
//!
//! Figures to hold on two cores: with 10,000 mirrors and 33 due a second a tick takes less than
//! 100 ms, with nothing due a tick and a poll of the dispatcher less than 5 ms together; small
//! mirrors beside one of 100,000 issues are through within twice the time they take without it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark measures real time, speaks to a person and may stop at a failure"
)]

use chrono::{TimeDelta, Utc};
use mirror_core::{
    ids::{Iid, InstanceId, InstanceName, MirrorId, ProjectId},
    job::{Job, Priority},
    outcome::Outcome,
};
use mirror_queue::delivery;
use mirror_runtime::{SystemClock, SystemEntropy};
use mirror_scheduler::{
    dispatch::{self, Dispatcher, Window},
    tick,
};
use mirror_store::{End, MirrorEnd, NewMirror, Owe, Store, testing::TestDatabase};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

const MIRRORS: i64 = 10_000;
const LARGE: i64 = 100_000;
const JOB: Duration = Duration::from_millis(20);

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock::new());
    for part in ["idle", "fair"] {
        println!("SQLite, in a file: {part}");
        let path = folder.path().join(part);
        measure(Store::open(&path, clock.clone()).await.unwrap(), part).await;
        match TestDatabase::create().await {
            Ok(database) => {
                println!("PostgreSQL: {part}");
                let store = Store::connect(database.url(), clock.clone()).await;
                measure(store.unwrap(), part).await;
            }
            Err(error) => println!("PostgreSQL: not measured: {error}"),
        }
    }
}

async fn measure(store: Store, part: &str) {
    let name = InstanceName("gitlab.a".to_owned());
    let instance = store.register_instance(&name, "https://gitlab.a", &[]);
    let instance = instance.await.unwrap();
    if part == "idle" {
        idle(&store, instance).await;
    } else {
        fair(&store, instance).await;
    }
    store.close().await;
}

async fn mirror(store: &Store, instance: InstanceId, project: i64) -> MirrorId {
    let end = |project| MirrorEnd {
        instance,
        project: ProjectId(project),
        path: format!("group/project-{project}"),
    };
    let new = NewMirror {
        source: end(project),
        target: end(1_000_000 + project),
    };
    store.ensure_mirror(&new).await.unwrap().id
}

async fn owe(store: &Store, mirror: MirrorId, issues: i64) {
    let owes: Vec<Owe> = (1..=issues)
        .map(|iid| {
            let job = Job::SyncIssue {
                mirror,
                iid: Iid(iid),
            };
            Owe::changed(job, Priority::Backfill)
        })
        .collect();
    for page in owes.chunks(1_000) {
        store.owe(page).await.unwrap();
    }
}

fn median(mut took: Vec<Duration>) -> (Duration, Duration) {
    took.sort();
    let worst = took.last().copied().unwrap_or_default();
    (took.get(took.len() / 2).copied().unwrap_or_default(), worst)
}

async fn idle(store: &Store, instance: InstanceId) {
    let mut due = Vec::new();
    for project in 1..=MIRRORS {
        let mirror = mirror(store, instance, project).await;
        let mut schedule = store.schedule(mirror).await.unwrap();
        schedule.next_scan_at = Some(Utc::now() + TimeDelta::hours(1));
        store.set_schedule(mirror, &schedule).await.unwrap();
        due.push(mirror);
    }
    let (producer, _consumer) = delivery::in_process(200);
    let mut dispatcher = Dispatcher::new(store.clone(), producer);
    let window = Window::default();
    let (mut ticks, mut polls) = (Vec::new(), Vec::new());
    for _ in 0..50 {
        let start = Instant::now();
        tick::tick_once(store, &SystemEntropy).await.unwrap();
        ticks.push(start.elapsed());
        let start = Instant::now();
        dispatcher.round(&window).await.unwrap();
        polls.push(start.elapsed());
    }
    let (tick, worst_tick) = median(ticks);
    let (poll, worst_poll) = median(polls);
    println!("nothing due: a tick {tick:.1?} (worst {worst_tick:.1?})");
    println!("nothing due: a poll of the dispatcher {poll:.1?} (worst {worst_poll:.1?})");

    let mut ticks = Vec::new();
    for some in due.chunks(33).take(20) {
        for mirror in some {
            let mut schedule = store.schedule(*mirror).await.unwrap();
            schedule.next_scan_at = Some(Utc::now());
            store.set_schedule(*mirror, &schedule).await.unwrap();
        }
        let start = Instant::now();
        let ticked = tick::tick_once(store, &SystemEntropy).await.unwrap();
        ticks.push(start.elapsed());
        assert_eq!(ticked.turns, 33);
    }
    let (tick, worst) = median(ticks);
    println!("33 of {MIRRORS} mirrors due: a tick {tick:.1?} (worst {worst:.1?})");
}

async fn fair(store: &Store, instance: InstanceId) {
    let large = mirror(store, instance, 1).await;
    let mut small = Vec::new();
    for project in 2..=10 {
        small.push(mirror(store, instance, project).await);
    }
    let alone = through(store, &small).await;
    owe(store, large, LARGE).await;
    let mut claims = Vec::new();
    for _ in 0..20 {
        let start = Instant::now();
        let claimed = store.claim(200, 200, JOB).await.unwrap();
        claims.push(start.elapsed());
        let tickets = claimed.into_iter().map(|claimed| claimed.ticket);
        dispatch::hand_back(store, tickets).await.unwrap();
    }
    let (claim, worst) = median(claims);
    println!("a claim of 200 of {LARGE} rows: {claim:.1?} (worst {worst:.1?})");
    let beside = through(store, &small).await;
    println!(
        "nine mirrors of 10 issues: alone {alone:.1?}, beside one of {LARGE} {beside:.1?}: {:.2} times",
        beside.as_secs_f64() / alone.as_secs_f64()
    );
}

/// How long it takes until these mirrors' ten issues each are done, 16 workers, 20 ms a job.
async fn through(store: &Store, small: &[MirrorId]) -> Duration {
    let (producer, consumer) = delivery::in_process(200);
    let shutdown = CancellationToken::new();
    let wake = Arc::new(Notify::new());
    let dispatching = tokio::spawn(dispatch::run(
        store.clone(),
        producer,
        Window::default(),
        Arc::new(SystemClock::new()),
        wake.clone(),
        shutdown.clone(),
    ));
    let (ended, mut ends) = mpsc::unbounded_channel();
    let execute = {
        let (store, wake) = (store.clone(), wake.clone());
        move |ticket| {
            let (store, wake, ended) = (store.clone(), wake.clone(), ended.clone());
            async move {
                let lease = Duration::from_secs(60);
                let Some(started) = store.start(ticket, "bench", lease).await.unwrap() else {
                    return;
                };
                tokio::time::sleep(JOB).await;
                let outcome = &Outcome::Unchanged;
                let end = End::Done { outcome };
                store.end(&started.fence, end).await.unwrap();
                wake.notify_one();
                let _ = ended.send(started.job.unwrap());
            }
        }
    };
    let working = tokio::spawn(consumer.run(16, shutdown.clone(), execute, |_, _: &str| {}));
    // The large one, if it has anything, is well under way.
    tokio::time::sleep(JOB * 10).await;
    let start = Instant::now();
    for mirror in small {
        owe(store, *mirror, 10).await;
    }
    wake.notify_one();
    let mut left = small.len() * 10;
    while left > 0 {
        let job = ends.recv().await.unwrap();
        left -= usize::from(job.mirror().is_some_and(|mirror| small.contains(&mirror)));
    }
    let took = start.elapsed();
    shutdown.cancel();
    dispatching.await.unwrap().unwrap();
    dispatch::hand_back(store, working.await.unwrap())
        .await
        .unwrap();
    took
}
