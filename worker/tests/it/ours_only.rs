//! What the target's people did stays (law 7; rules 18 and 19).

use crate::support::{World, issue, note};
use gitlab_sim::{IssueEdit, IssueSpec, IssueState};

impl World {
    fn label_on_target(&self, iid: u64, titles: &[&str]) {
        let (to, tom) = (self.to.project, self.tom);
        self.target
            .edit(|sim| sim.set_labels(to, iid, tom, titles))
            .unwrap();
    }
}

#[tokio::test]
async fn labels_time_and_comments_of_the_targets_people_stay() {
    let world = World::new().await;
    let iid = world.write(IssueSpec {
        labels: vec!["bug".into()],
        ..issue(world.alice, "Ours")
    });
    let (from, to) = (world.from.project, world.to.project);
    world
        .source
        .edit(|sim| sim.log_time(from, iid, world.alice, 600, None).unwrap());
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    world.label_on_target(copy, &["MIRRORED", "bug", "triaged"]);
    world
        .target
        .edit(|sim| sim.log_time(to, copy, world.tom, 50, None).unwrap());
    let said = world.say_on_target(copy, note(world.tom, "Seen."));
    world.edit_target(
        copy,
        IssueEdit {
            assignees: Some(vec![world.tom]),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            labels: Some(vec!["feature".into()]),
            ..IssueEdit::default()
        },
    );
    world
        .source
        .edit(|sim| sim.log_time(from, iid, world.alice, -100, None).unwrap());
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.titles(iid), ["MIRRORED", "feature", "triaged"]);
    let issue = world.copy(iid).issue;
    assert_eq!(issue.time_spent(), 550);
    assert_eq!(issue.assignees, [world.tom]);
    assert_eq!(issue.note(said).unwrap().body, "Seen.");
}

#[tokio::test]
async fn a_label_that_was_there_before_us_is_not_ours_to_take_off() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Ours"));
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    world.label_on_target(copy, &["MIRRORED", "bug"]);
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            labels: Some(vec!["bug".into()]),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            labels: Some(vec![]),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    assert_eq!(world.titles(iid), ["MIRRORED", "bug"]);
    world.all_went_well().await;
}

#[tokio::test]
async fn an_edit_of_the_body_on_the_target_is_overwritten_once_and_then_it_is_quiet() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Ours"));
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    for edit in [
        IssueEdit {
            description: Some(Some("Mine now.".into())),
            ..IssueEdit::default()
        },
        IssueEdit {
            title: Some("Mine".into()),
            ..IssueEdit::default()
        },
        IssueEdit {
            state: Some(IssueState::Closed),
            ..IssueEdit::default()
        },
        IssueEdit {
            weight: Some(Some(7)),
            ..IssueEdit::default()
        },
    ] {
        world.later(600);
        world.edit_target(copy, edit.clone());
        world.forget_requests();
        world.run().await;
        assert_eq!(world.writes().len(), 1, "{edit:?}");
        let issue = world.target_issue(copy);
        assert_eq!(
            (issue.title.as_str(), issue.state, issue.weight),
            ("Ours", IssueState::Opened, None)
        );
        for _ in 0..2 {
            world.later(600);
            world.forget_requests();
            world.run().await;
            assert_eq!(world.writes(), Vec::<String>::new(), "{edit:?}");
        }
    }
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn an_edited_copy_of_a_comment_is_put_right_when_its_issue_is_compared() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Ours"));
    world.say(iid, note(world.alice, "Original."));
    world.run().await;
    let copy = world.copy(iid).issue;
    let copied = copy.notes.iter().find(|note| !note.system).unwrap().id;
    world.later(600);
    let to = world.to.project;
    world.target.edit(|sim| {
        sim.edit_note(to, copy.iid, copied, world.tom, "Mine now.")
            .unwrap();
        let retitle = IssueEdit {
            title: Some("Mine".into()),
            ..IssueEdit::default()
        };
        sim.edit_issue(to, copy.iid, world.tom, retitle).unwrap();
    });
    let mut world = world;
    let full = mirror_worker::Settings {
        full: true,
        ..mirror_worker::Settings::default()
    };
    world.restart_with(full, mirror_worker::Mode::Sync).await;
    world.run().await;
    let body = world
        .target_issue(copy.iid)
        .note(copied)
        .unwrap()
        .body
        .clone();
    assert!(body.ends_with("Original."), "{body}");
    world.all_went_well().await;
}

#[tokio::test]
async fn a_copy_of_a_comment_that_was_deleted_stays_deleted() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Ours"));
    let said = world.say(iid, note(world.alice, "Original."));
    world.run().await;
    let copy = world.copy(iid).issue;
    let copied = copy.notes.iter().find(|note| !note.system).unwrap().id;
    world.later(600);
    let (from, to) = (world.from.project, world.to.project);
    world
        .target
        .edit(|sim| sim.delete_note(to, copy.iid, copied, world.tom).unwrap());
    world.source.edit(|sim| {
        sim.edit_note(from, iid, said, world.alice, "Edited.")
            .unwrap()
    });
    world.say(iid, note(world.alice, "And another."));
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.copy(iid).notes().len(), 1);
    world.later(600);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_copy_that_was_deleted_is_not_made_again_by_itself() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Ours"));
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    let to = world.to.project;
    world
        .target
        .edit(|sim| sim.delete_issue(to, copy, world.tom).unwrap());
    world.edit(
        iid,
        IssueEdit {
            title: Some("Edited".into()),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    assert_eq!(world.target_count(), 0);
    assert!(
        world.failures()[0].contains("target issue #1 is gone"),
        "{:?}",
        world.failures()
    );
}

#[tokio::test]
async fn time_taken_off_by_the_targets_people_never_stops_the_mirror() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Ours"));
    let (from, to) = (world.from.project, world.to.project);
    world
        .source
        .edit(|sim| sim.log_time(from, iid, world.alice, 600, None).unwrap());
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    world
        .target
        .edit(|sim| sim.log_time(to, copy, world.tom, -600, None).unwrap());
    world.run().await;
    world.later(600);
    world
        .source
        .edit(|sim| sim.log_time(from, iid, world.alice, -300, None).unwrap());
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.copy(iid).issue.time_spent(), 0);
    world.later(600);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
}
