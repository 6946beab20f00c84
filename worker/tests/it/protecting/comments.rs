//! Copies of comments.

use super::{in_line, protecting};
use crate::support::{World, note};
use gitlab_sim::IssueEdit;
use mirror_core::merge::Resolution;

impl World {
    fn copy_of_comment(&self, iid: u64, said: u64) -> u64 {
        let copy = self.copy(iid);
        let found = copy.notes().into_iter().find(|(of, _)| *of == said);
        found.unwrap().1.id
    }

    fn edit_comment_there(&self, copy: u64, copied: u64, body: &str) {
        let (to, tom) = (self.to.project, self.tom);
        self.target
            .edit(|sim| sim.edit_note(to, copy, copied, tom, body).unwrap());
    }

    pub(super) fn edit_comment(&self, iid: u64, said: u64, body: &str) {
        let (from, alice) = (self.from.project, self.alice);
        self.source
            .edit(|sim| sim.edit_note(from, iid, said, alice, body).unwrap());
    }

    fn comment_there(&self, copy: u64, copied: u64) -> String {
        let issue = self.target_issue(copy);
        issue.note(copied).unwrap().body.clone()
    }
}

/// A comment in line, and its copy edited there.
async fn edited() -> (World, (u64, u64), (u64, u64)) {
    let (world, iid, copy) = in_line().await;
    let said = world.say(iid, note(world.alice, "Original."));
    world.say(iid, note(world.alice, "Another."));
    world.run().await;
    world.later(600);
    let copied = world.copy_of_comment(iid, said);
    world.edit_comment_there(copy, copied, "Mine now.");
    (world, (iid, said), (copy, copied))
}

#[tokio::test]
async fn an_edited_copy_stays_and_is_told_when_its_issue_is_compared() {
    let (mut world, (iid, said), (copy, copied)) = edited().await;
    let full = world.full_run_writes(protecting()).await;
    assert_eq!(full, Vec::<String>::new());
    assert_eq!(world.comment_there(copy, copied), "Mine now.");
    let what = format!("comment (source note {said})");
    assert_eq!(world.kept(iid).await, [(what.clone(), false)]);
    let values = world.edits_of(iid).await.remove(0).edit.values.unwrap();
    assert!(values.0.ends_with("Original."), "{values:?}");
    assert_eq!(values.1, "Mine now.");
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());

    world.edit_comment(iid, said, "Original, edited.");
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    assert_eq!(world.kept(iid).await, [(what, true)]);
    world.decide(iid, Resolution::UseSource).await;
    assert_eq!(world.next_run_writes().await.len(), 1);
    assert_eq!(world.kept(iid).await, []);
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn an_edited_copy_that_a_person_keeps_follows_the_next_change() {
    let (mut world, (iid, said), (copy, copied)) = edited().await;
    world.edit_comment(iid, said, "Original, edited.");
    world.run().await;
    assert_eq!(world.comment_there(copy, copied), "Mine now.");
    world.decide(iid, Resolution::UseTarget).await;
    assert_eq!(world.next_run_writes().await, Vec::<String>::new());
    assert_eq!(world.kept(iid).await, []);
    let full = world.full_run_writes(protecting()).await;
    assert_eq!(full, Vec::<String>::new());
    assert_eq!(world.kept(iid).await, []);
    world.edit_comment(iid, said, "Original, edited twice.");
    assert_eq!(world.next_run_writes().await.len(), 1);
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn comments_that_nobody_edited_there_follow() {
    let (world, (iid, said), (copy, copied)) = edited().await;
    let other = world.say(iid, note(world.alice, "A third."));
    world.run().await;
    world.later(600);
    world.edit_comment(iid, other, "A third, edited.");
    world.edit_comment(iid, said, "Original, edited.");
    assert_eq!(world.next_run_writes().await.len(), 1);
    assert_eq!(world.comment_there(copy, copied), "Mine now.");
    let third = world.copy_of_comment(iid, other);
    assert!(
        world
            .comment_there(copy, third)
            .ends_with("A third, edited.")
    );
    world.all_went_well().await;
}

#[tokio::test]
async fn an_edited_copy_of_a_deleted_comment_stays_until_a_person_decides() {
    for resolution in [Resolution::UseSource, Resolution::UseTarget] {
        let (world, (iid, said), (copy, copied)) = edited().await;
        let (from, alice) = (world.from.project, world.alice);
        world
            .source
            .edit(|sim| sim.delete_note(from, iid, said, alice).unwrap());
        assert_eq!(world.next_run_writes().await, Vec::<String>::new());
        let what = format!("comment (source note {said})");
        assert_eq!(world.kept(iid).await, [(what, true)]);
        world.decide(iid, resolution).await;
        world.next_run_writes().await;
        let stays = resolution == Resolution::UseTarget;
        assert_eq!(world.target_issue(copy).note(copied).is_some(), stays);
        assert_eq!(world.kept(iid).await, []);
        world.edit(
            iid,
            IssueEdit {
                title: Some("On it goes".into()),
                ..IssueEdit::default()
            },
        );
        assert_eq!(world.next_run_writes().await.len(), 1);
        world.all_went_well().await;
    }
}
