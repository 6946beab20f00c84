//! Fields of issues.

use super::{in_line, in_line_with, protecting, titled, weighing};
use crate::{
    plans::plan_then_sync,
    support::{Stage, World, body_of, issue},
};
use chrono::NaiveDate;
use gitlab_sim::{IssueEdit, IssueState, IssueType};
use mirror_core::merge::{EditPolicy, Resolution};
use mirror_worker::{Mode, Notice, Settings};

#[tokio::test]
async fn every_field_that_somebody_edited_stays_without_a_write() {
    let day = NaiveDate::from_ymd_opt(2026, 3, 1);
    let edits = [
        ("title", titled("Mine")),
        (
            "description",
            IssueEdit {
                description: Some(Some("Mine now.".into())),
                ..IssueEdit::default()
            },
        ),
        (
            "state",
            IssueEdit {
                state: Some(IssueState::Closed),
                ..IssueEdit::default()
            },
        ),
        (
            "type",
            IssueEdit {
                issue_type: Some(IssueType::Incident),
                ..IssueEdit::default()
            },
        ),
        (
            "due date",
            IssueEdit {
                due_date: Some(day),
                ..IssueEdit::default()
            },
        ),
        ("weight", weighing(7)),
        (
            "estimate",
            IssueEdit {
                time_estimate: Some(3_600),
                ..IssueEdit::default()
            },
        ),
        (
            "lock",
            IssueEdit {
                discussion_locked: Some(true),
                ..IssueEdit::default()
            },
        ),
        (
            "confidentiality",
            IssueEdit {
                confidential: Some(true),
                ..IssueEdit::default()
            },
        ),
        (
            "labels",
            IssueEdit {
                labels: Some(vec!["MIRRORED".into(), "p::2".into()]),
                ..IssueEdit::default()
            },
        ),
    ];
    for (what, edit) in edits {
        let (mut world, iid, copy) = in_line().await;
        world.edit_target(copy, edit);
        let shown = |world: &World| {
            let issue = world.target_issue(copy);
            let labels = world.target.world(|sim| sim.label_titles(&issue));
            (
                (issue.title.clone(), issue.state, issue.issue_type),
                (issue.due_date, issue.weight, issue.time_estimate),
                (issue.discussion_locked, issue.confidential, labels),
            )
        };
        let before = shown(&world);
        // The hidden first line and the footer are ours, and are put back.
        let writes = usize::from(what == "description");
        assert_eq!(world.next_run_writes().await.len(), writes, "{what}");
        assert_eq!(shown(&world), before, "{what}");
        assert_eq!(world.kept(iid).await, [(what.to_owned(), false)]);
        assert_eq!(
            world.notices(),
            [Notice::EditKept {
                what: what.to_owned(),
                conflict: false
            }]
        );
        assert_eq!(
            world.next_run_writes().await,
            Vec::<String>::new(),
            "{what}"
        );
        let full = world.full_run_writes(protecting()).await;
        assert_eq!(full, Vec::<String>::new(), "{what}");
        assert_eq!(shown(&world), before, "{what}");

        world.edit(
            iid,
            IssueEdit {
                issue_type: (what != "type").then_some(IssueType::Task),
                title: (what == "type").then(|| "Edited".into()),
                ..IssueEdit::default()
            },
        );
        assert_eq!(world.next_run_writes().await.len(), 1, "{what}");
        assert_eq!(world.kept(iid).await, [(what.to_owned(), false)]);
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn what_changed_on_both_sides_waits_and_the_rest_follows() {
    let (world, iid, copy) = in_line().await;
    world.edit_target(copy, titled("Theirs"));
    world.edit(
        iid,
        IssueEdit {
            weight: Some(Some(3)),
            ..titled("Ours, edited")
        },
    );
    world.run().await;
    let issue = world.target_issue(copy);
    assert_eq!((issue.title.as_str(), issue.weight), ("Theirs", Some(3)));
    assert_eq!(world.kept(iid).await, [("title".to_owned(), true)]);
    let values = world.edits_of(iid).await.remove(0).edit.values;
    assert_eq!(
        values,
        Some(("Ours, edited".to_owned(), "Theirs".to_owned()))
    );
    let modified = world.cx.store.target_modified(world.mirror).await.unwrap();
    assert_eq!(modified.len(), 1);
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    assert_eq!(world.kept(iid).await, [("title".to_owned(), true)]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_person_says_that_the_source_holds() {
    for both in [false, true] {
        let (world, iid, copy) = in_line().await;
        world.edit_target(copy, titled("Theirs"));
        if both {
            world.edit(iid, titled("Ours, edited"));
        }
        world.run().await;
        world.decide(iid, Resolution::UseSource).await;
        assert_eq!(world.next_run_writes().await.len(), 1);
        let title = world.source_issue(iid).title;
        assert_eq!(world.target_issue(copy).title, title);
        assert_eq!(world.kept(iid).await, []);
        assert_eq!(world.next_run_writes().await, Vec::<String>::new());
        world.assert_mirrored([iid]);
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn a_person_says_that_the_target_holds_until_the_source_changes_there() {
    let (mut world, iid, copy) = in_line().await;
    world.edit_target(copy, titled("Theirs"));
    world.edit(iid, titled("Ours, edited"));
    world.run().await;
    world.decide(iid, Resolution::UseTarget).await;
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    assert_eq!(world.kept(iid).await, []);
    world.edit(iid, weighing(5));
    assert_eq!(world.next_run_writes().await.len(), 1);
    let full = world.full_run_writes(protecting()).await;
    assert_eq!(full, Vec::<String>::new());
    let issue = world.target_issue(copy);
    assert_eq!((issue.title.as_str(), issue.weight), ("Theirs", Some(5)));
    assert_eq!(world.kept(iid).await, []);

    world.edit(iid, titled("Ours, once more"));
    assert_eq!(world.next_run_writes().await.len(), 1);
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_decision_about_what_is_there_no_more_is_void() {
    let (world, iid, copy) = in_line().await;
    world.edit_target(copy, titled("Theirs"));
    world.edit(iid, titled("Ours, edited"));
    world.run().await;
    world.decide(iid, Resolution::UseSource).await;
    world.later(60);
    world.edit_target(copy, titled("Theirs, edited"));
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    assert_eq!(world.target_issue(copy).title, "Theirs, edited");
    assert_eq!(world.kept(iid).await, [("title".to_owned(), true)]);
    world.all_went_well().await;
}

#[tokio::test]
async fn what_both_sides_come_to_agree_on_is_settled() {
    let (world, iid, copy) = in_line().await;
    world.edit_target(copy, titled("Agreed"));
    world.run().await;
    world.later(600);
    world.edit(iid, titled("Agreed"));
    world.run().await;
    assert_eq!(world.kept(iid).await, []);
    world.edit(iid, titled("And on"));
    assert_eq!(world.next_run_writes().await.len(), 1);
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn the_footer_follows_below_an_edited_text() {
    let (world, iid, copy) = in_line().await;
    let description = world.target_issue(copy).description.unwrap();
    let mine = description.replace("What Ours is about.", "What I make of it.");
    world.edit_target(
        copy,
        IssueEdit {
            description: Some(Some(mine)),
            ..IssueEdit::default()
        },
    );
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    let assigned = IssueEdit {
        assignees: Some(vec![world.alice]),
        ..IssueEdit::default()
    };
    world.edit(iid, assigned);
    world.later(600);
    world.run().await;
    let description = world.target_issue(copy).description.unwrap();
    assert_eq!(body_of(&description), "What I make of it.");
    assert!(description.contains("Assigned to:"), "{description}");
    assert_eq!(world.kept(iid).await, [("description".to_owned(), false)]);
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    world.all_went_well().await;
}

#[tokio::test]
async fn what_is_hidden_is_kept_without_a_word_of_it() {
    let (world, iid, copy) = in_line().await;
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            ..titled("Source secret")
        },
    );
    world.edit_target(copy, titled("Target secret"));
    world.run().await;
    let issue = world.target_issue(copy);
    assert!(issue.confidential);
    assert_eq!(issue.title, "Target secret");
    let kept = world.edits_of(iid).await.remove(0);
    assert_eq!(kept.edit.values, None);
    assert!(kept.edit.conflict);
    assert!(!world.told().contains("secret"), "{}", world.told());
    // Made public there, it is hidden again, whatever the policy.
    world.later(600);
    world.edit_target(
        copy,
        IssueEdit {
            confidential: Some(false),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    assert!(world.target_issue(copy).confidential);
    world.all_went_well().await;
}

#[tokio::test]
async fn the_plan_tells_the_truth_of_what_is_protected() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::new(), protecting(), &folder).await;
    let iid = world.write(issue(world.alice, "Ours"));
    assert!(plan_then_sync(&mut world).await > 0);
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    world.edit_target(copy, titled("Theirs"));
    assert_eq!(plan_then_sync(&mut world).await, 0);
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            weight: Some(Some(2)),
            ..titled("Edited")
        },
    );
    assert_eq!(plan_then_sync(&mut world).await, 1);
    world.later(600);
    world.decide(iid, Resolution::UseSource).await;
    assert_eq!(plan_then_sync(&mut world).await, 1);
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn a_policy_that_changes_holds_from_the_next_edit_on() {
    let (mut world, iid, copy) = in_line_with(Settings::default()).await;
    world.edit_target(copy, titled("Overwritten"));
    world.run().await;
    assert_eq!(world.target_issue(copy).title, "Ours");
    world.restart_with(protecting(), Mode::Sync).await;
    world.later(600);
    world.edit(iid, titled("Ours, edited"));
    world.edit_target(copy, weighing(9));
    world.run().await;
    let issue = world.target_issue(copy);
    assert_eq!(
        (issue.title.as_str(), issue.weight),
        ("Ours, edited", Some(9))
    );
    assert_eq!(world.kept(iid).await, [("weight".to_owned(), false)]);
    world.restart_with(Settings::default(), Mode::Sync).await;
    let store = &world.cx.store;
    let overwrite = store.set_edit_policy(world.mirror, EditPolicy::Overwrite);
    overwrite.await.unwrap();
    world.next_run_writes().await;
    assert_eq!(world.target_issue(copy).weight, None);
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn an_issue_that_is_made_in_several_steps_is_in_line_and_nobody_edited_it() {
    let world = World::with(Stage::new(), protecting(), Mode::Sync).await;
    let iid = world.write(gitlab_sim::IssueSpec {
        confidential: true,
        weight: Some(4),
        ..issue(world.alice, "In steps")
    });
    let estimate = IssueEdit {
        time_estimate: Some(600),
        state: Some(IssueState::Closed),
        ..IssueEdit::default()
    };
    world.run().await;
    world.later(600);
    world.edit(iid, estimate);
    world.run().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.kept(iid).await, []);
    assert_eq!(world.notices(), []);
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    world.all_went_well().await;
}
