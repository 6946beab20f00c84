//! Many issues are gone at once: nothing follows until a person says so, and everybody is told.

use super::{
    stage::{Stage, ended},
    world::{self, author},
};
use chrono::TimeDelta;
use gitlab_sim::IssueState;
use mirror_core::{
    ids::{Iid, MirrorId},
    job::{Job, Priority},
    ports::Clock,
};
use mirror_runtime::{SystemClock, testing::ManualClock};
use mirror_store::{Owe, Store};
use std::{sync::Arc, time::Duration};

const GONE: i64 = 12;
const LEASE: Duration = Duration::from_secs(90);

impl Stage {
    fn delete_the_first(&self) {
        let source = &self.source;
        let by = author(source);
        source.sim.edit(|world| {
            for iid in 1..=GONE {
                let iid = u64::try_from(iid).unwrap();
                world.delete_issue(source.project, iid, by).unwrap();
            }
        });
    }

    /// The first issues of the source were missed an hour ago for the first time.
    async fn missed_an_hour_ago(&self) {
        let then = SystemClock::new().now() - TimeDelta::hours(1);
        let clock = Arc::new(ManualClock::starting_at(then));
        let file = self.state().join("state.sqlite3");
        let store = Store::open(&file, clock).await.unwrap();
        let mirror = MirrorId(1);
        let iid = Iid(1);
        let owe = Owe::changed(Job::SyncIssue { mirror, iid }, Priority::ByHand);
        store.owe(&[owe]).await.unwrap();
        let claimed = store.claim_of(mirror, 1, LEASE).await.unwrap();
        let started = store.start(claimed[0].ticket, "story", LEASE).await;
        let fence = started.unwrap().unwrap().fence;
        for iid in 1..=GONE {
            store.miss_issue(&fence, mirror, Iid(iid)).await.unwrap();
        }
        store.close().await;
    }

    /// Copies that are closed, and such that are hidden.
    fn closed_and_hidden(&self) -> (usize, usize) {
        let target = &self.target;
        target.sim.world(|world| {
            let copies = || world.issues(target.project);
            let closed = copies().filter(|copy| copy.state == IssueState::Closed);
            let hidden = copies().filter(|copy| copy.confidential);
            (closed.count(), hidden.count())
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_breaker_holds_back_is_told_everywhere_until_a_person_releases_it() {
    let stage = Stage::new().await;
    for number in 1..=20 {
        world::add_issue(&stage.source, &format!("Issue {number}"), "Text.");
    }
    stage.sync_well(&[]).await;
    stage.delete_the_first();
    stage.missed_an_hour_ago().await;

    let told = "12 issues are gone at the source, too many for their copies to follow unasked; look \
                there, then `issue-mirror mirrors release 1`";
    // The one that meets them, and any other until a person has looked.
    for more in [&["--full"][..], &[], &[]] {
        let held = stage.sync(more).await;
        assert_eq!(held.code, Some(1), "{held:?}");
        let line = format!("held back: {told}");
        assert!(held.out.contains(&line), "{held:?}");
        assert!(
            held.out.contains("not in sync; it waits for a person"),
            "{held:?}"
        );
        assert_eq!(stage.closed_and_hidden(), (0, 12), "hiding never waits");
    }
    let json = stage.sync(&["--json"]).await.json();
    assert_eq!(json["in_sync"], false, "{json}");
    assert_eq!(json["held"], told, "{json}");
    let plan = stage.run("plan", &["--include-closed"]).await;
    assert!(plan.err.contains(told), "{plan:?}");

    let runs = ended(stage.bare(&["runs", "list", "1"])).await;
    assert!(runs.err.contains(told), "{runs:?}");
    let mirrors = ended(stage.bare(&["mirrors", "list", "--json"])).await;
    assert_eq!(mirrors.json()[0]["held"], 12, "{mirrors:?}");
    let doctor = stage.run("doctor", &[]).await;
    assert!(
        doctor.out.contains(told) && doctor.out.contains("mirrors/checkout"),
        "{doctor:?}"
    );

    let released = ended(stage.bare(&["mirrors", "release", "1"])).await;
    assert_eq!(released.code, Some(0), "{released:?}");
    assert!(
        released
            .out
            .contains("12 copies of what is gone at the source follow it with the next run"),
        "{released:?}"
    );
    let synced = stage.sync_well(&[]).await;
    assert!(!synced.out.contains("held back"), "{synced:?}");
    assert_eq!(stage.closed_and_hidden(), (12, 12));
    let mirrors = ended(stage.bare(&["mirrors", "list", "--json"])).await;
    assert_eq!(mirrors.json()[0]["held"], serde_json::Value::Null);
    let unknown = ended(stage.bare(&["mirrors", "release", "9"])).await;
    assert_ne!(unknown.code, Some(0));
    assert!(unknown.err.contains("there is no mirror 9"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_held_no_more() {
    let stage = Stage::new().await;
    for number in 1..=20 {
        world::add_issue(&stage.source, &format!("Issue {number}"), "Text.");
    }
    stage.sync_well(&[]).await;
    let by = author(&stage.source);
    stage.source.sim.edit(|world| world.ban_user(by));
    stage.missed_an_hour_ago().await;
    assert_eq!(stage.sync(&["--full"]).await.code, Some(1));
    stage.source.sim.edit(|world| world.unban_user(by));
    stage.sync_well(&["--full"]).await;
    stage.sync_well(&[]).await;
    assert_eq!(stage.closed_and_hidden(), (0, 0));
}
