//! Numbers and times of the originals, where an Owner's token can set them (rule 17); and the number
//! as the proof that a create took effect (rule 8).

use crate::support::{Stage, World, a_talk, issue, note};
use gitlab_sim::{AccessLevel, Fault, HookVerdict, IssueEdit, IssueState, Phase};
use mirror_core::{
    outcome::{Outcome, SkipReason},
    plan::Step,
    preserve::Preserve,
};
use mirror_store::{NewMirror, Store};
use mirror_worker::{Mode, Notice, Settings};
use std::{sync::Arc, time::Duration};

async fn world(preserve: Preserve, stage: Stage) -> World {
    let settings = Settings {
        preserve,
        include_closed: true,
        ..Settings::default()
    };
    World::with(stage, settings, Mode::Sync).await
}

fn close(world: &World, iid: u64) {
    let edit = IssueEdit {
        state: Some(IssueState::Closed),
        ..IssueEdit::default()
    };
    world.edit(iid, edit);
}

/// A first, an open one with a talk and a closed one, days apart; the first is deleted.
fn with_a_past(world: &World) -> (u64, u64) {
    let first = world.write(issue(world.alice, "First"));
    world.later(86_400);
    let open = a_talk(world);
    world.later(86_400);
    let closed = a_talk(world);
    world.later(86_400);
    close(world, closed);
    world.later(86_400);
    let project = world.from.project;
    world
        .source
        .edit(|sim| sim.delete_issue(project, first, world.alice))
        .unwrap();
    (open, closed)
}

fn kept_all(world: &World, iid: u64) {
    let (original, copy) = (world.source_issue(iid), world.target_issue(iid));
    assert_eq!(copy.created_at, original.created_at);
    assert_eq!(copy.closed_at, original.closed_at);
    let times = |issue: &gitlab_sim::Issue| {
        let written = issue.notes.iter().filter(|note| !note.system);
        written.map(|note| note.created_at).collect::<Vec<_>>()
    };
    assert_eq!(times(&copy), times(&original));
}

#[tokio::test]
async fn an_owners_copies_have_the_numbers_and_times_of_their_originals() {
    for preserve in [Preserve::Auto, Preserve::Require] {
        let world = world(preserve, Stage::new()).await;
        let (open, closed) = with_a_past(&world);
        world.run().await;
        world.all_went_well().await;
        world.assert_mirrored([open, closed]);
        for iid in [open, closed] {
            assert_eq!(world.copy(iid).issue.iid, iid);
            kept_all(&world, iid);
        }
        world.a_second_run_writes_nothing().await;
        assert_eq!(world.notices(), []);
    }
}

#[tokio::test]
async fn what_happens_after_the_import_happens_when_it_happens() {
    for full in [false, true] {
        let mut world = world(Preserve::Auto, Stage::new()).await;
        let (open, _) = with_a_past(&world);
        world.run().await;
        let settings = Settings {
            full,
            preserve: Preserve::Auto,
            ..Settings::default()
        };
        world.restart_with(settings, Mode::Sync).await;
        let said = world.say(open, note(world.alice, "Done."));
        close(&world, open);
        let closed_at = world.source_issue(open).closed_at.unwrap();
        // The two instances' clocks are minutes apart.
        world.later(3_600);
        world.run().await;
        world.assert_mirrored([open]);
        let copy = world.copy(open);
        assert!(copy.issue.closed_at.unwrap() > closed_at);
        assert!(
            copy.issue.updated_at > closed_at,
            "new to whoever reads there"
        );
        let notes = copy.notes();
        let (_, note) = notes.iter().find(|(of, _)| *of == said).unwrap();
        assert!(note.created_at > closed_at);
    }
}

#[tokio::test]
async fn by_default_of_the_engine_and_with_never_nothing_is_set() {
    let world = world(Preserve::Never, Stage::new()).await;
    let begun = world.now();
    let (open, closed) = with_a_past(&world);
    world.run().await;
    world.assert_mirrored([open, closed]);
    for iid in [open, closed] {
        let copy = world.copy(iid).issue;
        assert_ne!(copy.iid, iid);
        assert!(copy.created_at > begun + Duration::from_secs(300_000));
    }
}

#[tokio::test]
async fn a_maintainers_copies_are_numbered_as_they_come_unless_that_is_required() {
    let stage = || Stage::new().target_role(AccessLevel::Maintainer);
    let auto = world(Preserve::Auto, stage()).await;
    let (open, closed) = with_a_past(&auto);
    auto.run().await;
    auto.all_went_well().await;
    auto.assert_mirrored([open, closed]);
    assert_eq!(auto.notices(), []);

    let require = world(Preserve::Require, stage()).await;
    with_a_past(&require);
    require.run().await;
    assert_eq!(require.writes(), Vec::<String>::new());
    let failures = require.failures().join("\n");
    for words in [
        "--preserve require",
        "no Owner of team/inbox",
        "--preserve auto",
    ] {
        assert!(failures.contains(words), "{failures}");
    }
}

/// An issue by the target's own people.
fn with_a_neighbour(world: &World) -> u64 {
    let project = world.to.project;
    let spec = issue(world.tom, "Tom's own");
    world
        .target
        .edit(|sim| sim.create_issue(project, spec))
        .unwrap()
}

fn two(world: &World) -> (u64, u64) {
    let one = world.write(issue(world.alice, "One"));
    (one, world.write(issue(world.alice, "Two")))
}

#[tokio::test]
async fn in_a_project_with_issues_of_its_own_copies_get_the_numbers_that_come() {
    let mut world = world(Preserve::Auto, Stage::new()).await;
    let (first, second) = two(&world);
    let own = with_a_neighbour(&world);
    assert_eq!(own, first);
    world.plan().await;
    let planned: u64 = world.planned().iter().map(Step::requests).sum();
    world.forget_requests();
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([first, second]);
    assert_eq!(world.writes().len() as u64, planned, "none is refused");
    assert_eq!(world.target_issue(own).title, "Tom's own");
    assert_eq!(world.copy(first).issue.iid, second);
    assert_eq!(world.notices(), []);
    world.a_second_run_writes_nothing().await;
    // Days later, too.
    world.later(400_000);
    let third = world.write(issue(world.alice, "Three"));
    world.run().await;
    assert_eq!(world.copy(third).issue.iid, 4);
}

#[tokio::test]
async fn a_number_that_is_taken_in_the_middle_of_a_run_is_done_without_and_told() {
    let world = world(Preserve::Auto, Stage::new()).await;
    let (first, second) = two(&world);
    let (target, project) = (world.target.clone(), world.to.project);
    let own = issue(world.tom, "Tom's own");
    world.target.set_hook(Arc::new(move |event| {
        if event.phase == Phase::Before && event.method == "POST" {
            target.clear_hook();
            let own = own.clone();
            target.edit(|sim| sim.create_issue(project, own)).unwrap();
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([first, second]);
    world.assert_no_duplicates();
    assert_eq!(world.notices(), [Notice::NumberTaken]);
    assert_eq!(world.target_count(), 3);
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn where_numbers_are_required_an_issue_whose_number_is_taken_is_left_out() {
    let world = world(Preserve::Require, Stage::new()).await;
    let (first, second) = two(&world);
    assert_eq!(with_a_neighbour(&world), first);
    world.run().await;
    world.all_went_well().await;
    let taken = SkipReason::NumberTaken {
        target_iid: i64::try_from(first).unwrap(),
    };
    assert_eq!(world.outcome(first), Some(Outcome::Skipped(taken)));
    assert_eq!(world.copies_of(first).len(), 0);
    assert_eq!(world.copy(second).issue.iid, second);
    world.a_second_run_writes_nothing().await;
}

#[tokio::test]
async fn a_create_with_a_number_is_sent_again_at_once_and_is_there_once() {
    let faults = [
        Fault::LoseResponse,
        Fault::Reset,
        Fault::ErrorBefore(502),
        Fault::Hang { effect: false },
        Fault::Land {
            after: Duration::from_secs(40),
        },
        Fault::LandBehindProxy {
            after: Duration::from_secs(200),
        },
    ];
    for fault in faults {
        let world = world(Preserve::Auto, Stage::new()).await;
        let iid = a_talk(&world);
        world.strike("POST", "/issues$", fault.clone());
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.waits(), Vec::<String>::new(), "{fault:?}");
        world.later(600);
        world.run().await;
        world.assert_mirrored([iid]);
        assert_eq!(world.target_count(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_project_that_others_read_gets_no_time_of_change_that_lies_back() {
    let world = world(Preserve::Auto, Stage::new()).await;
    let (open, closed) = with_a_past(&world);
    // Somebody mirrors the target onwards.
    let store = &world.cx.store;
    let mirror = store.mirror(world.mirror).await.unwrap();
    let onwards = NewMirror {
        source: mirror.target,
        target: mirror.source,
    };
    store.ensure_mirror(&onwards).await.unwrap();
    world.run().await;
    world.assert_mirrored([open, closed]);
    let (original, copy) = (world.source_issue(closed), world.target_issue(closed));
    assert_eq!(copy.created_at, original.created_at);
    assert!(copy.closed_at > original.closed_at);
    assert!(copy.updated_at > original.updated_at);
}

#[tokio::test]
async fn with_a_record_from_a_backup_what_was_made_since_is_found_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = world(Preserve::Auto, Stage::new()).await;
    a_talk(&world);
    world.run().await;
    let backup = folder.path().join("backup.sqlite3");
    world.cx.store.copy_to(&backup).await.unwrap();
    world.later(86_400);
    let closed = a_talk(&world);
    world.later(86_400);
    close(&world, closed);
    world.later(86_400);
    world.run().await;
    world.assert_mirrored([closed]);
    // Numbers are not asked for any more.
    with_a_neighbour(&world);
    let third = world.write(issue(world.alice, "Three"));
    world.run().await;
    world.assert_mirrored([third]);
    world.cx.store = Store::open(&backup, Arc::new(world.clock.clone()))
        .await
        .unwrap();
    world.restart().await;
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([closed, third]);
    world.assert_no_duplicates();
}
