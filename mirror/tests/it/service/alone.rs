//! `all`: the whole service in one process, on a file.

use super::fleet::{Fleet, signal};
use crate::process::{
    oracle,
    stage::{finish, within},
    world,
};
use gitlab_sim::IssueEdit;

#[tokio::test]
async fn all_mirrors_what_is_added_and_what_is_edited_and_ends_when_asked() {
    let fleet = Fleet::alone().await;
    fleet.fill(12);
    fleet.set_up().await;
    let process = fleet.start(&["all"]);
    fleet.mirrors_all().await;
    let source = &fleet.stage.source;
    let author = world::author(source);
    source.sim.edit(|sim| {
        let edit = IssueEdit {
            title: Some("Edited".to_owned()),
            ..IssueEdit::default()
        };
        sim.edit_issue(source.project, 2, author, edit).unwrap();
    });
    fleet
        .well(&["mirrors", "sync-now", "1", "--issue", "2"])
        .await;
    fleet.settled().await;
    oracle::mirrored_after(&fleet.stage, "an edit of one issue");
    fleet.stage.target.sim.clear_requests();
    fleet.mirrors_all().await;
    assert_eq!(fleet.stage.target.writes().len(), 0, "all was in line");
    signal(&process, "TERM").await;
    assert_eq!(finish(process).await.code, Some(0));
}

#[tokio::test]
async fn a_service_that_is_killed_goes_on_where_it_was() {
    let fleet = Fleet::alone().await;
    fleet.fill(20);
    fleet.set_up().await;
    let mut process = fleet.start(&["all"]);
    fleet.well(&["mirrors", "sync-now", "1"]).await;
    within(async {
        while fleet.stage.target.writes().len() < 25 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    process.kill().await.unwrap();
    let _process = fleet.start(&["all"]);
    fleet.mirrors_all().await;
}

#[tokio::test]
async fn a_paused_mirror_rests_until_it_is_resumed() {
    let fleet = Fleet::alone().await;
    fleet.fill(3);
    fleet.set_up().await;
    let reason = ["--reason", "moving house"];
    fleet
        .well(&[&["mirrors", "pause", "1"], &reason[..]].concat())
        .await;
    fleet.well(&["mirrors", "sync-now", "1"]).await;
    let told = fleet.well(&["jobs", "list", "--json"]).await.json();
    assert_eq!(told[0]["state"], "paused");
    let id = told[0]["id"].to_string();
    let why = fleet.well(&["jobs", "why", &id]).await.out;
    for part in ["moving house", "mirrors resume 1"] {
        assert!(why.contains(part), "{why}");
    }
    let _process = fleet.start(&["all"]);
    fleet.well(&["mirrors", "resume", "1"]).await;
    fleet.mirrors_all().await;
}

#[tokio::test]
async fn a_service_goes_by_the_rules_that_its_mirror_was_given() {
    let fleet = Fleet::alone().await;
    fleet.fill(3);
    let file = fleet.stage.state().join("rules.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "[only]\nany_label = [\"nobody has it\"]\n").unwrap();
    fleet.set_up_with(&["--rules", path]).await;
    let shown = fleet.well(&["mirrors", "rules", "1"]).await;
    assert_eq!(shown.out.trim(), "[only]\nany_label = [\"nobody has it\"]");
    let process = fleet.start(&["all"]);
    within(async {
        loop {
            let mirrors = fleet.well(&["mirrors", "list", "--json"]).await.json();
            if mirrors[0]["last_run"] == "completed" && mirrors[0]["pending"] == 0 {
                return;
            }
        }
    })
    .await;
    assert_eq!(fleet.copies(), 0);
    fleet.well(&["mirrors", "rules", "1", "--clear"]).await;
    let again = fleet.well(&["mirrors", "rules", "1", "--clear"]).await;
    assert!(
        again.out.contains("went by these rules already"),
        "{again:?}"
    );
    fleet.mirrors_all().await;
    signal(&process, "TERM").await;
    assert_eq!(finish(process).await.code, Some(0));
}
