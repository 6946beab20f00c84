//! Two mirrors that a person has declared a pair.

use crate::world::{World, stories};
use mirror_core::{
    ids::{Iid, MirrorId},
    mapping::IssueMapping,
};
use mirror_store::{NewMirror, StoreError};

stories! {
    two_mirrors_are_a_pair_only_once_they_are_declared
    only_mirrors_in_opposite_directions_are_a_pair
    a_pair_that_ends_leaves_two_mirrors
    an_original_is_nobodys_copy
    what_was_carried_back_stays_known
}

impl World {
    /// The way back of this world's mirror.
    async fn way_back(&self) -> MirrorId {
        let NewMirror { source, target } = self.new_mirror(1);
        let back = NewMirror {
            source: target,
            target: source,
        };
        self.store.ensure_mirror(&back).await.unwrap().id
    }

    async fn pair_of(&self, mirror: MirrorId) -> Option<MirrorId> {
        self.store.pair_of(mirror).await.unwrap()
    }
}

async fn two_mirrors_are_a_pair_only_once_they_are_declared(world: World) {
    let back = world.way_back().await;
    assert_eq!(world.pair_of(world.mirror).await, None);
    let declared = world.store.declare_pair(back, world.mirror).await;
    assert!(declared.unwrap());
    assert_eq!(world.pair_of(world.mirror).await, Some(back));
    assert_eq!(world.pair_of(back).await, Some(world.mirror));
}

async fn only_mirrors_in_opposite_directions_are_a_pair(world: World) {
    let other = world.another_mirror(2).await;
    for (one, with) in [(world.mirror, other), (world.mirror, world.mirror)] {
        let declared = world.store.declare_pair(one, with).await;
        assert!(!declared.unwrap());
        assert_eq!(world.pair_of(one).await, None);
    }
    let none = world.store.declare_pair(world.mirror, MirrorId(99)).await;
    assert!(matches!(none, Err(StoreError::NoSuchMirror(_))), "{none:?}");
    let none = world.store.pair_of(MirrorId(99)).await;
    assert!(matches!(none, Err(StoreError::NoSuchMirror(_))), "{none:?}");
}

async fn a_pair_that_ends_leaves_two_mirrors(world: World) {
    let back = world.way_back().await;
    assert!(!world.store.end_pair(back).await.unwrap());
    let declared = world.store.declare_pair(world.mirror, back).await;
    assert!(declared.unwrap());
    assert!(world.store.end_pair(back).await.unwrap());
    assert_eq!(world.pair_of(world.mirror).await, None);
    assert_eq!(world.pair_of(back).await, None);
}

/// Issue 1 with copy 501, and what that brings back.
async fn with_a_reverse(world: &World) -> (MirrorId, IssueMapping) {
    let back = world.way_back().await;
    let fence = world.working_on(1).await;
    let there = world.mapped(1, 501);
    world.store.record_issue(&fence, &there).await.unwrap();
    let reverse = IssueMapping {
        mirror: back,
        is_reverse: true,
        carried_spent: Some(40),
        ..world.mapped(501, 1)
    };
    world.store.record_issue(&fence, &reverse).await.unwrap();
    (back, reverse)
}

async fn an_original_is_nobodys_copy(world: World) {
    let (back, _) = with_a_reverse(&world).await;
    let store = &world.store;
    let original = store.original_of(world.mirror, Iid(501)).await;
    assert_eq!(original.unwrap(), Some(Iid(1)));
    assert_eq!(store.original_of(back, Iid(1)).await.unwrap(), None);
    assert!(store.is_reverse(back, Iid(501)).await.unwrap());
    assert!(!store.is_reverse(world.mirror, Iid(1)).await.unwrap());
    assert!(!store.is_reverse(world.mirror, Iid(7)).await.unwrap());
}

async fn what_was_carried_back_stays_known(world: World) {
    let (back, _) = with_a_reverse(&world).await;
    let store = &world.store;
    let carried = |mirror, iid| store.carried_back(mirror, Iid(iid));
    assert_eq!(carried(world.mirror, 1).await.unwrap(), 40);
    assert_eq!(carried(world.mirror, 2).await.unwrap(), 0);
    assert_eq!(carried(back, 501).await.unwrap(), 0);
}
