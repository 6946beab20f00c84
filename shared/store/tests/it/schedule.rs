//! Turns: each taken once, however many schedulers look.

use crate::world::{World, at, stories};
use chrono::TimeDelta;
use mirror_core::{job::Priority, preserve::Preserve};
use mirror_store::{DueMirror, RunKind, Schedule, StoreError, Turn};

stories! {
    a_mirror_is_due_when_its_turn_comes_and_not_while_it_rests
    a_turn_is_taken_once
    a_turn_owes_a_scan_and_begins_a_run
    what_was_set_is_read_back
}

fn schedule() -> Schedule {
    Schedule {
        interval: TimeDelta::seconds(300),
        full_interval: Some(TimeDelta::days(1)),
        include_closed: true,
        mirrored_label: "COPY".to_owned(),
        max_attachment_size: 1_000,
        preserve: Preserve::Require,
        next_scan_at: Some(at(10)),
        next_full_at: None,
    }
}

fn turn(due: DueMirror, full: bool) -> Turn {
    Turn {
        due,
        full,
        next_scan_at: due.due_at + due.interval,
        next_full_at: Some(at(86_400)),
    }
}

async fn a_mirror_is_due_when_its_turn_comes_and_not_while_it_rests(world: World) {
    let store = &world.store;
    assert_eq!(
        store.next_turn().await.unwrap(),
        None,
        "nobody scheduled it"
    );
    store.set_schedule(world.mirror, &schedule()).await.unwrap();
    assert_eq!(store.next_turn().await.unwrap(), Some(at(10)));
    assert_eq!(store.due_mirrors(9).await.unwrap(), []);
    world.advance(10);
    let due = store.due_mirrors(9).await.unwrap();
    assert_eq!((due.len(), due[0].mirror), (1, world.mirror));
    assert_eq!(due[0].interval, TimeDelta::seconds(300));
    store.pause_mirror(world.mirror, "a rest").await.unwrap();
    assert_eq!(store.due_mirrors(9).await.unwrap(), []);
    assert_eq!(store.next_turn().await.unwrap(), None);
}

async fn a_turn_is_taken_once(world: World) {
    let store = &world.store;
    store.set_schedule(world.mirror, &schedule()).await.unwrap();
    world.advance(10);
    let due = store.due_mirrors(9).await.unwrap()[0];
    let turn = turn(due, false);
    let (one, other) = tokio::join!(store.take_turn(&turn), store.take_turn(&turn));
    let taken = [one.unwrap(), other.unwrap()];
    assert_eq!(taken.iter().flatten().count(), 1);
    assert_eq!(store.due_mirrors(9).await.unwrap(), []);
    assert_eq!(store.next_turn().await.unwrap(), Some(at(310)));
    assert_eq!(world.claim_all().await.len(), 1);
}

async fn a_turn_owes_a_scan_and_begins_a_run(world: World) {
    let store = &world.store;
    store.set_schedule(world.mirror, &schedule()).await.unwrap();
    for (full, kind, priority) in [
        (false, RunKind::Incremental, Priority::Incremental),
        (true, RunKind::Full, Priority::Backfill),
    ] {
        world.advance(310);
        let due = store.due_mirrors(9).await.unwrap()[0];
        let taken = store.take_turn(&turn(due, full)).await.unwrap().unwrap();
        assert_eq!(world.run(taken.run).await.kind, kind);
        assert_eq!(world.run(taken.run).await.requested_by, "schedule");
        let claimed = world.claim_one().await;
        assert_eq!(claimed.priority, priority);
        let started = store.start(claimed.ticket, "w", crate::world::LEASE).await;
        let fence = started.unwrap().unwrap().fence;
        let outcome = &mirror_core::outcome::Outcome::Scanned { owed: 0 };
        store
            .end(&fence, mirror_store::End::Done { outcome })
            .await
            .unwrap();
        store.complete_runs().await.unwrap();
    }
    assert_eq!(
        store.schedule(world.mirror).await.unwrap().next_full_at,
        Some(at(86_400))
    );
}

async fn what_was_set_is_read_back(world: World) {
    let store = &world.store;
    let before = store.schedule(world.mirror).await.unwrap();
    assert_eq!(before.next_scan_at, None);
    assert_eq!(before.mirrored_label, "MIRRORED");
    store.set_schedule(world.mirror, &schedule()).await.unwrap();
    assert_eq!(store.schedule(world.mirror).await.unwrap(), schedule());
    let nobody = mirror_core::ids::MirrorId(999);
    let set = store.set_schedule(nobody, &schedule()).await;
    assert!(matches!(set, Err(StoreError::NoSuchMirror(_))));
}
