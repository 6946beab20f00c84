//! A confidential issue is hidden first and shown last (law 5; rules 15 and 16).

use crate::support::{SECRET, World, issue, note, secret};
use gitlab_sim::{AccessLevel, HookVerdict, IssueEdit, Phase};
use mirror_core::outcome::{Outcome, SkipReason};
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn the_first_confidential_issue_on_a_target_is_created_with_neutral_text() {
    let world = World::new().await;
    let iid = world.write(secret(&world));
    world.say(iid, note(world.alice, &format!("{SECRET} again")));
    let (sim, to) = (world.target.clone(), world.to.project);
    let first: Arc<Mutex<Vec<(String, bool, bool)>>> = Arc::default();
    let seen = first.clone();
    world.target.set_hook(Arc::new(move |event| {
        if event.phase == Phase::After && event.method == "POST" && event.path.ends_with("/issues")
        {
            sim.world(|world| {
                let made = world.issues(to).last().unwrap();
                let text = format!("{:?}", made.description);
                seen.lock().unwrap().push((
                    made.title.clone(),
                    made.confidential,
                    text.contains(SECRET),
                ));
            });
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    assert_eq!(
        *first.lock().unwrap(),
        [("Mirrored issue".to_owned(), true, false)]
    );
    world.assert_mirrored([iid]);
    world.all_went_well().await;

    world.forget_requests();
    let next = world.write(secret(&world));
    world.later(300);
    world.run().await;
    world.assert_mirrored([next]);
    let puts = world
        .writes()
        .iter()
        .filter(|write| write.starts_with("PUT"))
        .count();
    assert_eq!(puts, 0, "once proven, the text travels with the create");
}

#[tokio::test]
async fn an_issue_that_becomes_confidential_is_hidden_before_anything_else_is_written() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            title: Some(format!("The {SECRET}")),
            description: Some(Some(SECRET.to_owned())),
            labels: Some(vec![SECRET.to_owned()]),
            ..IssueEdit::default()
        },
    );
    world.say(iid, note(world.alice, SECRET));
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn an_issue_that_is_opened_again_is_opened_last() {
    let world = World::new().await;
    let iid = world.write(secret(&world));
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(false),
            title: Some("Solved".into()),
            description: Some(Some("Nothing to hide.".into())),
            ..IssueEdit::default()
        },
    );
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn opening_waits_for_a_person_where_others_wrote_meanwhile() {
    let world = World::new().await;
    let iid = world.write(secret(&world));
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    world.say_on_target(copy, note(world.tom, "Between us: …"));
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(false),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    assert!(world.copy(iid).issue.confidential);
    let failures = world.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(
        failures[0].contains("others commented on target issue #1"),
        "{failures:?}"
    );
    let to = world.to.project;
    world.target.edit(|sim| {
        let open = IssueEdit {
            confidential: Some(false),
            ..IssueEdit::default()
        };
        sim.edit_issue(to, copy, world.tom, open).unwrap();
    });
    world.cx.store.retry_dead(world.mirror).await.unwrap();
    world.later(600);
    world.run().await;
    assert_eq!(world.unfinished().await, Vec::new());
    assert!(!world.copy(iid).issue.confidential);
}

#[tokio::test]
async fn a_target_that_ceases_to_hide_leaks_nothing() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            description: Some(Some(SECRET.to_owned())),
            ..IssueEdit::default()
        },
    );
    // Known to the target alone: from now on it drops `confidential` without a word.
    let (to, bot) = (world.to.project, world.to.token_user);
    let role = |role| {
        world
            .target
            .edit(|sim| sim.project_mut(to).unwrap().members.insert(bot, role));
    };
    role(AccessLevel::Guest);
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    let outcome = world.outcome(iid);
    assert!(
        matches!(
            outcome,
            Some(Outcome::Skipped(SkipReason::ConfidentialNotProven { .. }))
        ),
        "{outcome:?}"
    );
    role(AccessLevel::Owner);
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            title: Some("Touched".into()),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn a_row_older_than_a_minute_is_read_again_before_it_is_written() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.later(3_600);
    world.owe_scan().await;
    assert!(world.round(1).await, "the scan");
    world.later(61);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            description: Some(Some(SECRET.to_owned())),
            ..IssueEdit::default()
        },
    );
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn a_comment_newer_than_the_issues_facts_forces_a_second_look() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.say(iid, note(world.alice, "Still open."));
    world.later(3_600);
    let (source, from, alice) = (world.source.clone(), world.from.project, world.alice);
    world.source.set_hook(Arc::new(move |event| {
        if event.phase == Phase::Before && event.path.ends_with("/discussions") {
            source.clear_hook();
            source.edit(|sim| {
                let hide = IssueEdit {
                    confidential: Some(true),
                    ..IssueEdit::default()
                };
                sim.edit_issue(from, iid, alice, hide).unwrap();
                sim.add_note(from, iid, note(alice, SECRET)).unwrap();
            });
        }
        Box::pin(async { HookVerdict::Go })
    }));
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_target_that_hides_nothing_is_told_nothing() {
    let world = World::new().await;
    let iid = world.write(secret(&world));
    world.say(iid, note(world.alice, &format!("{SECRET} again")));
    hides(&world, false);
    // Long ago, so that one look settles it.
    world.later(3_600);
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    assert!(matches!(
        world.outcome(iid),
        Some(Outcome::Skipped(SkipReason::ConfidentialNotProven { .. }))
    ));
    let copy = world.copy(iid).issue;
    assert_eq!(
        (copy.title.as_str(), copy.confidential),
        ("Mirrored issue", false)
    );
    assert!(copy.notes.iter().all(|note| note.system));

    world.forget_requests();
    world.later(600);
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());

    hides(&world, true);
    world.edit(iid, touched());
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn what_comes_out_public_after_all_is_emptied_at_once() {
    let world = World::new().await;
    let first = world.write(secret(&world));
    world.run().await;
    world.assert_mirrored([first]);
    // It has hidden one, so this one's text travels with the create.
    hides(&world, false);
    let iid = world.write(secret(&world));
    world.say(iid, note(world.alice, &format!("{SECRET} again")));
    world.later(300);
    world.run().await;
    let copy = world.copy(iid).issue;
    assert!(!copy.confidential);
    assert_eq!(copy.title, "Mirrored issue");
    assert!(!format!("{:?}{:?}", copy.description, copy.labels).contains(SECRET));
    assert!(copy.notes.iter().all(|note| note.system));
    assert!(matches!(
        world.outcome(iid),
        Some(Outcome::Skipped(SkipReason::ConfidentialNotProven { .. }))
    ));

    // Proof is asked for again.
    let watch = world.watch();
    let next = world.write(secret(&world));
    world.later(300);
    world.run().await;
    watch.saw_nothing();
    assert!(!world.copy(next).issue.confidential);
}

/// Whether the target heeds `confidential`, which only it knows.
fn hides(world: &World, heeds: bool) {
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.project_mut(to).unwrap().drops_confidential = !heeds);
}

fn touched() -> IssueEdit {
    IssueEdit {
        title: Some("Touched".into()),
        ..IssueEdit::default()
    }
}
