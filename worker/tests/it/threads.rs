//! Threads are resolved as they are at the source.

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{AccessLevel, Edition, Fault, FaultRule, NoteSpec, Sim, SimBuilder, When};
use mirror_worker::{Mode, Notice, Settings};

impl World {
    /// Begins a thread at the source; gives its first comment.
    pub(crate) fn begin_thread(&self, iid: u64, body: &str) -> u64 {
        let thread = true;
        self.say(
            iid,
            NoteSpec {
                thread,
                ..note(self.alice, body)
            },
        )
    }

    /// Answers a comment of the source.
    pub(crate) fn answer(&self, iid: u64, to: u64, body: &str) -> u64 {
        let reply_to = Some(to);
        self.say(
            iid,
            NoteSpec {
                reply_to,
                ..note(self.alice, body)
            },
        )
    }

    /// Resolves the thread of a source comment, or opens it again.
    pub(crate) fn resolve(&self, iid: u64, of: u64, resolved: bool) {
        let thread = self.source_issue(iid).note(of).unwrap().discussion.clone();
        let (project, by) = (self.from.project, self.alice);
        self.source
            .edit(|sim| sim.resolve_discussion(project, iid, &thread, by, resolved))
            .unwrap();
    }

    /// The same by somebody of the target, in the thread of the first copy there is.
    fn resolve_on_target(&self, iid: u64, resolved: bool) {
        let copy = self.copy(iid);
        let thread = copy.notes()[0].1.discussion.clone();
        let (project, by) = (self.to.project, self.tom);
        self.target
            .edit(|sim| sim.resolve_discussion(project, copy.issue.iid, &thread, by, resolved))
            .unwrap();
    }

    /// Runs, comparing everything, and gives what that wrote.
    pub(crate) async fn run_in_full(&mut self) -> Vec<String> {
        let full = Settings {
            full: true,
            ..Settings::default()
        };
        self.restart_with(full, Mode::Sync).await;
        self.run().await;
        let writes = self.writes();
        self.restart_with(Settings::default(), Mode::Sync).await;
        writes
    }

    /// Runs again, some time later, and gives what that wrote.
    pub(crate) async fn next_run(&self) -> Vec<String> {
        self.later(600);
        self.forget_requests();
        self.run().await;
        self.writes()
    }
}

#[tokio::test]
async fn a_resolved_thread_is_resolved_on_the_target_and_opened_again() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let first = world.begin_thread(iid, "Shall we?");
    world.answer(iid, first, "We shall.");
    world.run().await;
    for resolved in [true, false, true] {
        world.later(600);
        world.resolve(iid, first, resolved);
        world.retitle(iid, &format!("Talk, resolved: {resolved}"));
        assert_eq!(world.next_run().await.len(), 2, "{resolved}");
        world.assert_mirrored([iid]);
        assert_eq!(world.next_run().await, Vec::<String>::new());
    }
    world.all_went_well().await;
}

#[tokio::test]
async fn a_thread_resolved_in_a_quiet_issue_is_found_by_the_full_sweep() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let first = world.begin_thread(iid, "Shall we?");
    world.run().await;
    for resolved in [true, false] {
        world.later(600);
        world.resolve(iid, first, resolved);
        assert_eq!(world.run_in_full().await.len(), 1, "{resolved}");
        world.assert_mirrored([iid]);
        assert_eq!(world.run_in_full().await, Vec::<String>::new());
    }
    world.all_went_well().await;
}

#[tokio::test]
async fn a_thread_that_was_resolved_before_it_was_seen_arrives_resolved() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let [alone, answered] = ["Settled.", "Settled, too."].map(|body| world.begin_thread(iid, body));
    world.answer(iid, answered, "Yes.");
    world.begin_thread(iid, "Open still.");
    for first in [alone, answered] {
        world.resolve(iid, first, true);
    }
    world.run().await;
    world.assert_mirrored([iid]);
    let copy = world.copy(iid);
    let notes = copy.notes();
    let resolved = notes.iter().filter(|(_, note)| note.resolved.is_some());
    assert_eq!(resolved.count(), 3);
    world.all_went_well().await;
    assert_eq!(world.next_run().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_is_written_in_a_resolved_thread_leaves_both_sides_alike() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let first = world.begin_thread(iid, "Shall we?");
    world.resolve(iid, first, true);
    world.run().await;
    world.later(600);
    world.answer(iid, first, "Not yet.");
    world.next_run().await;
    world.assert_mirrored([iid]);
    for body in ["Now.", "And for good."] {
        world.later(600);
        world.answer(iid, first, body);
        world.resolve(iid, first, true);
        world.next_run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.next_run().await, Vec::<String>::new());
    }
    world.all_went_well().await;
}

#[tokio::test]
async fn a_thread_that_an_answer_opened_is_resolved_again_whatever_happens_between() {
    let faults = [
        ("PUT", "/discussions/", Fault::ErrorBefore(503)),
        ("PUT", "/discussions/", Fault::LoseResponse),
        ("POST", "/discussions/", Fault::LoseResponse),
        ("POST", "/discussions/", Fault::ErrorAfter(502)),
    ];
    for (method, path, fault) in faults {
        let world = World::new().await;
        let iid = world.write(issue(world.alice, "Talk"));
        let first = world.begin_thread(iid, "Shall we?");
        world.resolve(iid, first, true);
        world.run().await;
        world.later(600);
        world.answer(iid, first, "Once more.");
        world.resolve(iid, first, true);
        let rule = FaultRule::new(method, path, When::Next(4), fault.clone());
        world.target.fail(rule);
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.unfinished().await, Vec::new(), "{method} {fault:?}");
        assert_eq!(world.next_run().await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn an_internal_thread_is_resolved_once_it_is_one_there() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let internal = NoteSpec {
        internal: true,
        thread: true,
        ..note(world.alice, "Among us.")
    };
    let first = world.say(iid, internal.clone());
    world.resolve(iid, first, true);
    world.run().await;
    world.later(600);
    let second = NoteSpec {
        reply_to: Some(first),
        ..internal
    };
    world.say(iid, second);
    world.resolve(iid, first, true);
    world.next_run().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.next_run().await, Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn what_the_targets_people_resolved_is_put_right_when_it_is_compared() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    world.begin_thread(iid, "Open still.");
    world.run().await;
    world.later(600);
    world.resolve_on_target(iid, true);
    assert_eq!(world.next_run().await, Vec::<String>::new());
    world.later(600);
    assert_eq!(world.run_in_full().await.len(), 1);
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn what_both_sides_resolved_costs_nothing() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let first = world.begin_thread(iid, "Settled.");
    world.run().await;
    world.later(600);
    world.resolve(iid, first, true);
    world.resolve_on_target(iid, true);
    assert_eq!(world.run_in_full().await, Vec::<String>::new());
    assert_eq!(world.next_run().await, Vec::<String>::new());
    world.later(600);
    world.resolve(iid, first, false);
    assert_eq!(world.run_in_full().await.len(), 1);
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn resolved_threads_are_known_again_after_lost_state() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let first = world.begin_thread(iid, "Settled.");
    world.answer(iid, first, "Yes.");
    world.resolve(iid, first, true);
    world.run().await;
    world.later(600);
    world.lose_state().await;
    assert_eq!(world.next_run().await, Vec::<String>::new());
    world.later(600);
    world.resolve(iid, first, false);
    world.retitle(iid, "Talk, edited");
    assert_eq!(world.next_run().await.len(), 2);
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

fn never_resolving() -> Stage {
    let builder = |builder: SimBuilder| builder.edition(Edition::Premium);
    Stage::from_builders(
        builder(Sim::builder()),
        builder(Sim::builder()).without_resolvable_threads(),
    )
}

fn told_of_threads(world: &World) -> usize {
    let told = world.notices();
    let dropped = Notice::FieldDropped {
        field: "resolved_threads".to_owned(),
    };
    told.iter().filter(|notice| **notice == dropped).count()
}

#[tokio::test]
async fn a_target_that_does_not_resolve_threads_is_told_of_once_and_left_in_peace() {
    for forbidden in [false, true] {
        let world = if forbidden {
            World::new().await
        } else {
            World::on(never_resolving()).await
        };
        if forbidden {
            world.target.fail(FaultRule::new(
                "PUT",
                "/discussions/",
                When::Always,
                Fault::ErrorBefore(403),
            ));
        }
        let iid = world.write(issue(world.alice, "Talk"));
        let [first, second] = ["One.", "Two."].map(|body| world.begin_thread(iid, body));
        world.resolve(iid, first, true);
        world.resolve(iid, second, true);
        world.run().await;
        world.all_went_well().await;
        assert_eq!(told_of_threads(&world), 1);
        world.later(600);
        world.resolve(iid, first, false);
        world.resolve(iid, first, true);
        world.answer(iid, first, "Once more.");
        assert_eq!(world.next_run().await.len(), 1, "the answer");
        assert_eq!(told_of_threads(&world), 1);
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn a_thread_that_is_none_on_the_target_is_told_of_and_holds_nothing_up() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let first = world.say(iid, note(world.alice, "On its own."));
    world.run().await;
    world.later(600);
    // An answer that came and went makes it a thread at the source only.
    let second = world.answer(iid, first, "Never mind.");
    let (from, alice) = (world.from.project, world.alice);
    world
        .source
        .edit(|sim| sim.delete_note(from, iid, second, alice).unwrap());
    world.resolve(iid, first, true);
    assert_eq!(world.next_run().await.len(), 1);
    let told = world.notices();
    assert!(
        matches!(told.as_slice(), [Notice::ThreadStays { .. }]),
        "{told:?}"
    );
    assert_eq!(world.next_run().await, Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn a_resolved_thread_that_the_targets_people_deleted_is_let_go() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Talk"));
    let first = world.begin_thread(iid, "Unwelcome.");
    world.run().await;
    let copy = world.copy(iid);
    let (to, tom, there) = (world.to.project, world.tom, copy.notes()[0].1.id);
    world
        .target
        .edit(|sim| sim.delete_note(to, copy.issue.iid, there, tom))
        .unwrap();
    world.later(600);
    world.resolve(iid, first, true);
    world.retitle(iid, "Talk, edited");
    world.next_run().await;
    assert_eq!(world.notices(), []);
    assert_eq!(world.next_run().await, Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn a_role_below_planner_still_resolves_its_own_issues_threads() {
    let world = World::on(Stage::new().target_role(AccessLevel::Guest)).await;
    let iid = world.write(issue(world.alice, "Talk"));
    let first = world.begin_thread(iid, "Settled.");
    world.resolve(iid, first, true);
    world.run().await;
    let copy = world.copy(iid);
    assert!(copy.notes()[0].1.resolved.is_some());
}
