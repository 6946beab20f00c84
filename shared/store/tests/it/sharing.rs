//! Several at one file: processes, and calls that are cut short.

use crate::world::{ALL, LEASE, TestClock, World, stories};
use mirror_core::{
    ids::{Iid, NoteId},
    job::Priority,
    mapping::{Intended, NoteMapping},
};
use mirror_store::{Owe, Store, StoreError};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    future::Future,
    path::PathBuf,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

stories! {
    a_call_cut_short_anywhere_leaves_all_or_nothing
}

fn path(world: &World) -> PathBuf {
    world.folder.as_ref().unwrap().path().join("state.sqlite3")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_that_open_a_new_file_at_once_all_succeed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite3");
    let openers: Vec<_> = (0..6)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move {
                let clock = Arc::new(TestClock::default());
                Store::open(&path, clock).await.map(|store| store.now())
            })
        })
        .collect();
    for opener in openers {
        opener.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn two_processes_claim_and_record_beside_each_other() {
    let world = World::in_file().await;
    let other = Store::open(&path(&world), world.clock.clone())
        .await
        .unwrap();
    claim_and_record(world, other).await;
}

#[tokio::test]
async fn two_machines_claim_and_record_beside_each_other() {
    let world = World::on_postgres().await;
    let other = world.beside().await;
    claim_and_record(world, other).await;
}

async fn claim_and_record(world: World, other: Store) {
    let owes: Vec<Owe> = (1..=200)
        .map(|iid| Owe::changed(world.issue(iid), Priority::Backfill))
        .collect();
    world.store.owe(&owes).await.unwrap();
    let work = async |store: Store| {
        let mut done = 0;
        loop {
            let claimed = store.claim(7, ALL, LEASE).await.unwrap();
            if claimed.is_empty() {
                return done;
            }
            for claimed in claimed {
                let started = store.start(claimed.ticket, "worker", LEASE).await;
                let fence = started.unwrap().unwrap().fence;
                let iid = claimed.key.rsplit('/').next().unwrap().parse().unwrap();
                let mapping = world.mapped(iid, 5_000 + iid);
                store.record_issue(&fence, &mapping).await.unwrap();
                done += 1;
            }
        }
    };
    let (one, two) = tokio::join!(work(world.store.clone()), work(other));
    assert_eq!(one + two, 200);
    let all = world.store.all_mappings(world.mirror).await.unwrap();
    assert_eq!(all.len(), 200);
}

async fn lock_from_outside(world: &World) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path(world));
    let mut holder = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut holder)
        .await
        .unwrap();
    holder
}

#[tokio::test]
async fn a_record_waits_for_a_locked_database_until_the_lease_ends() {
    let world = World::in_file().await;
    let fence = world.working_on(1).await;
    let mapping = world.mapped(1, 501);

    let holder = lock_from_outside(&world).await;
    world.clock.before_next_sleep(move || drop(holder));
    world.store.record_issue(&fence, &mapping).await.unwrap();
    let found = world.store.issue_mapping(world.mirror, Iid(1)).await;
    assert_eq!(found.unwrap().as_ref(), Some(&mapping));

    let _holder = lock_from_outside(&world).await;
    world.clock.advance(LEASE + Duration::from_secs(1));
    let late = world.store.record_issue(&fence, &mapping).await;
    assert!(matches!(late, Err(StoreError::Busy)), "{late:?}");
}

/// Polled so often, then dropped: a task that is cancelled.
struct CutShort<F> {
    future: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for CutShort<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.future.as_mut().poll(cx).map(Some)
    }
}

async fn a_call_cut_short_anywhere_leaves_all_or_nothing(world: World) {
    let store = &world.store;
    let fence = world.working_on(1).await;
    store
        .record_issue(&fence, &world.mapped(1, 501))
        .await
        .unwrap();
    let mut whole = 0;
    for polls in 0..60 {
        let source_note = NoteId(100 + i64::try_from(polls).unwrap());
        let note = NoteMapping {
            source_note,
            source_discussion: "discussion".to_owned(),
            target_note: Some(source_note),
            target_discussion: None,
            fingerprint: None,
            skipped: None,
            base: None,
        };
        let what = Intended::Note { source_note };
        let begun = store.begin_intent(&fence, world.mirror, Iid(1), what);
        let intent = begun.await.unwrap().id;
        let record = store.record_note(&fence, world.mirror, Iid(1), &note, Some(intent), None);
        let cut = CutShort {
            future: Box::pin(record),
            polls,
        };
        let finished = cut.await.is_some();

        // The next writer has its turn after whatever became of it.
        assert!(store.heartbeat(&fence, LEASE).await.unwrap());
        let open = store.intents(world.mirror, Iid(1)).await.unwrap().len();
        let notes = store.note_mappings(world.mirror, Iid(1)).await.unwrap();
        let recorded = notes.iter().any(|note| note.source_note == source_note);
        assert_eq!(recorded, open == 0, "half of it was written");
        assert!(recorded || !finished);
        whole += usize::from(finished);
        if !recorded {
            store.drop_intent(&fence, intent).await.unwrap();
        }
    }
    assert!(whole > 0, "the longest was long enough to finish");
}
