//! What is changed on the command line is on record, by who changed it.

use super::fleet::Fleet;
use serde_json::{Value, json};

impl Fleet {
    /// What was done, the earliest first.
    async fn trail(&self) -> Vec<Value> {
        let told = self.well(&["audit", "--json"]).await.json();
        let mut told = told.as_array().unwrap().clone();
        told.reverse();
        told
    }
}

#[tokio::test]
async fn what_the_command_line_changes_about_runs_jobs_and_pairs_is_on_record() {
    let fleet = Fleet::alone().await;
    fleet.set_up().await;
    let known = fleet.trail().await.len();
    let pairs = fleet.stage.state().join("pairs.csv");
    std::fs::write(&pairs, "source_iid,target_iid\n7,1\n8,2\n").unwrap();
    let pairs = pairs.to_str().unwrap();
    fleet.well(&["mirrors", "sync-now", "1", "--full"]).await;
    let jobs = fleet.well(&["jobs", "list", "--json"]).await.json();
    let job = jobs[0]["id"].to_string();
    for words in [
        &["jobs", "cancel", &job][..],
        &["jobs", "retry", &job],
        &["jobs", "retry", "--dead-of", "1"],
        &["runs", "cancel", "1"],
        &["mirrors", "adopt", "1", pairs],
        &["mirrors", "adopt", "1", "--drop", "8"],
    ] {
        fleet.well(words).await;
    }
    let told = fleet.trail().await.split_off(known);
    let is_of_a_caller = |one: &Value| one["who"].as_str().unwrap().starts_with("cli:");
    assert!(told.iter().all(is_of_a_caller), "{told:?}");
    let of_job = format!("job/{job}");
    let done: Vec<_> = told
        .iter()
        .map(|one| {
            (
                one["what"].as_str().unwrap(),
                one["object"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        done,
        [
            ("mirror.sync", "mirror/1"),
            ("job.cancel", of_job.as_str()),
            ("job.retry", of_job.as_str()),
            ("job.retry", "jobs"),
            ("sync_job.cancel", "mirror/1"),
            ("mirror.adopt", "mirror/1"),
            ("mirror.drop_adoption", "mirror/1"),
        ]
    );
    assert_eq!(told[0]["after"], json!({"job_id": 1, "kind": "full_sync"}));
    assert_eq!(told[1]["before"]["key"], "scan_mirror/1");
    assert_eq!(
        told[5]["after"][1],
        json!({"source_iid": 8, "target_iid": 2})
    );
    let run = fleet.well(&["runs", "show", "1", "--json"]).await.json();
    assert_eq!(run["requested_by"], told[0]["who"]);
}

#[tokio::test]
async fn what_changed_nothing_is_not_on_record() {
    let fleet = Fleet::alone().await;
    fleet.set_up().await;
    let known = fleet.trail().await.len();
    for words in [
        &["jobs", "retry", "999"][..],
        &["runs", "cancel", "999"],
        &["mirrors", "sync-now", "999"],
    ] {
        assert_ne!(fleet.run(words).await.code, Some(0), "{words:?}");
    }
    fleet.well(&["mirrors", "adopt", "1", "--drop", "8"]).await;
    assert_eq!(fleet.trail().await.len(), known);
}
