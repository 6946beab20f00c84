//! How fast the record is. Run with
//!
//! ```text
//! cargo bench -p mirror-store --bench record
//! ```
//!
//! On a file, and on PostgreSQL where `ISSUE_MIRROR_TEST_POSTGRES` names a server (`. .ci/postgres
//! && postgres_start` starts one that flushes nothing to the disk).
//!
//! Figures to hold on an ordinary disk: 2,000 no-op work cycles (claim, start, end) per second, and
//! a fair claim out of 50,000 waiting rows in less than 50 ms.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark measures real time, speaks to a person and may stop at a failure"
)]

use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::{Iid, InstanceId, InstanceName, MirrorId, ProjectId},
    job::{Job, Priority, Ticket},
    outcome::Outcome,
    ports::{BoxFuture, Clock},
};
use mirror_store::{End, MirrorEnd, NewMirror, Owe, Store, testing::TestDatabase};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const LEASE: Duration = Duration::from_secs(60);
const ROWS: i64 = 50_000;
const BUSY_FOR: Duration = Duration::from_secs(3);

struct RealClock(Instant);

impl Clock for RealClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(RealClock(Instant::now()));
    let path = folder.path().join("state.sqlite3");
    println!("SQLite, in a file");
    measure(Store::open(&path, clock.clone()).await.unwrap()).await;
    match TestDatabase::create().await {
        Ok(database) => {
            println!("PostgreSQL");
            measure(Store::connect(database.url(), clock).await.unwrap()).await;
        }
        Err(error) => println!("PostgreSQL: not measured: {error}"),
    }
}

async fn measure(store: Store) {
    let instance = InstanceName("gitlab.a".to_owned());
    let instance = store.register_instance(&instance, "https://gitlab.a", &[]);
    let instance = instance.await.unwrap();

    let large = mirror(&store, instance, 1).await;
    owe(&store, large, ROWS, None).await;
    let later = mirror(&store, instance, 2).await;
    owe(&store, later, ROWS, Some(Utc::now() + TimeDelta::days(1))).await;
    claims(&store, "of one mirror", 200).await;
    for project in 3..=102 {
        let small = mirror(&store, instance, project).await;
        owe(&store, small, 500, None).await;
    }
    claims(&store, "of 101 mirrors, 20 of each at most", 20).await;
    claims(&store, "of 101 mirrors, 200 of each at most", 200).await;

    for workers in [1, 4, 16] {
        cycles(&store, workers).await;
    }
    for workers in [4, 16] {
        dispatched(&store, workers).await;
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

async fn owe(store: &Store, mirror: MirrorId, rows: i64, run_at: Option<DateTime<Utc>>) {
    let owes: Vec<Owe> = (1..=rows)
        .map(|iid| {
            let iid = Iid(iid);
            let job = Job::SyncIssue { mirror, iid };
            Owe {
                run_at,
                ..Owe::changed(job, Priority::Backfill)
            }
        })
        .collect();
    let start = Instant::now();
    for page in owes.chunks(100) {
        store.owe(page).await.unwrap();
    }
    if rows == ROWS {
        let rate = f64::from(i32::try_from(rows).unwrap()) / start.elapsed().as_secs_f64();
        println!("owed {rows} rows by pages of 100: {rate:.0} rows/s");
    }
}

async fn claims(store: &Store, what: &str, per_mirror: usize) {
    let warm_up = 1;
    let mut took = Vec::new();
    for _ in 0..20 + warm_up {
        let start = Instant::now();
        let claimed = store.claim(200, per_mirror, LEASE).await.unwrap();
        took.push(start.elapsed());
        assert_eq!(claimed.len(), 200);
        for claimed in claimed {
            assert!(store.unqueue(claimed.ticket).await.unwrap());
        }
    }
    let mut took = took.split_off(warm_up);
    took.sort();
    let (median, worst) = (took.get(took.len() / 2), took.last());
    println!(
        "a claim of 200 {what}: median {:.1?}, worst {:.1?}",
        median.copied().unwrap_or_default(),
        worst.copied().unwrap_or_default()
    );
}

async fn cycles(store: &Store, workers: usize) {
    let start = Instant::now();
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { work(&store, start).await })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await.unwrap();
    }
    let rate = f64::from(done) / start.elapsed().as_secs_f64();
    println!("no-op work cycles, {workers} at once: {rate:.0}/s");
}

/// As a service does it: one deals out, many work.
async fn dispatched(store: &Store, workers: usize) {
    const WINDOW: usize = 200;
    let start = Instant::now();
    let (tickets, waiting) = tokio::sync::mpsc::channel(WINDOW);
    let waiting = Arc::new(tokio::sync::Mutex::new(waiting));
    let dealer = store.clone();
    let dealing = tokio::spawn(async move {
        while start.elapsed() < BUSY_FOR {
            for claimed in dealer.claim(WINDOW, 100_000, LEASE).await.unwrap() {
                tickets.send(claimed.ticket).await.unwrap();
            }
        }
    });
    let working: Vec<_> = (0..workers)
        .map(|_| {
            let (store, waiting) = (store.clone(), Arc::clone(&waiting));
            tokio::spawn(async move {
                let mut done = 0;
                loop {
                    let ticket = waiting.lock().await.recv().await;
                    let Some(ticket) = ticket else { return done };
                    cycle(&store, ticket).await;
                    done += 1;
                }
            })
        })
        .collect();
    dealing.await.unwrap();
    let mut done = 0;
    for working in working {
        done += working.await.unwrap();
    }
    let rate = f64::from(done) / start.elapsed().as_secs_f64();
    println!("no-op work cycles, one deals out by {WINDOW}, {workers} work: {rate:.0}/s");
}

async fn cycle(store: &Store, ticket: Ticket) {
    let started = store.start(ticket, "bench", LEASE).await.unwrap();
    let outcome = &Outcome::Unchanged;
    let end = End::Done { outcome };
    store.end(&started.unwrap().fence, end).await.unwrap();
}

async fn work(store: &Store, start: Instant) -> u32 {
    let mut done = 0;
    while start.elapsed() < BUSY_FOR {
        for claimed in store.claim(32, 100_000, LEASE).await.unwrap() {
            cycle(store, claimed.ticket).await;
            done += 1;
        }
    }
    done
}
