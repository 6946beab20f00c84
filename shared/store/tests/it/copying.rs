//! Copies of one mirror's record, to pretend in.

use crate::world::{World, stories};
use mirror_core::ids::{Iid, MirrorId};
use mirror_store::StoreError;

stories! {
    what_is_written_to_a_copy_nobody_else_sees
    what_is_owed_is_due_in_a_copy_at_once_whoever_has_it_in_hand
    a_mirror_with_many_issues_is_copied_whole
    there_is_no_copy_of_a_mirror_that_is_not_there
}

async fn what_is_written_to_a_copy_nobody_else_sees(world: World) {
    let fence = world.working_on(1).await;
    let mapped = world.mapped(1, 501);
    world.store.record_issue(&fence, &mapped).await.unwrap();
    let copy = world.store.copy_of(world.mirror).await.unwrap();
    let first = |store: mirror_store::Store| {
        let mirror = world.mirror;
        async move { store.issue_mapping(mirror, Iid(1)).await.unwrap() }
    };
    let kept = first(world.store.clone()).await;
    assert!(kept.is_some());
    assert_eq!(first(copy.clone()).await, kept);
    copy.pause_mirror(world.mirror, "Only here").await.unwrap();
    let paused = copy.mirror(world.mirror).await.unwrap().paused;
    assert_eq!(paused.as_deref(), Some("Only here"));
    assert_eq!(world.store.mirror(world.mirror).await.unwrap().paused, None);
    let unmapped = world.mapping(2);
    world.store.record_issue(&fence, &unmapped).await.unwrap();
    assert_eq!(
        copy.issue_mapping(world.mirror, Iid(2)).await.unwrap(),
        None
    );
}

async fn what_is_owed_is_due_in_a_copy_at_once_whoever_has_it_in_hand(world: World) {
    let _in_hand = world.working_on(1).await;
    world.owe_changed(2).await;
    let elsewhere = world.another_mirror(2).await;
    let other = mirror_core::job::Job::SyncIssue {
        mirror: elsewhere,
        iid: Iid(9),
    };
    let owe = mirror_store::Owe::changed(other, mirror_core::job::Priority::ByHand);
    world.store.owe(&[owe]).await.unwrap();
    let copy = world.store.copy_of(world.mirror).await.unwrap();
    let mut keys = Vec::new();
    for claimed in copy.claim(9, 9, crate::world::LEASE).await.unwrap() {
        keys.push(claimed.key);
    }
    keys.sort();
    let mirror = world.mirror;
    let owed = [1, 2].map(|iid| format!("sync_issue/{mirror}/{iid}"));
    assert_eq!(keys, owed);
    let due = world.store.due(mirror).await.unwrap();
    assert_eq!((due.pending, due.running), (1, 1), "nothing was taken away");
}

async fn a_mirror_with_many_issues_is_copied_whole(world: World) {
    let fence = world.working_on(1).await;
    for iid in 1..=350 {
        let mapped = world.mapped(iid, 10_000 + iid);
        world.store.record_issue(&fence, &mapped).await.unwrap();
    }
    let copy = world.store.copy_of(world.mirror).await.unwrap();
    assert_eq!(copy.copied(world.mirror).await.unwrap().len(), 350);
}

async fn there_is_no_copy_of_a_mirror_that_is_not_there(world: World) {
    let none = world.store.copy_of(MirrorId(999)).await;
    assert!(matches!(none, Err(StoreError::NoSuchMirror(MirrorId(999)))));
}
