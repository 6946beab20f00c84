//! A person asks a worker to leave in good order.

use super::{
    fleet::{Fleet, SCHEDULER, WORKER},
    http::Http,
};
use crate::process::stage::within;
use serde_json::Value;

const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

/// Asks the one worker that is listed.
async fn drain_the_worker(http: &Http) {
    let one = |workers: &Value| workers.as_array().is_some_and(|all| all.len() == 1);
    let workers = http.until("/api/workers", one).await;
    let name = workers[0]["name"].as_str().unwrap();
    http.post(&format!("/api/workers/{name}/drain"), &Value::Null, 202);
}

async fn none_is_listed(http: &Http) {
    let none = |workers: &Value| workers.as_array().is_some_and(Vec::is_empty);
    http.until("/api/workers", none).await;
}

#[tokio::test]
async fn a_worker_that_was_asked_to_drain_ends_well_and_another_takes_over() {
    let fleet = Fleet::scaled().await;
    fleet.fill(40);
    fleet.set_up().await;
    let _api = fleet.start(&["api", LISTEN[0], LISTEN[1]]);
    let http = Http::of(&fleet, 1).await;
    let _scheduler = fleet.start(SCHEDULER);
    // It serves, too, so that there is another part which has to end.
    let mut words = WORKER.to_vec();
    words.extend(LISTEN);
    let mut worker = fleet.start(&words);
    drain_the_worker(&http).await;
    let status = within(worker.wait()).await.unwrap();
    let log = fleet.log();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("this worker is drained, and ends"), "{log}");
    none_is_listed(&http).await;
    let _another = fleet.start(WORKER);
    fleet.mirrors_all().await;
}

#[tokio::test]
async fn a_process_of_all_parts_goes_on_when_its_worker_was_drained() {
    let fleet = Fleet::alone().await;
    fleet.fill(6);
    fleet.set_up().await;
    let mut all = fleet.start(&["all", LISTEN[0], LISTEN[1]]);
    let http = Http::of(&fleet, 1).await;
    drain_the_worker(&http).await;
    fleet.told("the rest of its process goes", 1).await;
    none_is_listed(&http).await;
    assert_eq!(all.try_wait().unwrap(), None, "it still runs");
    let audit = http.get("/api/audit?what=worker.drain");
    assert_eq!(audit.as_array().unwrap().len(), 1);
}
