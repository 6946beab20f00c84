//! Which issues are mirrored, and what becomes of copies whose issues leave (decision 36).

use crate::support::{World, issue, note};
use gitlab_sim::{
    Fault, Home, HookVerdict, IssueEdit, IssueSpec, IssueState, IssueType, MilestoneSpec, Phase,
};
use mirror_core::outcome::{Outcome, SkipReason};
use std::sync::Arc;

const SHARED: &str = r#"{"only":{"any_label":["shared"]}}"#;

fn labelled(labels: &[&str]) -> IssueEdit {
    IssueEdit {
        labels: Some(labels.iter().map(|label| (*label).to_owned()).collect()),
        ..IssueEdit::default()
    }
}

impl World {
    fn shared(&self, title: &str) -> u64 {
        self.write(IssueSpec {
            labels: vec!["shared".into()],
            ..issue(self.alice, title)
        })
    }

    /// The issue leaves, and somebody writes what is no more for others.
    fn unshare(&self, iid: u64) {
        self.later(600);
        self.edit(
            iid,
            IssueEdit {
                title: Some("Ours alone".into()),
                description: Some(Some("Ours alone.".into())),
                ..labelled(&[])
            },
        );
        self.say(iid, note(self.alice, "Ours alone."));
    }

    fn why(&self, iid: u64) -> String {
        match self.outcome(iid) {
            Some(Outcome::Skipped(reason)) => reason.to_string(),
            other => panic!("#{iid} was not left out: {other:?}"),
        }
    }

    fn of(&self, iid: u64) -> bool {
        self.copies().iter().any(|copy| copy.of == iid)
    }
}

#[tokio::test]
async fn an_issue_is_mirrored_once_it_is_one_of_those_asked_for() {
    let world = World::by(SHARED).await;
    let within = world.shared("Within");
    let without = world.write(issue(world.alice, "Without"));
    world.say(without, note(world.alice, "A word."));
    world.run().await;
    world.assert_mirrored([within]);
    assert_eq!(world.target_count(), 1);
    assert_eq!(
        world.why(without),
        "outside what the mirror takes: its labels"
    );
    world.at_rest().await;
    world.edit(without, labelled(&["shared"]));
    world.run().await;
    world.assert_mirrored([within, without]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn every_condition_keeps_out_what_does_not_meet_it() {
    for (rules, why) in [
        (r#"{"only":{"all_labels":["shared","b"]}}"#, "its labels"),
        (r#"{"only":{"no_label":["a"]}}"#, "its labels"),
        (r#"{"only":{"types":["incident"]}}"#, "its type"),
        (r#"{"only":{"milestones":["1.0"]}}"#, "its milestone"),
        (r#"{"only":{"state":"closed"}}"#, "its state"),
        (
            r#"{"only":{"created_since":"2999-01-01"}}"#,
            "the day it was created",
        ),
        (
            r#"{"only":{"updated_since":"2999-01-01"}}"#,
            "the day it last changed",
        ),
    ] {
        let world = World::by(rules).await;
        let out = world.write(IssueSpec {
            labels: vec!["shared".into(), "a".into()],
            ..issue(world.alice, "Out")
        });
        let milestone = world.source.edit(|sim| {
            let spec = MilestoneSpec {
                title: "1.0".to_owned(),
                ..MilestoneSpec::default()
            };
            sim.add_milestone(Home::Project(world.from.project), spec)
        });
        let meets = IssueSpec {
            labels: vec!["shared".into(), "b".into()],
            issue_type: IssueType::Incident,
            milestone: Some(milestone),
            ..issue(world.alice, "In")
        };
        let closed = IssueSpec {
            state: IssueState::Closed,
            ..meets.clone()
        };
        let inside = world.write(if rules.contains("closed") {
            closed
        } else {
            meets
        });
        world.run().await;
        assert_eq!(
            world.why(out),
            format!("outside what the mirror takes: {why}")
        );
        assert_eq!(world.of(inside), !rules.contains("since"), "{rules}");
        world.at_rest().await;
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn a_copy_whose_issue_leaves_stays_as_it_is_and_that_is_told() {
    let world = World::by(SHARED).await;
    let iid = world.shared("Shared");
    world.run().await;
    let before = world.copy(iid).issue;
    world.unshare(iid);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.copy(iid).issue.description, before.description);
    assert_eq!(
        world.why(iid),
        "left what the mirror takes, and its copy stays as it is: its labels"
    );
    world.at_rest().await;
    // What the target's people do with it is theirs now.
    let mine = IssueEdit {
        title: Some("Mine".into()),
        ..IssueEdit::default()
    };
    world.edit_target(before.iid, mine);
    world.at_rest().await;
    assert_eq!(world.target_issue(before.iid).title, "Mine");

    world.edit(iid, labelled(&["shared"]));
    world.run().await;
    world.assert_mirrored([iid]);
    assert_eq!(world.target_count(), 1);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn a_copy_whose_issue_leaves_is_closed_once_with_a_line_that_says_why() {
    let world = World::by(r#"{"only":{"any_label":["shared"],"when_left":"close"}}"#).await;
    let iid = world.shared("Shared");
    world.run().await;
    world.unshare(iid);
    world.run().await;
    let copy = world.copy(iid).issue;
    let body = copy.description.unwrap();
    assert_eq!(copy.state, IssueState::Closed);
    assert!(
        body.contains("*This copy is kept in line no more"),
        "{body}"
    );
    assert!(body.contains("What Shared is about."), "{body}");
    assert!(!body.contains("Ours alone") && copy.title == "Shared");
    assert!(world.copy(iid).notes().is_empty());
    assert!(world.why(iid).contains("and its copy was closed"));
    world.at_rest().await;
    // Who opens it again there keeps it.
    let reopened = IssueEdit {
        state: Some(IssueState::Opened),
        ..IssueEdit::default()
    };
    world.edit_target(copy.iid, reopened);
    world.say(iid, note(world.alice, "More."));
    world.at_rest().await;

    world.edit(iid, labelled(&["shared"]));
    world.run().await;
    world.assert_mirrored([iid]);
    world.at_rest().await;
    world.assert_no_noise();
    world.all_went_well().await;
}

#[tokio::test]
async fn a_copy_follows_its_issue_out_where_that_is_asked_for() {
    let world = World::by(r#"{"only":{"any_label":["shared"],"when_left":"follow"}}"#).await;
    let iid = world.shared("Shared");
    world.run().await;
    world.unshare(iid);
    world.run().await;
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn state_and_days_are_asked_once_so_that_a_closing_arrives() {
    let mut world = World::by(r#"{"only":{"state":"opened"}}"#).await;
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    let closed = IssueEdit {
        state: Some(IssueState::Closed),
        ..IssueEdit::default()
    };
    world.edit(iid, closed);
    world.run().await;
    assert_eq!(world.copy(iid).issue.state, IssueState::Closed);
    world
        .rule(r#"{"only":{"created_since":"2999-01-01"}}"#)
        .await;
    world.edit(
        iid,
        IssueEdit {
            title: Some("Edited".into()),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_copy_that_was_left_is_hidden_when_its_issue_becomes_confidential() {
    for rules in [
        SHARED,
        r#"{"only":{"any_label":["shared"],"when_left":"close"}}"#,
    ] {
        let world = World::by(rules).await;
        let iid = world.shared("Shared");
        world.run().await;
        world.unshare(iid);
        world.run().await;
        world.later(600);
        let hide = IssueEdit {
            confidential: Some(true),
            ..IssueEdit::default()
        };
        world.edit(iid, hide);
        world.run().await;
        let copy = world.copy(iid).issue;
        assert!(copy.confidential);
        assert_eq!(copy.title, "Shared");
        world.at_rest().await;
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn an_issue_that_leaves_while_its_comments_are_read_tells_nothing_more() {
    let world = World::by(SHARED).await;
    let iid = world.shared("Shared");
    world.say(iid, note(world.alice, "For all."));
    world.run().await;
    world.later(600);
    world.say(iid, note(world.alice, "For all, too."));
    let (sim, from, alice) = (world.source.clone(), world.from.project, world.alice);
    world.source.set_hook(Arc::new(move |event| {
        if event.phase == Phase::Before && event.path.ends_with("/discussions") {
            sim.clear_hook();
            sim.edit(|world| {
                world.edit_issue(from, iid, alice, labelled(&[])).unwrap();
                let alone = note(alice, "Ours alone.");
                world.add_note(from, iid, alone).unwrap();
            });
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    let notes = world.copy(iid).issue.notes;
    let crossed = notes.iter().any(|note| note.body.contains("Ours alone."));
    assert!(!crossed, "{notes:#?}");
    assert!(world.why(iid).starts_with("left what the mirror takes"));
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn another_filter_makes_the_next_run_look_at_everything() {
    let mut world = World::by(SHARED).await;
    let shared = world.shared("Shared");
    let plain = world.write(issue(world.alice, "Plain"));
    let closed = world.write(IssueSpec {
        state: IssueState::Closed,
        ..issue(world.alice, "Closed")
    });
    world.run().await;
    assert_eq!(world.target_count(), 1);
    world.at_rest().await;
    world.rule(r#"{"only":{"no_label":["shared"]}}"#).await;
    world.run().await;
    assert!(world.of(plain) && !world.of(closed));
    assert!(world.why(shared).starts_with("left what the mirror takes"));
    world.rule(r#"{"only":{"state":"closed"}}"#).await;
    world.run().await;
    world.assert_mirrored([shared, plain, closed]);
    world.at_rest().await;
    world.all_went_well().await;
}

#[tokio::test]
async fn a_plan_tells_what_becomes_of_a_copy_that_is_left() {
    let mut world = World::by(r#"{"only":{"any_label":["shared"],"when_left":"close"}}"#).await;
    let iid = world.shared("Shared");
    world.run().await;
    world.unshare(iid);
    world.plan().await;
    assert_eq!(world.planned().len(), 2, "{:?}", world.planned());
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes().len(), 2, "{:?}", world.writes());
}

#[tokio::test]
async fn an_issue_that_leaves_while_its_create_is_unanswered_gets_no_second_create() {
    let world = World::by(SHARED).await;
    let iid = world.shared("Shared");
    world.strike("POST", "/issues$", Fault::Reset);
    world.owe_scan().await;
    while world.waits().is_empty() {
        assert!(world.round(1).await);
    }
    world.edit(iid, labelled(&[]));
    world.run().await;
    assert_eq!(world.target_count(), 0);
    assert_eq!(
        world.why(iid),
        SkipReason::OutsideFilter {
            why: "its labels".into()
        }
        .to_string()
    );
    world.all_went_well().await;
}
