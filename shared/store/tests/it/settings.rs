//! All that is set about a mirror, in one.

use crate::world::{World, at, stories};
use chrono::TimeDelta;
use mirror_core::{ids::MirrorId, merge::EditPolicy, preserve::Preserve};
use mirror_store::{Changed, Settings, StoreError};

stories! {
    what_was_changed_at_once_is_read_back_at_once
    who_decided_on_an_older_state_changes_nothing
    every_setter_moves_the_revision
    a_mirror_in_the_opposite_direction_may_have_sent_something_back
    a_turn_that_is_due_is_not_put_off_by_a_change
}

async fn settings(world: &World) -> Settings {
    world.store.settings(world.mirror).await.unwrap()
}

async fn change(world: &World, expected: Option<i64>, wanted: &Settings) -> Changed {
    let changed = world.store.change_settings(world.mirror, expected, wanted);
    changed.await.unwrap()
}

async fn what_was_changed_at_once_is_read_back_at_once(world: World) {
    let before = settings(&world).await;
    assert!(!before.came_back && before.pair.is_none());
    let mut wanted = before.clone();
    wanted.schedule.interval = TimeDelta::seconds(77);
    wanted.schedule.full_interval = None;
    wanted.schedule.include_closed = true;
    wanted.schedule.mirrored_label = "COPY".to_owned();
    wanted.schedule.max_attachment_size = 5;
    wanted.schedule.preserve = Preserve::Never;
    wanted.schedule.next_scan_at = Some(at(0));
    wanted.caution.exposes_files = true;
    wanted.caution.breaker.count = 3;
    wanted.caution.breaker.percent = 4;
    wanted.issue_links = true;
    wanted.on_edit = EditPolicy::Protect;
    wanted.rules.text = "{\"labels\":{\"prefix\":\"a::\"}}".to_owned();
    let to = change(&world, Some(before.revision), &wanted).await;
    wanted.revision = before.revision + 1;
    assert_eq!(to, Changed::To(wanted.revision));
    let read = settings(&world).await;
    assert!(read.rules.known_at.is_some_and(|known| known > at(0)));
    wanted.rules = read.rules.clone();
    assert_eq!(read.rules.walked, None);
    assert_eq!(read, wanted);
    let nobody = world.store.settings(MirrorId(99)).await;
    assert!(matches!(nobody, Err(StoreError::NoSuchMirror(_))));
    let nobody = world.store.change_settings(MirrorId(99), None, &wanted);
    assert!(matches!(nobody.await, Err(StoreError::NoSuchMirror(_))));
}

async fn who_decided_on_an_older_state_changes_nothing(world: World) {
    let before = settings(&world).await;
    let mut wanted = before.clone();
    wanted.schedule.include_closed = true;
    change(&world, Some(before.revision), &wanted).await;
    let stood = settings(&world).await;
    wanted.schedule.include_closed = false;
    wanted.rules.text = "{}".to_owned();
    let second = change(&world, Some(before.revision), &wanted).await;
    assert_eq!(second, Changed::Meanwhile);
    assert_eq!(settings(&world).await, stood);
    assert!(matches!(
        change(&world, None, &wanted).await,
        Changed::To(_)
    ));
}

async fn every_setter_moves_the_revision(world: World) {
    let store = &world.store;
    let mut seen = vec![settings(&world).await.revision];
    let schedule = store.schedule(world.mirror).await.unwrap();
    store.set_schedule(world.mirror, &schedule).await.unwrap();
    seen.push(settings(&world).await.revision);
    let caution = store.caution(world.mirror).await.unwrap();
    store.set_caution(world.mirror, &caution).await.unwrap();
    seen.push(settings(&world).await.revision);
    store.set_issue_links(world.mirror, true).await.unwrap();
    seen.push(settings(&world).await.revision);
    let protect = EditPolicy::Protect;
    store.set_edit_policy(world.mirror, protect).await.unwrap();
    seen.push(settings(&world).await.revision);
    let first = seen[0];
    let steps: Vec<i64> = seen.iter().map(|revision| revision - first).collect();
    assert_eq!(steps, [0, 1, 2, 3, 4]);
}

async fn a_mirror_in_the_opposite_direction_may_have_sent_something_back(world: World) {
    let there = world.new_mirror(1);
    let back = mirror_store::NewMirror {
        source: there.target,
        target: there.source,
    };
    let back = world.store.ensure_mirror(&back).await.unwrap();
    assert!(settings(&world).await.came_back);
    assert!(world.store.settings(back.id).await.unwrap().came_back);
    let other = world.another_mirror(2).await;
    assert!(!world.store.settings(other).await.unwrap().came_back);
}

async fn a_turn_that_is_due_is_not_put_off_by_a_change(world: World) {
    let mut wanted = settings(&world).await;
    wanted.schedule.next_scan_at = Some(at(0));
    change(&world, None, &wanted).await;
    world.advance(10);
    change(&world, None, &wanted).await;
    assert_eq!(settings(&world).await.schedule.next_scan_at, Some(at(0)));
    wanted.schedule.next_scan_at = None;
    change(&world, None, &wanted).await;
    assert_eq!(settings(&world).await.schedule.next_scan_at, None);
}
