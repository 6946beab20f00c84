//! Issues that were moved, and the copies of what they became.

use crate::world::{World, stories};
use mirror_core::{
    ids::{Iid, IssueId, MirrorId, ProjectId},
    mapping::IssueMapping,
};
use mirror_store::{Fence, MirrorEnd, MovedTo, NewMirror};

stories! {
    a_copy_is_found_in_whatever_mirror_it_is
    who_waits_for_a_move_is_owed_when_it_arrives
    moves_to_other_instances_are_not_led_to
}

/// As [`World::mapping`] counts them.
fn issue(iid: i64) -> IssueId {
    IssueId(10_000 + iid)
}

impl World {
    async fn moves(&self, fence: &Fence, iid: i64, to: i64) -> Option<MovedTo> {
        let moved = self
            .store
            .await_move(fence, self.mirror, Iid(iid), issue(to))
            .await;
        moved.unwrap()
    }

    async fn record_in(&self, fence: &Fence, mirror: MirrorId, iid: i64) {
        let mapping = IssueMapping {
            mirror,
            ..self.mapped(iid, 500 + iid)
        };
        self.store.record_issue(fence, &mapping).await.unwrap();
    }
}

async fn a_copy_is_found_in_whatever_mirror_it_is(world: World) {
    let fence = world.working_on(1).await;
    let other = world.another_mirror(2).await;
    world.record_in(&fence, other, 7).await;
    let found = world.moves(&fence, 1, 7).await;
    let expected = MovedTo {
        project: ProjectId(1_002),
        iid: Iid(507),
    };
    assert_eq!(found, Some(expected));

    // One in the very target of the mirror comes first.
    let mut new = world.new_mirror(3);
    new.target = world.new_mirror(1).target;
    let same = world.store.ensure_mirror(&new).await.unwrap().id;
    world.record_in(&fence, same, 7).await;
    let found = world.moves(&fence, 1, 7).await;
    assert_eq!(found.map(|copy| copy.project), Some(ProjectId(1_001)));
}

async fn who_waits_for_a_move_is_owed_when_it_arrives(world: World) {
    let fence = world.working_on(1).await;
    let other = world.another_mirror(2).await;
    assert_eq!(world.moves(&fence, 1, 7).await, None);
    assert_eq!(world.moves(&fence, 1, 8).await, None, "moved on");
    let arrived = |iid| world.store.move_arrived(other, issue(iid));
    assert_eq!(arrived(7).await.unwrap(), 0);
    world.record_in(&fence, other, 8).await;
    assert_eq!(arrived(8).await.unwrap(), 1);
    assert_eq!(arrived(8).await.unwrap(), 0, "once");
    let owed = world.store.unfinished(world.mirror, 10).await.unwrap();
    assert_eq!(owed.len(), 1);
    assert!(world.moves(&fence, 1, 8).await.is_some());
}

async fn moves_to_other_instances_are_not_led_to(world: World) {
    let fence = world.working_on(1).await;
    let end = |instance, project: i64| MirrorEnd {
        instance,
        project: ProjectId(project),
        path: format!("group/project-{project}"),
    };
    // The other way round: its source is the first one's target.
    let back = NewMirror {
        source: end(world.target, 9),
        target: end(world.source, 10),
    };
    let back = world.store.ensure_mirror(&back).await.unwrap().id;
    world.record_in(&fence, back, 7).await;
    assert_eq!(world.moves(&fence, 1, 7).await, None);
    assert_eq!(world.store.move_arrived(back, issue(7)).await.unwrap(), 0);
}
