//! Rules for labels: which cross, under what name, and what becomes of them when the rules change.

use crate::support::{SECRET, Stage, World, issue};
use gitlab_sim::{Home, IssueSpec, LabelSpec};
use mirror_core::rules::Rules;
use mirror_worker::{Mode, Notice, Settings};
use std::sync::Arc;

pub(crate) fn ruled(rules: &str) -> Settings {
    Settings {
        rules: Arc::new(Rules::read(rules).unwrap()),
        ..Settings::default()
    }
}

impl World {
    pub(crate) async fn by(rules: &str) -> Self {
        Self::with(Stage::new(), ruled(rules), Mode::Sync).await
    }

    /// The mirror goes by other rules from the next run on.
    pub(crate) async fn rule(&mut self, rules: &str) {
        self.later(600);
        self.restart_with(ruled(rules), Mode::Sync).await;
    }

    fn label(&self, title: &str, labels: &[&str]) -> u64 {
        self.write(IssueSpec {
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            ..issue(self.alice, title)
        })
    }

    /// Another run has nothing to send.
    pub(crate) async fn at_rest(&self) {
        self.later(600);
        self.forget_requests();
        self.run().await;
        assert_eq!(self.writes(), Vec::<String>::new());
    }
}

const RULES: &str = r#"{"labels":{
    "map":{"bug":"defect"},"skip":["wontfix"],"exclude":["^internal"],"prefix":"shop/"}}"#;

#[tokio::test]
async fn labels_cross_by_the_rules() {
    let world = World::by(RULES).await;
    let iid = world.label("One", &["bug", "wontfix", "internal: x", "ui"]);
    world.run().await;
    assert_eq!(world.titles(iid), ["MIRRORED", "defect", "shop/ui"]);
    let colour = |sim: &gitlab_sim::Sim, project, title| {
        sim.world(|world| world.label_titled(project, title).unwrap().color.clone())
    };
    assert_eq!(
        colour(&world.target, world.to.project, "shop/ui"),
        colour(&world.source, world.from.project, "ui"),
    );
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn labels_that_new_rules_no_longer_give_are_taken_off_and_peoples_stay() {
    let mut world = World::new().await;
    let iid = world.label("One", &["bug", "ui"]);
    let other = world.label("Two", &[]);
    world.run().await;
    let (copy, to, tom) = (world.copy(iid).issue.iid, world.to.project, world.tom);
    world.later(600);
    world.target.edit(|sim| {
        let titles = ["MIRRORED", "bug", "ui", "shop/later", "theirs"];
        sim.set_labels(to, copy, tom, &titles).unwrap();
    });
    world.run().await;

    world.rule(RULES).await;
    world.forget_requests();
    world.run().await;
    let titles = ["MIRRORED", "defect", "shop/later", "shop/ui", "theirs"];
    assert_eq!(world.titles(iid), titles);
    assert_eq!(world.titles(other), ["MIRRORED"]);
    world.at_rest().await;

    // What people had put on before us is theirs, whatever the rules call it.
    world
        .rule(r#"{"labels":{"map":{"bug":"theirs"},"skip":["ui"]}}"#)
        .await;
    world.run().await;
    assert_eq!(world.titles(iid), ["MIRRORED", "shop/later", "theirs"]);
    world.rule("").await;
    world.run().await;
    let titles = ["MIRRORED", "bug", "shop/later", "theirs", "ui"];
    assert_eq!(world.titles(iid), titles);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn where_none_are_to_be_created_only_labels_that_are_there_are_put_on() {
    let mut world = World::by(r#"{"labels":{"create":false}}"#).await;
    let (to, tom) = (world.to.project, world.tom);
    world.target.edit(|sim| {
        let spec = LabelSpec::new("ui", "#112233");
        sim.add_label(Home::Project(to), tom, spec).unwrap();
    });
    let iid = world.label("One", &["bug", "ui"]);
    world.run().await;
    assert_eq!(world.titles(iid), ["ui"]);
    let title = |title: &str| Notice::LabelLeft {
        title: title.to_owned(),
    };
    let mut told = world.notices();
    told.sort();
    assert_eq!(told, [title("MIRRORED"), title("bug")]);
    world.at_rest().await;
    world.rule("").await;
    world.run().await;
    assert_eq!(world.titles(iid), ["MIRRORED", "bug", "ui"]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_confidential_issue_tells_only_of_labels_that_cross() {
    let world = World::by(r#"{"labels":{"skip":["hush"],"create":false}}"#).await;
    let iid = world.write(IssueSpec {
        labels: vec!["hush".into(), SECRET.into()],
        confidential: true,
        ..issue(world.alice, "Quiet")
    });
    world.run().await;
    let body = world.copy(iid).issue.description.unwrap();
    assert!(body.contains(&format!("Labels: {SECRET}")), "{body}");
    assert!(!body.contains("hush"), "{body}");
    assert!(!world.told().contains(SECRET), "{}", world.told());
    world.all_went_well().await;
}

#[tokio::test]
async fn a_plan_tells_what_new_rules_come_to_and_keeps_nothing() {
    let mut world = World::new().await;
    let iid = world.label("One", &["bug"]);
    world.run().await;
    world.at_rest().await;
    world.rule(RULES).await;
    world.plan().await;
    assert_eq!(world.planned().len(), 2, "{:?}", world.planned());
    assert_eq!(world.titles(iid), ["MIRRORED", "bug"]);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes().len(), 2, "{:?}", world.writes());
    assert_eq!(world.titles(iid), ["MIRRORED", "defect"]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_crash_does_not_forget_that_the_rules_have_changed() {
    let mut world = World::new().await;
    let iids = ["One", "Two", "Three"].map(|title| world.label(title, &["bug"]));
    world.run().await;
    // By now nothing is looked at again but for the rules.
    world.at_rest().await;
    world.rule(RULES).await;
    // The scan and one issue, and then the process is gone.
    world.owe_scan().await;
    assert!(world.round(1).await);
    assert!(world.round(1).await);
    world.restart().await;
    world.run().await;
    for iid in iids {
        assert_eq!(world.titles(iid), ["MIRRORED", "defect"]);
    }
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn new_rules_wait_until_every_worker_of_a_service_has_them() {
    let mut world = World::new().await;
    let iid = world.label("One", &["bug"]);
    world.run().await;
    world.serve().await;
    world.later(600);
    world.run().await;
    let store = world.cx.store.clone();
    let soon = store.now() + chrono::TimeDelta::seconds(5);
    let rules = Rules::read(RULES).unwrap();
    assert!(
        store
            .set_rules(world.mirror, rules.text(), soon)
            .await
            .unwrap()
    );
    world.forget_requests();
    world.run().await;
    assert!(
        world.waits()[0].contains("its rules were changed"),
        "{:?}",
        world.waits()
    );
    assert!(store.now() >= soon);
    assert_eq!(world.titles(iid), ["MIRRORED", "defect"]);
    assert_eq!(world.unfinished().await, Vec::new());
    world.at_rest().await;
}

#[tokio::test]
async fn rules_that_this_version_cannot_read_let_the_mirror_rest() {
    let mut world = World::new().await;
    world.label("One", &[]);
    world.serve().await;
    let store = world.cx.store.clone();
    let (mirror, now) = (world.mirror, store.now());
    store
        .set_rules(mirror, r#"{"later":{}}"#, now)
        .await
        .unwrap();
    world.run().await;
    let reason = store.mirror(mirror).await.unwrap().paused.unwrap();
    assert!(
        reason.contains("update this program, or set the mirror's rules anew"),
        "{reason}"
    );
    assert_eq!(world.target_count(), 0);
}
