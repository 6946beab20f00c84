//! Issues that a person takes out of their mirror, and puts back.

use crate::support::{World, issue, note};
use gitlab_sim::IssueEdit;
use mirror_core::{
    ids::Iid,
    outcome::{Outcome, SkipReason},
};
use mirror_store::{IssueFilter, Unlinked};

impl World {
    async fn listed(&self, iid: u64) -> i64 {
        let filter = IssueFilter {
            iid: Some(Iid(i64::try_from(iid).unwrap())),
            ..IssueFilter::default()
        };
        let rows = self.cx.store.listed_issues(self.mirror, &filter, 1).await;
        rows.unwrap()[0].id
    }

    /// An issue with its copy, taken out; both its number and its mapping's.
    async fn taken_out(&self) -> (u64, i64) {
        let iid = self.write(issue(self.alice, "Ours alone"));
        self.run().await;
        let mapping = self.listed(iid).await;
        let done = self.cx.store.unlink_issue(self.mirror, mapping).await;
        assert!(matches!(done.unwrap(), Unlinked::Done(_)));
        self.later(600);
        (iid, mapping)
    }
}

#[tokio::test]
async fn nothing_crosses_of_an_issue_that_was_taken_out_until_it_is_put_back() {
    let world = World::new().await;
    let (iid, mapping) = world.taken_out().await;
    world.say(iid, note(world.alice, "Not for them."));
    let edit = IssueEdit {
        title: Some("Still ours alone".to_owned()),
        ..IssueEdit::default()
    };
    world.edit(iid, edit);
    assert_eq!(world.next_run().await, [""; 0]);
    let skipped = Outcome::Skipped(SkipReason::Unlinked);
    assert_eq!(world.outcome(iid), Some(skipped));
    assert_eq!(world.copy(iid).issue.title, "Ours alone");

    let back = world.cx.store.relink_issue(world.mirror, mapping).await;
    assert!(matches!(back.unwrap(), Unlinked::Done(_)));
    world.next_run().await;
    world.assert_all_mirrored();
    assert_eq!(world.copies_of(iid).len(), 1);
}

#[tokio::test]
async fn the_copy_of_an_issue_that_was_taken_out_stays_when_that_is_deleted() {
    let world = World::new().await;
    let (iid, _) = world.taken_out().await;
    let project = world.from.project;
    world
        .source
        .edit(|sim| sim.delete_issue(project, iid, world.alice).unwrap());
    for _ in 0..3 {
        world.later(86_400);
        assert_eq!(world.next_run().await, [""; 0]);
    }
    assert_eq!(world.copies_of(iid).len(), 1);
}
