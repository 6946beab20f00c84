//! Jobs that bring their worker down, and what no worker can read.

use super::{
    fleet::{Fleet, SCHEDULER, WORKER},
    servers::pause,
};
use crate::process::stage::within;
use tokio::process::Child;

/// The processes of a supervisor that starts again what ends.
struct Supervised<'f> {
    fleet: &'f Fleet,
    doses: String,
    workers: Vec<Child>,
    restarts: usize,
}

impl Supervised<'_> {
    fn tend(&mut self) {
        for worker in &mut self.workers {
            if worker.try_wait().unwrap().is_some() {
                *worker = self.fleet.start_poisoned(WORKER, &self.doses);
                self.restarts += 1;
            }
        }
    }
}

/// Of each kind: a job that panics, one that never yields, one that takes the process with it, a
/// ticket that is none, work of a newer version. Law 8: the rest goes on, and they themselves once
/// what is wrong with them is mended.
#[tokio::test]
async fn poison_of_each_kind_dies_alone() {
    let fleet = Fleet::scaled().await;
    fleet.fill(30);
    fleet.set_up().await;
    let source = &fleet.stage.source;
    let notes = |iid: u64| {
        let (server, project) = (source.server.url(), source.project);
        format!("{server}/api/v4/projects/{project}/issues/{iid}/discussions")
    };
    let doses = format!("panic={} block={} abort={}", notes(3), notes(5), notes(7));
    let _scheduler = fleet.start(SCHEDULER);
    let workers = (0..2).map(|_| fleet.start_poisoned(WORKER, &doses));
    let mut supervised = Supervised {
        fleet: &fleet,
        workers: workers.collect(),
        doses: doses.clone(),
        restarts: 0,
    };
    fleet.tell_redis(&["HSET", "PREFIX:tickets:data", "nonsense", "no ticket"]);
    fleet.tell_redis(&[
        "HSET",
        "PREFIX:tickets:meta:nonsense",
        "attempts",
        "0",
        "max_attempts",
        "1",
        "status",
        "Pending",
    ]);
    fleet.tell_redis(&["LPUSH", "PREFIX:tickets:active", "nonsense"]);
    fleet.database().owe_unknown().await.unwrap();
    fleet.well(&["mirrors", "sync-now", "1"]).await;
    let dead = ["jobs", "list", "--state", "dead", "--json"];
    within(async {
        loop {
            supervised.tend();
            let owed = fleet.well(&["jobs", "list", "--json"]).await.json();
            let dead = fleet.well(&dead).await.json();
            let [owed, dead] = [owed, dead].map(|jobs| jobs.as_array().unwrap().len());
            if (owed, dead) == (4, 3) && fleet.copies() >= 27 {
                return;
            }
            pause(300).await;
        }
    })
    .await;
    let dead = fleet.well(&dead).await.json();
    let dead = dead.as_array().unwrap();
    let mut keys: Vec<&str> = dead
        .iter()
        .map(|job| job["key"].as_str().unwrap())
        .collect();
    keys.sort_unstable();
    assert_eq!(keys, ["sync_issue/1/3", "sync_issue/1/5", "sync_issue/1/7"]);
    assert!(fleet.log().contains("is no ticket of this version"));
    println!("{} workers brought down", supervised.restarts);
    for worker in &mut supervised.workers {
        worker.kill().await.unwrap();
    }
    let _mended = fleet.start(WORKER);
    for job in dead {
        fleet.well(&["jobs", "retry", &job["id"].to_string()]).await;
    }
    fleet.database().forget_unknown().await.unwrap();
    fleet.mirrors_all().await;
}
