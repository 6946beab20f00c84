//! Many at one PostgreSQL database: each with connections of its own, all at once.

use crate::world::{ALL, LEASE, World, instance, target_issue};
use mirror_core::{
    ids::{Iid, IssueId, MirrorId},
    job::{Job, Priority},
    mapping::IssueMapping,
    outcome::Outcome,
};
use mirror_store::{
    Adoption, DueMirror, End, Fence, Owe, RunKind, RunRequest, Schedule, Store, StoreError,
    TargetWalk, Turn,
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const DONE: End<'static> = End::Done {
    outcome: &Outcome::Unchanged,
};

async fn owe(world: &World, issues: impl IntoIterator<Item = i64>) {
    let owes: Vec<Owe> = issues
        .into_iter()
        .map(|iid| Owe::changed(world.issue(iid), Priority::Incremental))
        .collect();
    world.store.owe(&owes).await.unwrap();
}

async fn all<T: Send + 'static>(stores: Vec<Store>, task: impl AsyncTask<T>) -> Vec<T> {
    let tasks: Vec<_> = stores
        .into_iter()
        .map(|store| tokio::spawn(task.run(store)))
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// What each of many does with a store of its own.
trait AsyncTask<T> {
    fn run(&self, store: Store) -> impl Future<Output = T> + Send + 'static;
}

impl<T, F: Fn(Store) -> R, R: Future<Output = T> + Send + 'static> AsyncTask<T> for F {
    fn run(&self, store: Store) -> impl Future<Output = T> + Send + 'static {
        self(store)
    }
}

async fn many(world: &World, count: usize) -> Vec<Store> {
    let mut stores = Vec::new();
    for _ in 0..count {
        stores.push(world.beside().await);
    }
    stores
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_claimers_take_each_row_once() {
    let world = World::on_postgres().await;
    owe(&world, 1..=400).await;
    let mirror = world.mirror;
    let claimed = all(many(&world, 8).await, move |store: Store| async move {
        let mut mine = Vec::new();
        while store.due(mirror).await.unwrap().pending > 0 {
            for claimed in store.claim(9, ALL, LEASE).await.unwrap() {
                let started = store.start(claimed.ticket, "worker", LEASE).await;
                let fence = started.unwrap().expect("nobody else has the ticket").fence;
                store.end(&fence, DONE).await.unwrap();
                mine.push(claimed.key);
            }
        }
        mine
    });
    let claimed: Vec<String> = claimed.await.into_iter().flatten().collect();
    assert_eq!(claimed.len(), 400);
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), 400);
    let due = world.store.due(world.mirror).await.unwrap();
    assert_eq!((due.queued, due.running), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claimers_together_leave_the_window_of_a_mirror_as_it_is() {
    let world = World::on_postgres().await;
    owe(&world, 1..=100).await;
    let taken = all(many(&world, 8).await, |store: Store| async move {
        store.claim(50, 10, LEASE).await.unwrap().len()
    });
    assert_eq!(taken.await.into_iter().sum::<usize>(), 10);
    assert_eq!(world.store.due(world.mirror).await.unwrap().queued, 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_schedulers_one_takes_each_turn() {
    let world = World::on_postgres().await;
    let mirror = world.mirror;
    let schedule = world.store.schedule(mirror).await.unwrap();
    for turn in 0..5 {
        let due_at = world.store.now();
        let schedule = Schedule {
            next_scan_at: Some(due_at),
            ..schedule.clone()
        };
        world.store.set_schedule(mirror, &schedule).await.unwrap();
        let taken = all(many(&world, 4).await, move |store: Store| async move {
            let mut taken = 0;
            for due in store.due_mirrors(10).await.unwrap() {
                taken += usize::from(store.take_turn(&next(due)).await.unwrap().is_some());
            }
            taken
        });
        assert_eq!(taken.await.into_iter().sum::<usize>(), 1, "turn {turn}");
        let runs = world.store.runs(mirror, 99).await.unwrap();
        assert_eq!(runs.len(), 1, "later turns join the run that is under way");
    }
}

fn next(due: DueMirror) -> Turn {
    Turn {
        next_scan_at: due.due_at + due.interval,
        next_full_at: None,
        full: false,
        due,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_registered_by_many_at_once_is_one() {
    let world = World::on_postgres().await;
    let ids = all(many(&world, 6).await, |store: Store| async move {
        instance(&store, "gitlab.new").await
    });
    let ids: BTreeSet<_> = ids.await.into_iter().collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_lost_in_the_middle_of_a_record_is_either_before_it_or_after() {
    let world = World::on_postgres().await;
    let sweeper = world.beside().await;
    for iid in 1..=30 {
        let fence = world.working_on(iid).await;
        world.advance(LEASE.as_secs());
        let mapping = world.mapped(iid, 500 + iid);
        let record = world.store.record_issue(&fence, &mapping);
        let (recorded, swept) = tokio::join!(record, sweeper.sweep(10));
        // Whoever holds the row while the sweep passes keeps it until the next one.
        let returned = swept.unwrap().returned + sweeper.sweep(10).await.unwrap().returned;
        assert_eq!(returned, 1);
        match recorded {
            Ok(()) => {}
            Err(StoreError::Fenced) => {}
            Err(error) => panic!("{error}"),
        }
        let stored = world.store.issue_mapping(world.mirror, Iid(iid)).await;
        assert_eq!(stored.unwrap().is_some(), recorded.is_ok());
        let late = world.store.record_issue(&fence, &mapping).await;
        assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
        // The refused record may be rolling back still; a claim passes by a row that is held.
        let claimed = loop {
            let claimed = world.store.claim(1, ALL, LEASE).await.unwrap();
            if let Some(claimed) = claimed.into_iter().next() {
                break claimed;
            }
        };
        let held = world.store.start(claimed.ticket, "worker", LEASE).await;
        let held = held.unwrap().expect("the ticket is good").fence;
        world.store.end(&held, DONE).await.unwrap();
    }
}

/// Everything that holds many rows, in whatever order its caller found them, beside everything else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_in_a_circle() {
    let world = World::on_postgres().await;
    let settings = Arc::new(Settings {
        mirror: world.mirror,
        issues: 40,
        mapped: world.mapped(1, 501),
    });
    owe(&world, 1..=settings.issues).await;
    world.request(RunKind::Full).await;
    let kinds = AtomicUsize::new(0);
    let outcomes = all(many(&world, 7).await, move |store: Store| {
        let kind = kinds.fetch_add(1, Ordering::Relaxed);
        let settings = Arc::clone(&settings);
        async move {
            for round in 0..25 {
                one_of_many(&store, &settings, kind, round).await?;
            }
            Ok::<(), StoreError>(())
        }
    });
    for outcome in outcomes.await {
        outcome.unwrap();
    }
}

struct Settings {
    mirror: MirrorId,
    issues: i64,
    mapped: IssueMapping,
}

impl Settings {
    fn mapping(&self, iid: i64) -> IssueMapping {
        IssueMapping {
            source_iid: Iid(iid),
            source_id: IssueId(10_000 + iid),
            target: Some(target_issue(500 + iid)),
            ..self.mapped.clone()
        }
    }
}

async fn one_of_many(
    store: &Store,
    world: &Settings,
    kind: usize,
    round: usize,
) -> Result<(), StoreError> {
    let mirror = world.mirror;
    match kind {
        0 => owe_backwards(store, mirror, world.issues).await,
        1 if round.is_multiple_of(5) => {
            store.pause_mirror(mirror, "a test").await?;
            store.resume_mirror(mirror).await
        }
        2 => {
            store.sweep(100).await?;
            store.retry_dead(mirror).await?;
            store.complete_runs().await.map(drop)
        }
        3 => {
            let run = store
                .request_run(&asked(mirror, &[Job::ScanMirror { mirror }]))
                .await?;
            if round.is_multiple_of(3) {
                ignore(store.cancel_run(run.run).await)?;
            }
            Ok(())
        }
        4 => {
            let schedule = Schedule {
                next_scan_at: Some(store.now()),
                ..store.schedule(mirror).await?
            };
            store.set_schedule(mirror, &schedule).await?;
            for due in store.due_mirrors(10).await? {
                store.take_turn(&next(due)).await?;
            }
            Ok(())
        }
        _ => work(store, world).await,
    }
}

fn asked(mirror: MirrorId, jobs: &[Job]) -> RunRequest<'_> {
    RunRequest {
        mirror,
        kind: RunKind::Incremental,
        jobs,
        priority: Priority::ByHand,
        by: "somebody",
    }
}

fn job(mirror: MirrorId, iid: i64) -> Job {
    Job::SyncIssue {
        mirror,
        iid: Iid(iid),
    }
}

async fn owe_backwards(store: &Store, mirror: MirrorId, issues: i64) -> Result<(), StoreError> {
    let owes: Vec<Owe> = (1..=issues)
        .rev()
        .map(|iid| Owe::changed(job(mirror, iid), Priority::ByHand))
        .collect();
    store.owe(&owes).await
}

/// One claim, worked off as scans and issues are; what was lost meanwhile is lost.
async fn work(store: &Store, world: &Settings) -> Result<(), StoreError> {
    for claimed in store.claim(8, ALL, LEASE).await? {
        let Some(started) = store.start(claimed.ticket, "worker", LEASE).await? else {
            continue;
        };
        let fence = &started.fence;
        let done = match started.job.unwrap() {
            Job::SyncIssue { iid, .. } => {
                let mapping = world.mapping(iid.0);
                ignore(store.record_issue(fence, &mapping).await)?
            }
            Job::ScanMirror { .. }
            | Job::TransferUpload { .. }
            | Job::CheckInstance { .. }
            | Job::Errand { .. } => walk(store, fence, world).await?,
        };
        if done {
            ignore(store.end(fence, DONE).await)?;
        }
    }
    Ok(())
}

async fn walk(store: &Store, fence: &Fence, world: &Settings) -> Result<bool, StoreError> {
    let issues = (1..=world.issues).rev();
    let touched: Vec<Owe> = issues
        .clone()
        .map(|iid| Owe::changed(job(world.mirror, iid), Priority::Incremental))
        .collect();
    let found: Vec<Adoption> = issues
        .map(|iid| Adoption {
            source_iid: Iid(iid),
            source_id: IssueId(10_000 + iid),
            target: target_issue(500 + iid),
        })
        .collect();
    let walk = TargetWalk {
        adoptions: &found,
        owed: &touched,
        watermark: Some(store.now()),
        ..TargetWalk::default()
    };
    let walked = store.record_target_walk(fence, world.mirror, &walk);
    Ok(ignore(walked.await.map(drop))?
        && ignore(store.record_full_walk(fence, world.mirror).await)?
        && ignore(store.forget_fingerprints(fence, world.mirror, None).await)?)
}

/// Whether it was done; not, where somebody else was first.
fn ignore(done: Result<(), StoreError>) -> Result<bool, StoreError> {
    match done {
        Ok(()) => Ok(true),
        Err(StoreError::Fenced | StoreError::NoSuchRun(_)) => Ok(false),
        Err(error) => Err(error),
    }
}
