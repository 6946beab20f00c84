//! Work that cannot be done: it neither kills the worker nor spins.

use crate::support::{LEASE, Stage, World, issue};
use mirror_core::job::{Job, Priority};
use mirror_store::{Owe, Store, WorkState};
use mirror_worker::{Event, Events, Settings};
use std::sync::Arc;

#[tokio::test]
async fn a_job_that_panics_is_a_dead_letter_and_the_worker_lives() {
    let mut world = World::new().await;
    let iid = world.write(issue(world.alice, "One"));
    world.run().await;
    let listener = std::mem::replace(
        &mut world.cx.events,
        Events::new(|event| {
            assert!(!matches!(event, Event::Scanned { .. }), "on purpose");
        }),
    );
    world.later(600);
    world.run().await;
    let rows = world.cx.store.unfinished(world.mirror, 10).await.unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0].state, WorkState::Dead);
    let error = rows[0].last_error.as_deref().unwrap();
    assert!(error.contains("panicked"), "{error}");
    assert!(world.cx.in_hand.is_empty());

    world.cx.events = listener;
    let second = world.write(issue(world.alice, "Two"));
    world.cx.store.retry_dead(world.mirror).await.unwrap();
    world.run().await;
    world.assert_mirrored([iid, second]);
    assert_eq!(world.unfinished().await, Vec::new());
}

/// A newer version's work: its key, in the file, is made one that nobody here knows.
async fn owed_by_a_newer_version() -> (World, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::in_file(Stage::new(), Settings::default(), &folder).await;
    let job = Job::ScanMirror {
        mirror: world.mirror,
    };
    let owes = [Owe::changed(job, Priority::Incremental)];
    world.cx.store.owe(&owes).await.unwrap();
    world.cx.store.close().await;
    let path = folder.path().join("state.sqlite3");
    let mut bytes = std::fs::read(&path).unwrap();
    let (known, newer) = (b"scan_mirror/", b"brew_coffee/");
    let places: Vec<usize> = bytes
        .windows(known.len())
        .enumerate()
        .filter_map(|(at, part)| (part == known).then_some(at))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + newer.len()].copy_from_slice(newer);
    }
    std::fs::write(&path, bytes).unwrap();
    let clock = Arc::new(world.clock.clone());
    world.cx.store = Store::open(&path, clock).await.unwrap();
    (world, folder)
}

#[tokio::test]
async fn work_of_a_newer_version_is_left_to_it_without_a_burnt_attempt_and_without_spinning() {
    let (world, _folder) = owed_by_a_newer_version().await;
    let store = &world.cx.store;
    let before = world.now();
    for tries in 1..4 {
        let claimed = store.claim(10, 10, LEASE).await.unwrap();
        assert_eq!(claimed.len(), 1);
        mirror_worker::execute(&world.cx, claimed[0].ticket).await;
        assert_eq!(store.claim(10, 10, LEASE).await.unwrap(), Vec::new());
        let rows = store.unfinished(world.mirror, 10).await.unwrap();
        assert_eq!(rows[0].state, WorkState::Pending);
        assert_eq!(rows[0].attempts, 0);
        assert!(rows[0].run_at >= before + chrono::TimeDelta::minutes(5 * tries));
        world.later(301);
    }
    assert_eq!(world.source_requests(), Vec::<String>::new());
}
