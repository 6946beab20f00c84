//! What cannot work is told at the start, with its mend and exit code 2.

use super::{
    fleet::{Fleet, variable},
    servers::pause,
};
use crate::process::stage::{Ended, ended, within};

#[track_caller]
fn refused(ended: &Ended, parts: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in parts {
        assert!(ended.err.contains(part), "{part}: {ended:?}");
    }
    ended.keeps_the_tokens_to_itself();
}

#[tokio::test]
async fn roles_that_share_need_something_to_share() {
    let fleet = Fleet::alone().await;
    for role in ["scheduler", "worker"] {
        let parts = [role, "DATABASE_URL", "REDIS_URL", "issue-mirror all"];
        refused(&fleet.run(&[role]).await, &parts);
    }
}

#[tokio::test]
async fn wrong_addresses_of_servers_are_named_without_their_passwords() {
    let fleet = Fleet::alone().await;
    let cases = [
        ("DATABASE_URL", "mysql://u:hush-hush@db/x"),
        ("DATABASE_URL", "not an address"),
        ("REDIS_URL", "http://u:hush-hush@redis"),
        ("ISSUE_MIRROR_REDIS_PREFIX", "sp ace"),
    ];
    for (variable, value) in cases {
        let mut command = fleet.command(&["workers"]);
        command.env("REDIS_URL", "redis://127.0.0.1:1");
        command.env(variable, value);
        let ended = ended(command).await;
        refused(&ended, &[variable]);
        assert!(!ended.err.contains("hush-hush"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_database_without_tables_asks_for_migrate() {
    let fleet = Fleet::scaled().await;
    let mut command = fleet.command(&["workers"]);
    // The server's own database, which nobody prepared.
    command.env("DATABASE_URL", variable(mirror_store::testing::VARIABLE));
    refused(&ended(command).await, &["issue-mirror migrate"]);
}

#[tokio::test]
async fn an_instance_is_added_only_after_its_token_has_worked() {
    let fleet = Fleet::alone().await;
    let url = fleet.stage.source.server.url();
    let add = ["instances", "add", url.as_str()];
    refused(&fleet.run(&add).await, &["GITLAB_TOKEN", "--token-from"]);
    let mut command = fleet.command(&add);
    command.env("GITLAB_TOKEN", "glpat-wrong");
    let ended = ended(command).await;
    refused(&ended, &["not accepted", "GITLAB_TOKEN"]);
    assert!(!ended.err.contains("TARGET_TOKEN"), "{ended:?}");
    let listed = fleet.well(&["instances", "list", "--json"]).await.json();
    assert_eq!(listed, serde_json::json!([]));
}

#[tokio::test]
async fn a_mirror_needs_two_projects_of_known_instances() {
    let fleet = Fleet::alone().await;
    let (from, to) = (fleet.stage.source.web_url(), fleet.stage.target.web_url());
    let add = ["mirrors", "add", from.as_str(), to.as_str()];
    refused(&fleet.run(&add).await, &["instances add"]);
    fleet.set_up().await;
    let same = ["mirrors", "add", from.as_str(), from.as_str()];
    refused(&fleet.run(&same).await, &["the same project"]);
    let nowhere = format!("{}/shop/nothing", fleet.stage.source.server.url());
    let unknown = ["mirrors", "add", nowhere.as_str(), to.as_str()];
    refused(&fleet.run(&unknown).await, &["shop/nothing"]);
}

#[tokio::test]
async fn what_is_not_there_is_said_and_where_to_look() {
    let fleet = Fleet::alone().await;
    let cases: [(&[&str], &str); 4] = [
        (&["jobs", "why", "99"], "jobs list"),
        (&["jobs", "retry", "99"], "job 99"),
        (&["runs", "show", "99"], "runs list"),
        (&["mirrors", "sync-now", "99"], "mirror 99"),
    ];
    for (words, part) in cases {
        let ended = fleet.run(words).await;
        assert_ne!(ended.code, Some(0), "{words:?}");
        assert!(ended.err.contains(part), "{words:?}: {ended:?}");
    }
}

#[tokio::test]
async fn another_key_opens_no_token_and_says_so() {
    let fleet = Fleet::alone().await;
    fleet.set_up().await;
    let mut command = fleet.command(&["instances", "check"]);
    command.env("ISSUE_MIRROR_KEY", "00".repeat(32));
    let ended = ended(command).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let part = "does not open under this key";
    assert!(ended.out.contains(part), "{ended:?}");
    ended.keeps_the_tokens_to_itself();
    let mut command = fleet.command(&["all"]);
    command.env("ISSUE_MIRROR_KEY", "00".repeat(32));
    refused(
        &crate::process::stage::ended(command).await,
        &[
            "opens none of the 2 stored tokens",
            "ISSUE_MIRROR_KEY",
            "instances add",
        ],
    );
}

#[tokio::test]
async fn a_sync_beside_the_service_is_turned_away_for_a_mirror_that_came_later_too() {
    let fleet = Fleet::alone().await;
    let process = fleet.start(&["all"]);
    within(async {
        let lock = fleet.stage.state().join("locks/service.lock");
        while std::fs::read_to_string(&lock)
            .unwrap_or_default()
            .is_empty()
        {
            pause(20).await;
        }
    })
    .await;
    let ended = fleet.stage.sync(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let pid = format!("pid {}", process.id().unwrap());
    for part in ["issue-mirror all", &pid, "mirrors sync-now"] {
        assert!(ended.err.contains(part), "{part}: {ended:?}");
    }
    assert_eq!(fleet.stage.target.writes().len(), 0);
}
