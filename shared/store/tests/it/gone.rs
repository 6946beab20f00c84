//! Issues that are gone at the source.

use crate::world::{World, at, stories};
use mirror_core::{
    gone::{Breaker, OnDelete, Sight},
    ids::{Iid, MirrorId},
    mapping::{IssueMapping, MappingStatus},
    outcome::Outcome,
};
use mirror_store::{Caution, End, Fence, Missed, StoreError};

stories! {
    an_issue_is_missed_from_its_first_time_on
    what_has_followed_is_not_looked_for_again
    what_waits_for_a_person_is_owed_when_released
    what_both_sides_lost_is_forgotten_whole
    the_most_that_was_seen_is_kept
    caution_is_kept_for_each_mirror
}

impl World {
    async fn miss(&self, fence: &Fence, iid: i64) -> Missed {
        let missed = self.store.miss_issue(fence, self.mirror, Iid(iid)).await;
        missed.unwrap()
    }

    async fn save(&self, fence: &Fence, mapping: &IssueMapping) {
        self.store.record_issue(fence, mapping).await.unwrap();
    }

    async fn looks(&self, until: i64) -> Vec<i64> {
        let looks = self.store.second_looks(self.mirror, at(until)).await;
        looks.unwrap().into_iter().map(|iid| iid.0).collect()
    }

    async fn copied(&self) -> Vec<i64> {
        let copied = self.store.copied(self.mirror).await.unwrap();
        copied.into_iter().map(|iid| iid.0).collect()
    }

    async fn waiting(&self) -> (u64, u64, Option<u64>) {
        let removals = self.store.removals(self.mirror).await.unwrap();
        (removals.waiting, removals.copies, removals.held)
    }
}

async fn an_issue_is_missed_from_its_first_time_on(world: World) {
    let fence = world.working_on(1).await;
    let first = world.miss(&fence, 1).await;
    assert_eq!((first.released, first.settled), (false, false));
    let began = first.since;
    world.advance(20);
    assert_eq!(world.miss(&fence, 1).await.since, began);
    assert_eq!(world.looks(-1).await, Vec::<i64>::new());
    assert_eq!(world.looks(0).await, [1]);

    let seen = world.store.forget_missed(&fence, world.mirror, Iid(1));
    seen.await.unwrap();
    assert_eq!(world.looks(60).await, Vec::<i64>::new());
    assert!(world.miss(&fence, 1).await.since > began);

    world.advance(3_600);
    world.store.sweep(100).await.unwrap();
    let late = world.store.miss_issue(&fence, world.mirror, Iid(2)).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
}

async fn what_has_followed_is_not_looked_for_again(world: World) {
    let fence = world.working_on(1).await;
    for iid in 1..=3 {
        world.save(&fence, &world.mapped(iid, 500 + iid)).await;
    }
    world.save(&fence, &world.mapping(4)).await;
    assert_eq!(world.copied().await, [1, 2, 3]);
    world.miss(&fence, 1).await;
    world.miss(&fence, 2).await;
    assert_eq!(world.waiting().await, (2, 3, None));

    let closed = IssueMapping {
        status: MappingStatus::Skipped("deleted".into()),
        ..world.mapped(1, 501)
    };
    world.store.record_gone(&fence, &closed).await.unwrap();
    assert_eq!(world.copied().await, [2, 3]);
    assert_eq!(world.looks(60).await, [2]);
    assert_eq!(world.waiting().await, (1, 3, None));
    assert!(world.miss(&fence, 1).await.settled);
    let known = world.store.issue_mapping(world.mirror, Iid(1)).await;
    assert_eq!(known.unwrap(), Some(closed));
}

async fn what_waits_for_a_person_is_owed_when_released(world: World) {
    let store = &world.store;
    let fence = world.working_on(1).await;
    for iid in [1, 2] {
        world.miss(&fence, iid).await;
    }
    store
        .hold_removals(&fence, world.mirror, Some(2))
        .await
        .unwrap();
    assert_eq!(world.waiting().await, (2, 0, Some(2)));
    assert_eq!(world.looks(60).await, Vec::<i64>::new(), "nobody asks");
    let done = End::Done {
        outcome: &Outcome::Unchanged,
    };
    store.end(&fence, done).await.unwrap();

    assert_eq!(store.release_removals(world.mirror).await.unwrap(), 2);
    assert_eq!(world.waiting().await, (0, 0, None));
    assert_eq!(world.looks(60).await, [1, 2]);
    let owed = world.claim_all().await;
    assert_eq!(owed.len(), 2);
    assert_eq!(
        store.release_removals(world.mirror).await.unwrap(),
        0,
        "once"
    );
    let none = store.release_removals(MirrorId(99)).await;
    assert!(matches!(none, Err(StoreError::NoSuchMirror(_))), "{none:?}");
}

async fn what_both_sides_lost_is_forgotten_whole(world: World) {
    let fence = world.working_on(1).await;
    world.save(&fence, &world.mapped(1, 501)).await;
    world.miss(&fence, 1).await;
    let forgotten = world.store.forget_issue(&fence, world.mirror, Iid(1));
    forgotten.await.unwrap();
    let known = world.store.issue_mapping(world.mirror, Iid(1)).await;
    assert_eq!(known.unwrap(), None);
    assert_eq!(world.waiting().await, (0, 0, None));
    // Should it come back, it is mirrored anew.
    world.save(&fence, &world.mapped(1, 502)).await;
    assert!(!world.miss(&fence, 1).await.settled);
}

async fn the_most_that_was_seen_is_kept(world: World) {
    let fence = world.working_on(1).await;
    let (store, mirror) = (&world.store, world.mirror);
    for (now, most) in [(15, 15), (50, 50), (20, 50)] {
        store.note_sight(&fence, mirror, Sight(now)).await.unwrap();
        let removals = store.removals(mirror).await.unwrap();
        assert_eq!(removals.sight, Some(Sight(most)));
    }
    store.release_removals(mirror).await.unwrap();
    assert_eq!(store.removals(mirror).await.unwrap().sight, None);
}

async fn caution_is_kept_for_each_mirror(world: World) {
    let store = &world.store;
    let other = world.another_mirror(2).await;
    let caution = Caution {
        on_delete: OnDelete::Delete,
        breaker: Breaker {
            count: 3,
            percent: 50,
        },
        exposes_files: true,
    };
    store.set_caution(other, &caution).await.unwrap();
    assert_eq!(store.caution(other).await.unwrap(), caution);
    let first = store.caution(world.mirror).await.unwrap();
    assert_eq!(first, Caution::default());
    let none = store.set_caution(MirrorId(99), &caution).await;
    assert!(matches!(none, Err(StoreError::NoSuchMirror(_))), "{none:?}");
}
