//! A service connects by itself, from the record, and takes up what a person changed.

use crate::support::{Service, World, cipher, issue, note};
use gitlab_sim::{Fault, FaultRule, HookVerdict, IssueEdit, TokenSpec, When};
use mirror_core::{
    ids::Iid,
    job::{Job, Priority},
};
use mirror_queue::budget::Limit;
use mirror_runtime::SeededEntropy;
use mirror_store::{Cipher, Owe};
use std::{collections::BTreeSet, sync::Arc};
use tokio::sync::Notify;

async fn with_issues(count: u64) -> (World, Vec<u64>) {
    let world = World::new().await;
    let iids = (0..count).map(|n| world.write(issue(world.alice, &format!("Issue {n}"))));
    let iids = iids.collect();
    (world, iids)
}

impl World {
    async fn owe_issues(&self, iids: &[u64], priority: Priority) {
        let owes = iids.iter().map(|iid| {
            let job = Job::SyncIssue {
                mirror: self.mirror,
                iid: Iid(i64::try_from(*iid).unwrap()),
            };
            Owe::changed(job, priority)
        });
        self.cx.store.owe(&owes.collect::<Vec<_>>()).await.unwrap();
    }

    /// How often the ends were asked whom the tokens act as.
    fn introductions(&self) -> usize {
        let asked = [self.source_requests(), self.target_requests()].concat();
        asked.iter().filter(|line| line.ends_with("/user")).count()
    }

    async fn paused(&self) -> Option<String> {
        self.cx.store.mirror(self.mirror).await.unwrap().paused
    }

    async fn assert_no_attempt_burnt(&self) {
        let rows = self.cx.store.unfinished(self.mirror, 100).await.unwrap();
        assert!(!rows.is_empty());
        assert!(rows.iter().all(|row| row.attempts == 0), "{rows:?}");
    }

    fn rename_all(&self, iids: &[u64], title: &str) {
        for iid in iids {
            let edit = IssueEdit {
                title: Some(format!("{title} {iid}")),
                ..IssueEdit::default()
            };
            self.edit(*iid, edit);
        }
    }
}

#[tokio::test]
async fn jobs_that_need_a_mirror_at_once_connect_it_once() {
    let (mut world, iids) = with_issues(8).await;
    let service = world.serve().await;
    world.owe_issues(&iids, Priority::Incremental).await;
    world.round(8).await;
    assert_eq!(world.introductions(), 2);
    world.run_wide(8).await;
    world.assert_mirrored(iids.clone());
    world.all_went_well().await;
    assert_eq!(world.introductions(), 2, "what is known is kept");
    assert_eq!(service.dialled.lock().unwrap().len(), 2);

    world.later(301);
    world.run().await;
    assert_eq!(
        world.introductions(),
        4,
        "and asked again after five minutes"
    );
    assert_eq!(
        service.dialled.lock().unwrap().len(),
        2,
        "over the same connections"
    );
}

#[tokio::test]
async fn all_is_charged_to_the_tokens_user_and_only_a_persons_wish_is_by_hand() {
    let (mut world, iids) = with_issues(2).await;
    let service = world.serve().await;
    let charged = |service: &Service| {
        let mut charges = service.charges.lock().unwrap();
        let charges = std::mem::take(&mut *charges).into_iter();
        charges
            .map(|charge| (charge.account.user, charge.by_hand))
            .collect::<BTreeSet<_>>()
    };
    world.owe_issues(&iids[..1], Priority::Backfill).await;
    world.round(1).await;
    let users = [world.from.token_user, world.to.token_user].map(|user| user.to_string());
    let expected = |by_hand| users.clone().map(|user| (user, by_hand)).into();
    let mut first = charged(&service);
    assert!(first.remove(&("?".to_owned(), false)), "not known yet");
    assert_eq!(first, expected(false));
    world.owe_issues(&iids[1..], Priority::ByHand).await;
    world.round(1).await;
    assert_eq!(charged(&service), expected(true));
}

#[tokio::test]
async fn a_new_token_is_used_within_seconds_and_nobody_notices() {
    let (mut world, iids) = with_issues(2).await;
    let service = world.serve().await;
    world.run().await;
    for source in [true, false] {
        let (sim, end) = if source {
            (world.source.clone(), &mut world.from)
        } else {
            (world.target.clone(), &mut world.to)
        };
        let old = std::mem::replace(
            &mut end.token,
            sim.add_token(end.token_user, TokenSpec::api("")),
        );
        world.store_token(source).await;
        world.later(2);
        sim.edit(|world| world.revoke_token(&old));
        world.rename_all(&iids, "Renamed");
        world.run().await;
        world.assert_mirrored(iids.clone());
        world.all_went_well().await;
    }
    assert_eq!(service.dialled.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn a_token_taken_back_rests_the_mirror_and_a_resume_takes_effect_in_every_process() {
    let (mut world, iids) = with_issues(2).await;
    world.serve().await;
    world.run().await;
    let mut other = world.beside().await;
    other.serve_as_stored(cipher());
    world.later(600);
    other.run().await;
    let old = world.to.token.clone();
    world.target.edit(|sim| sim.revoke_token(&old));
    world.rename_all(&iids, "Renamed");
    world.run().await;
    let reason = world.paused().await.unwrap();
    assert!(reason.contains("is not accepted any more"), "{reason}");
    world.assert_no_attempt_burnt().await;

    world.to.token = world
        .target
        .add_token(world.to.token_user, TokenSpec::api(""));
    world.store_token(false).await;
    world.cx.store.resume_mirror(world.mirror).await.unwrap();
    world.later(2);
    let failed = world.failures().len();
    other.run().await;
    world.rename_all(&iids, "Renamed again");
    world.run().await;
    world.assert_mirrored(iids);
    assert_eq!(world.failures().len(), failed);
    assert_eq!(world.unfinished().await, Vec::new());
}

#[tokio::test]
async fn without_a_token_that_opens_the_mirror_rests_and_says_what_to_do() {
    let (mut world, iids) = with_issues(1).await;
    world.serve_as_stored(cipher());
    world.run().await;
    let reason = world.paused().await.unwrap();
    assert!(
        reason.starts_with("no token is stored for the source instance gitlab.a"),
        "{reason}"
    );
    assert!(reason.contains("issue-mirror instances add"), "{reason}");
    world.assert_no_attempt_burnt().await;

    world.store_token(true).await;
    world.store_token(false).await;
    world.cx.store.resume_mirror(world.mirror).await.unwrap();
    world.serve_as_stored(Cipher::new(&[4; 32]));
    world.run().await;
    let reason = world.paused().await.unwrap();
    assert!(reason.contains("the token of the"), "{reason}");
    assert!(reason.contains("give the key"), "{reason}");
    world.assert_no_attempt_burnt().await;
    assert_eq!(world.source_requests(), Vec::<String>::new());

    world.cx.store.resume_mirror(world.mirror).await.unwrap();
    world.serve_as_stored(cipher());
    world.run().await;
    world.assert_mirrored(iids);
    assert_eq!(world.unfinished().await, Vec::new());
}

#[tokio::test]
async fn an_instance_that_is_away_is_waited_for_without_a_burnt_attempt() {
    let (mut world, iids) = with_issues(4).await;
    world.serve().await;
    for sim in [&world.source, &world.target] {
        sim.fail(FaultRule::new(
            "*",
            ".",
            When::Always,
            Fault::ErrorBefore(502),
        ));
    }
    world.owe_issues(&iids, Priority::Incremental).await;
    for _ in 0..40 {
        world.round(4).await;
    }
    world.assert_no_attempt_burnt().await;
    assert!(
        world
            .waits()
            .iter()
            .all(|why| why.contains("cannot be reached"))
    );
    assert_eq!(world.failures(), Vec::<String>::new());
    world.source.clear_faults();
    world.target.clear_faults();
    world.run_wide(4).await;
    world.assert_mirrored(iids);
    world.all_went_well().await;
}

#[tokio::test]
async fn an_instance_that_goes_away_for_an_hour_makes_no_dead_letters() {
    let (mut world, iids) = with_issues(4).await;
    world.serve().await;
    world.run().await;
    world.later(60);
    world.rename_all(&iids, "Renamed");
    for iid in &iids {
        world.say(*iid, note(world.alice, "Hello."));
    }
    world.target.fail(FaultRule::new(
        "*",
        ".",
        When::Always,
        Fault::ErrorBefore(502),
    ));
    world.owe_issues(&iids, Priority::Incremental).await;
    let hour = world.now() + chrono::TimeDelta::hours(1);
    while world.now() < hour {
        assert!(world.round(4).await, "the work stays due");
    }
    let rows = world.cx.store.unfinished(world.mirror, 100).await.unwrap();
    assert!(rows.iter().all(|row| row.attempts <= 1), "{rows:?}");
    world.target.clear_faults();
    world.run_wide(4).await;
    world.assert_mirrored(iids);
    assert_eq!(world.unfinished().await, Vec::new());
}

#[tokio::test]
async fn settings_and_limits_are_those_of_the_record_as_it_is_now() {
    let (mut world, iids) = with_issues(1).await;
    let limits = ["api=600/60", "notes=60/60"];
    let mut access = world.access(false).await;
    world.store_token(true).await;
    let save = async |access| {
        let store = &world.cx.store;
        let entropy = SeededEntropy::new(9);
        store
            .save_instance_access(access, &cipher(), &entropy)
            .await
            .unwrap();
    };
    access.limits = vec![limits[0].to_owned(), "nonsense".to_owned()];
    save(&access).await;
    let store = world.cx.store.clone();
    let service = world.serve_as_stored(cipher());
    world.run().await;
    let parse = |text| Limit::parse(text).unwrap();
    let told = |service: &Service| {
        let told = service.limits.lock().unwrap();
        let of_target = told.iter().filter(|(id, _)| *id == access.id);
        of_target
            .map(|(_, limits)| limits.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&service), [vec![parse(limits[0])]]);
    assert_eq!(world.titles(iids[0]), ["MIRRORED"]);

    access.limits = limits.map(str::to_owned).into();
    let entropy = SeededEntropy::new(10);
    store
        .save_instance_access(&access, &cipher(), &entropy)
        .await
        .unwrap();
    let mut schedule = store.schedule(world.mirror).await.unwrap();
    schedule.mirrored_label = "COPY".to_owned();
    store.set_schedule(world.mirror, &schedule).await.unwrap();
    let second = world.write(issue(world.alice, "Second"));
    world.later(2);
    world.run().await;
    assert_eq!(told(&service).last(), Some(&limits.map(parse).into()));
    assert_eq!(world.titles(second), ["COPY"]);

    store.set_issue_links(world.mirror, true).await.unwrap();
    let (alice, ends) = (world.alice, [iids[0], second]);
    let [a, b] = ends.map(|iid| (world.from.project, iid));
    world
        .source
        .edit(|sim| sim.link_issues(alice, a, b, false).unwrap());
    world.later(600);
    world.run().await;
    assert_eq!(world.target.world(|sim| sim.links().len()), 1);
}

#[tokio::test]
async fn a_renamed_project_is_recorded_under_its_new_path() {
    let (mut world, iids) = with_issues(1).await;
    world
        .source
        .rename_project(world.from.project, "shop/renamed");
    world.serve().await;
    world.run().await;
    world.assert_mirrored(iids);
    let mirror = world.cx.store.mirror(world.mirror).await.unwrap();
    assert_eq!(mirror.source.path, "shop/renamed");
}

#[tokio::test]
async fn a_person_who_pauses_while_a_job_finds_a_fault_keeps_the_word() {
    let (mut world, _) = with_issues(1).await;
    world.serve().await;
    let (met, go) = stall_read(&world);
    let old = world.to.token.clone();
    world.target.edit(|sim| sim.revoke_token(&old));
    world.owe_scan().await;
    let pausing = async {
        met.notified().await;
        let store = &world.cx.store;
        store
            .pause_mirror(world.mirror, "moving house")
            .await
            .unwrap();
        go.notify_one();
    };
    tokio::join!(world.round(1), pausing);
    assert_eq!(world.paused().await.unwrap(), "moving house");
    assert_eq!(world.failures(), Vec::<String>::new());
    world.assert_no_attempt_burnt().await;
}

/// Stops the first request to the target until it is let go.
fn stall_read(world: &World) -> (Arc<Notify>, Arc<Notify>) {
    let (met, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (sim, told, wait) = (world.target.clone(), met.clone(), go.clone());
    let clock = world.clock.clone();
    world.target.set_hook(Arc::new(move |_| {
        sim.clear_hook();
        let (told, wait, held) = (told.clone(), wait.clone(), clock.hold());
        Box::pin(async move {
            let _held = held;
            told.notify_one();
            wait.notified().await;
            HookVerdict::Go
        })
    }));
    (met, go)
}
