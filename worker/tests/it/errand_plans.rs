//! Plans that were asked for of a service: what they tell, and that nothing comes of them but words.

use crate::support::{Stage, World, issue, note};
use chrono::TimeDelta;
use gitlab_sim::{Home, IssueEdit, IssueSpec, LabelSpec, NoteSpec};
use mirror_core::{
    errand::{Errand, ErrandReport},
    ids::Iid,
    ports::Admission,
};
use mirror_store::{
    ConnectOptions, ErrandState, IssueFilter, RunFilter, Schedule, Store, TimeSource,
    testing::TestDatabase,
};
use mirror_worker::{Mode, Settings};
use serde_json::Value;
use std::sync::Arc;

impl World {
    fn planning(&self, iids: &[u64]) -> Errand {
        let iids = iids.iter().map(|iid| Iid(i64::try_from(*iid).unwrap()));
        Errand::Plan {
            mirror: self.mirror,
            iids: iids.collect(),
        }
    }

    async fn asked_plan(&self, iids: &[u64]) -> Value {
        self.well(&self.planning(iids)).await
    }

    /// Requests that change something, or carry files.
    fn effort(&self) -> usize {
        let downloads = self.source.requests();
        let downloads = downloads.iter();
        let downloads = downloads
            .filter(|one| one.path.contains("/uploads/"))
            .count();
        self.writes().len() + downloads
    }

    /// What is on record, but for errands.
    async fn on_record(&self) -> String {
        let (store, mirror) = (&self.cx.store, self.mirror);
        let filter = IssueFilter::default();
        format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            store.mirror(mirror).await.unwrap(),
            store.settings(mirror).await.unwrap(),
            store.listed_issues(mirror, &filter, 200).await.unwrap(),
            store.unfinished(mirror, 200).await.unwrap(),
            store.due(mirror).await.unwrap(),
            store
                .listed_runs(mirror, &RunFilter::default(), 100)
                .await
                .unwrap(),
        )
    }
}

fn number(plan: &Value, of: &str) -> u64 {
    plan[of].as_u64().unwrap()
}

/// The issues with something to send.
fn issues(plan: &Value) -> Vec<u64> {
    let issues = plan["issues"].as_array().unwrap().iter();
    issues
        .map(|issue| issue["issue"].as_u64().unwrap())
        .collect()
}

async fn what_is_told_is_sent(world: World) {
    for round in 0..3 {
        world.forget_requests();
        let before = world.on_record().await;
        let plan = world.asked_plan(&[]).await;
        assert_eq!(world.effort(), 0, "a plan sends nothing");
        assert_eq!(world.on_record().await, before, "and writes nothing down");
        let again = world.asked_plan(&[]).await;
        assert_eq!(again, plan, "nor does it change what the next one tells");
        assert_eq!(plan["not_planned"], Value::Array(Vec::new()));
        world.forget_requests();
        world.run().await;
        assert_eq!(number(&plan, "requests"), world.effort() as u64, "{plan:#}");
        assert!(number(&plan, "requests") > 0);
        world.all_went_well().await;
        for step in 0..8 {
            world.later(200);
            let from = world.from.project;
            gitlab_sim::seed::edit_something(&world.source, from, 3, 8 * round + step).unwrap();
        }
        world.later(600);
    }
}

#[tokio::test]
async fn an_asked_plan_is_what_a_sync_then_sends() {
    what_is_told_is_sent(World::served_on(Stage::demo()).await).await;
}

#[tokio::test]
async fn an_asked_plan_is_what_a_sync_then_sends_where_the_record_is_on_a_server() {
    let database = TestDatabase::create().await;
    let database = database.unwrap_or_else(|error| panic!("{error}"));
    let stage = Stage::demo();
    let options = ConnectOptions {
        time: TimeSource::Clock,
        ..ConnectOptions::default()
    };
    let clock = Arc::new(stage.clock.clone());
    let store = Store::connect_with(database.url(), clock, options).await;
    let settings = Settings::default();
    let mut world = World::over(stage, settings, Mode::Sync, store.unwrap()).await;
    world.serve().await;
    what_is_told_is_sent(world).await;
}

#[tokio::test]
async fn what_is_owed_from_an_earlier_scan_is_planned_too() {
    let world = World::served().await;
    let iid = world.write(issue(world.alice, "Found, and not mirrored yet"));
    world.owe_scan().await;
    assert!(world.round(1).await);
    assert_eq!(world.target_count(), 0);
    assert_eq!(issues(&world.asked_plan(&[]).await), [iid]);
}

#[tokio::test]
async fn a_plan_of_issues_that_were_named_tells_of_no_others() {
    let world = World::served().await;
    let first = world.write(issue(world.alice, "One"));
    let text = format!("As #{first} says.");
    let second = world.write(IssueSpec {
        description: Some(text),
        ..issue(world.alice, "Two")
    });
    world.write(issue(world.alice, "Three"));
    let plan = world.asked_plan(&[second]).await;
    assert_eq!(issues(&plan), [second]);
    assert_eq!(
        (number(&plan, "others"), number(&plan, "not_looked_at")),
        (0, 0)
    );
    let both = world.asked_plan(&[second, first]).await;
    assert_eq!(issues(&both), [first, second]);
    world.run().await;
    world.later(600);
    let in_line = world.asked_plan(&[first, second]).await;
    assert_eq!(issues(&in_line), [0; 0]);
    assert_eq!(number(&in_line, "others"), 2);
}

#[tokio::test]
async fn an_asked_plan_tells_nothing_of_what_is_confidential() {
    let world = World::served().await;
    let hidden = world.write(IssueSpec {
        confidential: true,
        labels: vec!["severance".to_owned()],
        ..issue(world.alice, "Layoffs in March")
    });
    world.say(hidden, note(world.alice, "Names follow"));
    let open = world.write(issue(world.alice, "An open matter"));
    world.say(
        open,
        NoteSpec {
            internal: true,
            ..note(world.alice, "Between us")
        },
    );
    let plan = world.asked_plan(&[]).await;
    assert_eq!(issues(&plan), [hidden, open]);
    let told = plan.to_string();
    assert!(told.contains("An open matter"), "{told}");
    for secret in ["Layoffs", "severance]", "Names follow", "Between us"] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
}

#[tokio::test]
async fn a_plan_is_cut_where_it_is_too_large() {
    let world = World::served().await;
    let (to, tom) = (world.to.project, world.tom);
    world.target.edit(|sim| {
        let spec = LabelSpec::new("MIRRORED", "#112233");
        sim.add_label(Home::Project(to), tom, spec).unwrap();
    });
    let busy = world.write(issue(world.alice, "Much talked about"));
    for _ in 0..60 {
        world.say(busy, note(world.alice, "And another thing."));
    }
    for _ in 0..519 {
        world.write(issue(world.alice, "One of many"));
    }
    let plan = world.asked_plan(&[]).await;
    assert_eq!(issues(&plan).len(), 200);
    let first = &plan["issues"][0];
    assert_eq!(first["steps"].as_array().unwrap().len(), 50);
    assert_eq!(number(&plan, "issues_cut"), 300);
    assert_eq!(number(&plan, "not_looked_at"), 20);
    // The issue and 60 comments; then an issue each.
    assert_eq!(number(&plan, "requests"), 61 + 499);
    assert_eq!(number(first, "requests"), 61);
    assert_eq!(number(&plan, "steps_cut"), 11 + 300);
    let errand: ErrandReport = serde_json::from_value(plan).unwrap();
    assert!(matches!(errand, ErrandReport::Plan(_)));
}

#[tokio::test]
async fn a_plan_compares_everything_where_the_next_run_does() {
    let world = World::served().await;
    world.write(issue(world.alice, "Nothing new"));
    for _ in 0..2 {
        world.run().await;
        world.later(600);
    }
    let what_changed = world.asked_plan(&[]).await;
    assert_eq!(number(&what_changed, "others"), 0);
    let (store, mirror) = (&world.cx.store, world.mirror);
    let schedule = Schedule {
        full_interval: Some(TimeDelta::days(1)),
        next_full_at: Some(world.now()),
        ..store.schedule(mirror).await.unwrap()
    };
    store.set_schedule(mirror, &schedule).await.unwrap();
    let everything = world.asked_plan(&[]).await;
    assert_eq!(number(&everything, "others"), 1);
    assert_eq!(issues(&everything), [0; 0]);
}

#[tokio::test]
async fn a_mirror_that_rests_is_planned_and_rests_on() {
    let world = World::served().await;
    let iid = world.write(issue(world.alice, "Meanwhile"));
    let store = &world.cx.store;
    store.pause_mirror(world.mirror, "A person").await.unwrap();
    assert_eq!(issues(&world.asked_plan(&[]).await), [iid]);
    let paused = store.mirror(world.mirror).await.unwrap().paused;
    assert_eq!(paused.as_deref(), Some("A person"));
}

#[tokio::test]
async fn a_plan_for_which_the_limits_have_no_room_is_made_when_they_have() {
    let mut world = World::on(Stage::new()).await;
    let service = world.serve().await;
    world.asked_plan(&[]).await;
    let iid = world.write(issue(world.alice, "Later"));
    let open_again = world.now() + TimeDelta::hours(1);
    *service.admission.lock().unwrap() = Some(Admission::NotBefore(open_again));
    let id = world.sent_for(&world.planning(&[])).await;
    assert!(world.errand_round().await);
    let entry = world.entry(id).await;
    assert_eq!(entry.state, ErrandState::Waiting);
    assert!(entry.problem.is_some(), "people see what it waits for");
    world.later(1_800);
    assert!(
        !world.errand_round().await,
        "it is not asked for again and again"
    );
    *service.admission.lock().unwrap() = None;
    world.later(1_801);
    world.errand_round().await;
    let entry = world.entry(id).await;
    assert_eq!(entry.state, ErrandState::Done, "{:?}", entry.problem);
    assert_eq!(issues(&entry.result.unwrap()), [iid]);
}

#[tokio::test]
async fn a_plan_is_left_to_another_worker_when_its_own_ends() {
    let world = World::served().await;
    world.asked_plan(&[]).await;
    world.write(issue(world.alice, "Nobody gets to it"));
    let id = world.sent_for(&world.planning(&[])).await;
    let claimed = world.cx.store.claim(1, 1, world.cx.lease).await.unwrap();
    world.cx.shutdown.request();
    mirror_worker::execute(&world.cx, claimed[0].ticket).await;
    assert_eq!(world.entry(id).await.ended_at, None);
    let again = world.cx.store.claim(1, 1, world.cx.lease).await.unwrap();
    assert_eq!(again[0].ticket.work, claimed[0].ticket.work);
}

#[tokio::test]
async fn what_is_at_fault_with_a_mirror_is_why_its_plan_fails_and_does_not_pause_it() {
    let world = World::served().await;
    world.asked_plan(&[]).await;
    let (project, user) = (world.from.project, world.from.token_user);
    world.source.edit(|sim| {
        sim.project_mut(project).unwrap().members.remove(&user);
    });
    let problem = world.refusal(&world.planning(&[])).await;
    assert!(problem.contains("project"), "{problem}");
    let paused = world.cx.store.mirror(world.mirror).await.unwrap().paused;
    assert_eq!(paused, None);
}

#[tokio::test]
async fn after_any_edit_of_an_issue_its_plan_names_what_changes() {
    let world = World::served().await;
    let iid = world.write(issue(world.alice, "Before"));
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            title: Some("After".to_owned()),
            ..IssueEdit::default()
        },
    );
    let plan = world.asked_plan(&[]).await;
    let steps = &plan["issues"][0]["steps"];
    assert_eq!(steps[0]["sign"], "~");
    assert_eq!(steps[0]["what"], "change title");
}
