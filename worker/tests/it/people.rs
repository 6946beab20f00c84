//! People of the source who have an account on the target are assigned there.

use crate::support::{SECRET, Stage, World, issue};
use gitlab_sim::{
    AccessLevel, Edition, Issue, IssueEdit, IssueSpec, Sim, UserId, UserSpec, Visibility,
};
use mirror_worker::{Mode, Notice, Settings};

/// Alice is Anna on the target, Bob is Ben.
pub(crate) const MAP: &str = r#"{"users":{"map":{"alice-w":"anna","bob":"ben"}}}"#;

pub(crate) struct Cast {
    pub(crate) bob: UserId,
    carol: UserId,
    pub(crate) anna: UserId,
    pub(crate) ben: UserId,
}

/// Both sides' people. Anna and Ben are members of the target project.
pub(crate) fn cast(stage: &Stage) -> Cast {
    let there = |name: &str| {
        let user = stage.target.add_user(UserSpec::new(name, name));
        join(
            &stage.target,
            stage.to.project,
            user,
            AccessLevel::Developer,
        );
        user
    };
    Cast {
        bob: stage.source.add_user(UserSpec::new("bob", "Bob")),
        carol: stage.source.add_user(UserSpec::new("carol", "Carol")),
        anna: there("anna"),
        ben: there("ben"),
    }
}

fn join(sim: &Sim, project: u64, user: UserId, level: AccessLevel) {
    sim.edit(|world| {
        let home = world.project_mut(project).unwrap();
        home.members.insert(user, level);
    });
}

pub(crate) async fn begun(stage: Stage, rules: &str) -> (World, Cast) {
    let cast = cast(&stage);
    let world = World::with(stage, crate::label_rules::ruled(rules), Mode::Sync).await;
    (world, cast)
}

impl World {
    pub(crate) fn task(&self, assignees: &[UserId]) -> u64 {
        self.write(IssueSpec {
            assignees: assignees.to_vec(),
            ..issue(self.alice, "Task")
        })
    }

    pub(crate) fn assign(&self, iid: u64, assignees: &[UserId]) {
        self.later(600);
        self.edit(iid, assigned(assignees));
    }

    fn assign_on_target(&self, iid: u64, assignees: &[UserId]) {
        self.later(600);
        self.edit_target(iid, assigned(assignees));
    }

    pub(crate) fn assignees(&self, of: u64) -> Vec<UserId> {
        let Issue { mut assignees, .. } = self.copy(of).issue;
        assignees.sort_unstable();
        assignees
    }

    /// What the target is known not to take.
    async fn recorded_drops(&self) -> Vec<String> {
        let store = &self.cx.store;
        let end = store.mirror(self.mirror).await.unwrap().target;
        let facts = store.target_facts(end.instance, end.project).await;
        facts.unwrap().dropped.into_keys().collect()
    }

    fn look_ups(&self) -> Vec<String> {
        let mut sent = self.target_requests();
        sent.retain(|request| request.contains("/users") || request.contains("/members/"));
        sent
    }
}

fn in_full(rules: &str) -> Settings {
    Settings {
        full: true,
        ..crate::label_rules::ruled(rules)
    }
}

pub(crate) fn assigned(assignees: &[UserId]) -> IssueEdit {
    IssueEdit {
        assignees: Some(assignees.to_vec()),
        ..IssueEdit::default()
    }
}

#[tokio::test]
async fn whom_the_rules_name_is_assigned_and_the_others_are_told_of() {
    let (world, cast) = begun(Stage::new(), MAP).await;
    let one = world.task(&[world.alice]);
    let both = world.task(&[world.alice, cast.bob]);
    let mixed = world.task(&[cast.bob, cast.carol]);
    let nobody = world.task(&[]);
    world.run().await;
    assert_eq!(world.assignees(one), [cast.anna]);
    assert_eq!(world.titles(one), ["MIRRORED"]);
    assert_eq!(world.assignees(both), [cast.anna, cast.ben]);
    assert_eq!(world.titles(both), ["MIRRORED"]);
    assert_eq!(world.assignees(mixed), [cast.ben]);
    assert_eq!(world.titles(mixed), ["Assigned: carol", "MIRRORED"]);
    assert_eq!(world.assignees(nobody), [0; 0]);
    let unnamed = Notice::NotInUserMap {
        username: "carol".to_owned(),
    };
    assert_eq!(world.notices(), [unnamed]);
    // Each is looked up once.
    assert_eq!(world.look_ups(), ["GET /api/v4/users"; 2]);
    let body = world.copy(one).issue.description.unwrap();
    assert!(body.contains("- Assigned to: **Alice"), "{body}");
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn assignees_follow_the_source_and_those_of_the_targets_people_stay() {
    let (world, cast) = begun(Stage::new(), MAP).await;
    let iid = world.task(&[world.alice]);
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.assign_on_target(copy, &[cast.anna, world.tom]);
    world.assign(iid, &[cast.bob]);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.assignees(iid), sorted([world.tom, cast.ben]));
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    world.assign(iid, &[]);
    world.run().await;
    assert_eq!(world.assignees(iid), [world.tom]);
    // Whom people assigned before the source did is theirs.
    world.assign_on_target(copy, &[world.tom, cast.anna]);
    world.assign(iid, &[world.alice]);
    world.run().await;
    world.assign(iid, &[]);
    world.run().await;
    assert_eq!(world.assignees(iid), sorted([world.tom, cast.anna]));
    world.at_rest().await;
    world.all_went_well().await;
}

pub(crate) fn sorted<const N: usize>(mut users: [UserId; N]) -> Vec<UserId> {
    users.sort_unstable();
    users.to_vec()
}

#[tokio::test]
async fn whom_we_assigned_and_people_took_off_is_assigned_again() {
    let (world, cast) = begun(Stage::new(), MAP).await;
    let iid = world.task(&[world.alice]);
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.assign_on_target(copy, &[]);
    world.run().await;
    assert_eq!(world.assignees(iid), [cast.anna]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn another_map_has_everything_looked_at_again() {
    let (mut world, cast) = begun(Stage::new(), "").await;
    let one = world.task(&[world.alice]);
    let two = world.task(&[cast.bob]);
    world.run().await;
    assert_eq!(world.titles(one), ["Assigned::alice-w", "MIRRORED"]);
    assert_eq!(world.look_ups(), Vec::<String>::new());
    world.rule(MAP).await;
    world.run().await;
    assert_eq!(
        (world.assignees(one), world.assignees(two)),
        (vec![cast.anna], vec![cast.ben])
    );
    assert_eq!(world.titles(one), ["MIRRORED"]);
    world.rule(r#"{"users":{"map":{"bob":"anna"}}}"#).await;
    world.run().await;
    assert_eq!(
        (world.assignees(one), world.assignees(two)),
        (vec![], vec![cast.anna])
    );
    assert_eq!(world.titles(one), ["Assigned::alice-w", "MIRRORED"]);
    world.at_rest().await;
    world.rule("").await;
    world.run().await;
    assert_eq!(
        (world.assignees(one), world.assignees(two)),
        (vec![], vec![])
    );
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn a_name_that_nobody_has_on_the_target_is_told_and_a_label_stands_for_it() {
    let stage = Stage::new();
    let rules = r#"{"users":{"map":{"alice-w":"nobody"}}}"#;
    let mut world = World::with(stage, crate::label_rules::ruled(rules), Mode::Sync).await;
    let (one, two) = (world.task(&[world.alice]), world.task(&[world.alice]));
    world.run().await;
    for iid in [one, two] {
        assert_eq!(world.titles(iid), ["Assigned::alice-w", "MIRRORED"]);
    }
    let unknown = Notice::NoSuchUser {
        from: "alice-w".to_owned(),
        to: "nobody".to_owned(),
    };
    assert_eq!(world.notices(), [unknown.clone(), unknown]);
    assert_eq!(world.look_ups().len(), 1);
    world.at_rest().await;
    // The account is made, and everything compared.
    let user = world.target.add_user(UserSpec::new("Nobody", "Somebody"));
    join(&world.target, world.to.project, user, AccessLevel::Guest);
    world.later(600);
    world.restart_with(in_full(rules), Mode::Sync).await;
    world.run().await;
    assert_eq!(world.assignees(one), [user]);
    assert_eq!(world.titles(one), ["MIRRORED"]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn whom_the_target_does_not_let_be_assigned_is_told_of_and_not_fought_over() {
    let stage = Stage::new().target_visibility(Visibility::Private);
    let (mut world, cast) = begun(stage, MAP).await;
    let to = world.to.project;
    world.target.edit(|sim| {
        sim.project_mut(to).unwrap().members.remove(&cast.anna);
    });
    let one = world.task(&[world.alice]);
    let both = world.task(&[world.alice, cast.bob]);
    world.run().await;
    assert_eq!(world.titles(one), ["Assigned::alice-w", "MIRRORED"]);
    assert_eq!(world.titles(both), ["Assigned: alice-w", "MIRRORED"]);
    assert_eq!(world.assignees(both), [cast.ben]);
    let refused = Notice::NotAssignable {
        username: "anna".to_owned(),
    };
    assert_eq!(world.notices(), [refused]);
    world.at_rest().await;
    world.later(600);
    world.restart_with(in_full(MAP), Mode::Sync).await;
    world.at_rest().await;
    join(&world.target, to, cast.anna, AccessLevel::Guest);
    world.later(600);
    world.restart_with(in_full(MAP), Mode::Sync).await;
    world.run().await;
    assert_eq!(world.assignees(one), [cast.anna]);
    assert_eq!(world.assignees(both), [cast.anna, cast.ben]);
    assert_eq!(world.titles(both), ["MIRRORED"]);
    assert_eq!(world.recorded_drops().await, [""; 0]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn where_one_assignee_is_kept_the_others_are_told_of() {
    let builder = Sim::builder;
    for (stage, told) in [
        (Stage::of(Edition::Premium, Edition::Ce), 0),
        (Stage::from_builders(builder(), builder().unlicensed()), 1),
    ] {
        let (world, cast) = begun(stage, MAP).await;
        let first = world.task(&[world.alice, cast.bob]);
        let second = world.task(&[world.alice, cast.bob]);
        world.run().await;
        for iid in [first, second] {
            assert_eq!(world.assignees(iid), [cast.anna]);
            assert_eq!(world.titles(iid), ["Assigned: bob", "MIRRORED"]);
        }
        assert_eq!(world.notices().len(), told, "{:?}", world.notices());
        world.at_rest().await;
        // Whom the target's people assign stays, and nobody takes their place.
        let copy = world.copy(first).issue.iid;
        world.assign_on_target(copy, &[world.tom]);
        world.run().await;
        assert_eq!(world.assignees(first), [world.tom]);
        let titles = ["Assigned: alice-w", "Assigned: bob", "MIRRORED"];
        assert_eq!(world.titles(first), titles);
        world.assign(second, &[cast.bob]);
        world.run().await;
        assert_eq!(world.assignees(second), [cast.ben]);
        assert_eq!(world.titles(second), ["MIRRORED"]);
        world.at_rest().await;
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn a_licence_for_several_assignees_is_noticed_within_a_day() {
    let stage = Stage::from_builders(Sim::builder(), Sim::builder().unlicensed());
    let (mut world, cast) = begun(stage, MAP).await;
    let first = world.task(&[world.alice, cast.bob]);
    let second = world.task(&[world.alice, cast.bob]);
    world.run().await;
    world.target.edit(|sim| sim.settings.licensed = true);
    world.later(86_400);
    world.restart_with(in_full(MAP), Mode::Sync).await;
    world.run().await;
    for iid in [first, second] {
        assert_eq!(world.assignees(iid), [cast.anna, cast.ben]);
        assert_eq!(world.titles(iid), ["MIRRORED"]);
    }
    assert_eq!(world.recorded_drops().await, [""; 0]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn a_confidential_issue_is_hidden_before_anybody_is_assigned_and_tells_of_nobody() {
    let (world, cast) = begun(Stage::new(), MAP).await;
    let iid = world.write(IssueSpec {
        confidential: true,
        assignees: vec![world.alice, cast.carol],
        description: Some(SECRET.to_owned()),
        ..issue(world.alice, "Hushed")
    });
    world.run().await;
    let copy = world.copy(iid).issue;
    assert!(copy.confidential);
    assert_eq!(copy.assignees, [cast.anna]);
    assert_eq!(world.notices(), []);
    assert!(!world.told().contains("carol"), "{}", world.told());
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn a_plan_tells_who_will_be_assigned() {
    let (mut world, cast) = begun(Stage::new(), MAP).await;
    world.task(&[world.alice, cast.bob]);
    let second = world.task(&[cast.bob]);
    crate::plans::plan_then_sync(&mut world).await;
    world.assign(second, &[world.alice]);
    let sent = crate::plans::plan_then_sync(&mut world).await;
    assert_eq!(sent, 1);
    assert_eq!(world.assignees(second), [cast.anna]);
}
