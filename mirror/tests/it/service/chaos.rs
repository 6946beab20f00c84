//! Scaled out, and everything goes wrong: nothing is lost, nothing is there twice (laws 4 and 8).

use super::fleet::{Fleet, flush, signal};
use crate::process::stage::within;
use gitlab_sim::{Fault, FaultRule, When};
use mirror_core::ports::{Clock, Entropy};
use mirror_runtime::{SeededEntropy, SystemClock};
use std::{net::TcpListener, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::process::{Child, Command};

const WORKER: &[&str] = &["worker", "--concurrency", "4"];
const SCHEDULER: &[&str] = &["scheduler"];

/// A Redis of one story's own.
struct Redis {
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Redis {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut redis = Self {
            folder: TempDir::new().unwrap(),
            port: listener.local_addr().unwrap().port(),
            process: None,
        };
        drop(listener);
        redis.begin().await;
        redis
    }

    async fn begin(&mut self) {
        let process = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.process = Some(process);
        let address = ("127.0.0.1", self.port);
        within(async {
            while tokio::net::TcpStream::connect(address).await.is_err() {
                pause(20).await;
            }
        })
        .await;
    }

    async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await.unwrap();
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

async fn pause(millis: u64) {
    let clock = SystemClock::new();
    clock.sleep(Duration::from_millis(millis)).await;
}

impl Fleet {
    /// Waits until the target got so many requests that change something, in all.
    async fn writes(&self, count: usize) {
        within(async {
            while self.stage.target.writes().len() < count {
                pause(5).await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn killed_again_and_again_the_fleet_loses_nothing_and_doubles_nothing() {
    let fleet = Fleet::scaled().await;
    fleet.fill(40);
    fleet.set_up_with(&["--every", "2"]).await;
    let dice = SeededEntropy::new(7);
    let mut workers: Vec<Child> = (0..3).map(|_| fleet.start(WORKER)).collect();
    let mut schedulers: Vec<Child> = (0..2).map(|_| fleet.start(SCHEDULER)).collect();
    fleet.well(&["mirrors", "sync-now", "1"]).await;
    for kill in 1..=10 {
        fleet.writes(kill * 12).await;
        let (role, words) = if kill % 5 == 0 {
            (&mut schedulers, SCHEDULER)
        } else {
            (&mut workers, WORKER)
        };
        let victim = usize::try_from(dice.next_u64() % role.len() as u64).unwrap();
        role[victim].kill().await.unwrap();
        role[victim] = fleet.start(words);
    }
    fleet.mirrors_all().await;
}

#[tokio::test]
async fn redis_emptied_five_times_loses_nothing() {
    let redis = Redis::start().await;
    let fleet = Fleet::on_redis(redis.url()).await;
    fleet.fill(30);
    fleet.set_up().await;
    let _worker = fleet.start(WORKER);
    let _scheduler = fleet.start(SCHEDULER);
    fleet.well(&["mirrors", "sync-now", "1"]).await;
    for flushed in 1..=5 {
        fleet.writes(flushed * 20).await;
        flush(&format!("127.0.0.1:{}", redis.port));
    }
    fleet.mirrors_all().await;
}

#[tokio::test]
async fn redis_stopped_and_started_empty_is_outlived() {
    let mut redis = Redis::start().await;
    let fleet = Fleet::on_redis(redis.url()).await;
    fleet.fill(30);
    fleet.set_up().await;
    let mut worker = fleet.start(WORKER);
    let mut scheduler = fleet.start(SCHEDULER);
    fleet.well(&["mirrors", "sync-now", "1"]).await;
    fleet.writes(30).await;
    redis.stop().await;
    pause(5_000).await;
    redis.begin().await;
    fleet.mirrors_all().await;
    let lived_on = |process: &mut Child| process.try_wait().unwrap().is_none();
    assert!(lived_on(&mut worker) && lived_on(&mut scheduler));
}

#[tokio::test]
async fn a_database_that_drops_every_connection_is_outlived() {
    let fleet = Fleet::scaled().await;
    fleet.fill(30);
    fleet.set_up().await;
    let mut worker = fleet.start(WORKER);
    let mut scheduler = fleet.start(SCHEDULER);
    fleet.well(&["mirrors", "sync-now", "1"]).await;
    for broken in 1..=5 {
        fleet.writes(broken * 25).await;
        fleet.disconnect_database().await;
    }
    fleet.mirrors_all().await;
    let lived_on = |process: &mut Child| process.try_wait().unwrap().is_none();
    assert!(lived_on(&mut worker) && lived_on(&mut scheduler));
}

#[tokio::test]
async fn a_worker_stopped_past_its_lease_writes_nothing_twice() {
    let fleet = Fleet::scaled().await;
    fleet.fill(25);
    fleet.set_up().await;
    let mut stalled = fleet.start(WORKER);
    let _scheduler = fleet.start(SCHEDULER);
    fleet.well(&["mirrors", "sync-now", "1"]).await;
    fleet.writes(40).await;
    signal(&stalled, "STOP").await;
    let _other = fleet.start(WORKER);
    fleet.settled().await;
    signal(&stalled, "CONT").await;
    fleet.mirrors_all().await;
    assert!(stalled.try_wait().unwrap().is_none(), "it lives on");
}

#[tokio::test]
async fn one_post_in_five_lost_leaves_no_duplicate() {
    let fleet = Fleet::scaled().await;
    fleet.fill(20);
    fleet.stage.target.sim.fail(FaultRule::new(
        "POST",
        ".",
        When::Share(0.2),
        Fault::LoseResponse,
    ));
    fleet.set_up().await;
    let _workers: Vec<Child> = (0..2).map(|_| fleet.start(WORKER)).collect();
    let _scheduler = fleet.start(SCHEDULER);
    fleet.mirrors_all().await;
}
