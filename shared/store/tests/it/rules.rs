//! The rules of a mirror.

use crate::world::{World, at, stories};
use mirror_core::{
    ids::MirrorId,
    job::{Job, Priority},
};
use mirror_store::{Owe, Schedule, StoreError};

stories! {
    rules_are_kept_until_they_are_set_anew
    rules_that_change_during_a_walk_are_not_taken_for_walked
}

async fn rules_are_kept_until_they_are_set_anew(world: World) {
    let store = &world.store;
    let none = store.rules(world.mirror).await.unwrap();
    assert_eq!((none.text.as_str(), none.walked.as_deref()), ("", Some("")));
    let schedule = Schedule {
        next_scan_at: Some(at(500)),
        ..store.schedule(world.mirror).await.unwrap()
    };
    store.set_schedule(world.mirror, &schedule).await.unwrap();
    assert!(store.set_rules(world.mirror, "a", at(5)).await.unwrap());
    let kept = store.rules(world.mirror).await.unwrap();
    assert_eq!((kept.text.as_str(), kept.walked), ("a", None));
    assert_eq!(kept.known_at, Some(at(5)));
    let scan = |schedule: Schedule| schedule.next_scan_at;
    let next = store.schedule(world.mirror).await.map(scan).unwrap();
    assert_eq!(next, Some(at(5)), "the next scan is not far");
    assert!(!store.set_rules(world.mirror, "a", at(9)).await.unwrap());
    let again = store.rules(world.mirror).await.unwrap();
    assert_eq!(again.known_at, Some(at(5)));
    let nobody = store.set_rules(MirrorId(99), "a", at(5)).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchMirror(_))));
}

async fn rules_that_change_during_a_walk_are_not_taken_for_walked(world: World) {
    let store = &world.store;
    let mirror = world.mirror;
    let scan = Owe::changed(Job::ScanMirror { mirror }, Priority::ByHand);
    store.owe(&[scan]).await.unwrap();
    let fence = world.start_next().await.fence;
    store.set_rules(mirror, "a", at(0)).await.unwrap();
    let walked = |text, digest| store.record_rules_walked(&fence, mirror, text, digest);
    walked("", "").await.unwrap();
    assert_eq!(store.rules(mirror).await.unwrap().walked, None);
    walked("a", "digest").await.unwrap();
    let kept = store.rules(mirror).await.unwrap();
    assert_eq!(kept.walked.as_deref(), Some("digest"));
}
