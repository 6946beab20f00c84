//! `kill -9` at any moment, then run again: no duplicate, nothing missing.

use super::{
    oracle,
    stage::{Stage, finish, within},
    world,
};
use gitlab_sim::{Hook, HookVerdict, Phase};
use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{sync::Notify, task::JoinSet};

/// The boundaries: requests to both GitLabs, counted together.
const BOUNDARIES: u64 = 300;
/// Enough that a whole sync takes more requests than there are boundaries.
const ISSUES: u64 = 40;

/// Holds one request, before its effect or after it, and says so.
struct Trap {
    /// Which request, counted over both GitLabs.
    at: u64,
    phase: Phase,
    seen: AtomicU64,
    sprung: Notify,
}

impl Trap {
    /// Odd boundaries lie before the effect, even ones after it.
    fn at(boundary: u64) -> Arc<Self> {
        Arc::new(Self {
            at: boundary,
            phase: if boundary % 2 == 1 {
                Phase::Before
            } else {
                Phase::After
            },
            seen: AtomicU64::new(0),
            sprung: Notify::new(),
        })
    }

    /// The part of it that lies in one of the GitLabs.
    fn hook(self: &Arc<Self>) -> Hook {
        let trap = Arc::clone(self);
        // The number of the request that is meant, among this GitLab's own.
        let meant = Arc::new(AtomicU64::new(0));
        Arc::new(move |event| {
            if event.phase == Phase::Before
                && trap.seen.fetch_add(1, Ordering::SeqCst) + 1 == trap.at
            {
                meant.store(event.number, Ordering::SeqCst);
            }
            let here = event.phase == trap.phase && event.number == meant.load(Ordering::SeqCst);
            if here {
                trap.sprung.notify_one();
            }
            let verdict = if here {
                HookVerdict::Hang
            } else {
                HookVerdict::Go
            };
            Box::pin(std::future::ready(verdict))
        })
    }
}

async fn killed_at(boundary: u64) {
    let stage = Stage::new().await;
    world::fill(&stage.source, ISSUES);
    let trap = Trap::at(boundary);
    stage.source.sim.set_hook(trap.hook());
    stage.target.sim.set_hook(trap.hook());
    let arguments = ["--include-closed", "--late-landing", "0"];
    let mut child = stage.command("sync", &arguments).spawn().unwrap();
    within(trap.sprung.notified()).await;
    child.start_kill().unwrap();
    let killed = finish(child).await;
    assert_eq!(killed.code, None, "boundary {boundary}: {killed:?}");
    stage.source.sim.clear_hook();
    stage.target.sim.clear_hook();
    let again = stage.sync(&["--late-landing", "0"]).await;
    assert_eq!(again.code, Some(0), "boundary {boundary}: {again:?}");
    oracle::mirrored_after(&stage, &format!("boundary {boundary}"));
}

/// Two at a time: a process at work keeps a processor busy.
async fn killed_at_each_of(boundaries: RangeInclusive<u64>) {
    let (last, next) = (
        *boundaries.end(),
        Arc::new(AtomicU64::new(*boundaries.start())),
    );
    let mut lanes = JoinSet::new();
    for _ in 0..2 {
        let next = next.clone();
        lanes.spawn(async move {
            loop {
                let boundary = next.fetch_add(1, Ordering::SeqCst);
                if boundary > last {
                    break;
                }
                killed_at(boundary).await;
            }
        });
    }
    while let Some(ended) = lanes.join_next().await {
        if let Err(error) = ended {
            std::panic::resume_unwind(error.into_panic());
        }
    }
}

// In parts, so that a slow machine has time for each.

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_each_request_boundary_it_repeats_and_loses_nothing_part_1() {
    killed_at_each_of(1..=BOUNDARIES / 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_each_request_boundary_it_repeats_and_loses_nothing_part_2() {
    killed_at_each_of(BOUNDARIES / 3 + 1..=BOUNDARIES / 3 * 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_each_request_boundary_it_repeats_and_loses_nothing_part_3() {
    killed_at_each_of(BOUNDARIES / 3 * 2 + 1..=BOUNDARIES).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_sync_has_more_requests_than_boundaries() {
    let stage = Stage::new().await;
    world::fill(&stage.source, ISSUES);
    stage.sync_well(&["--late-landing", "0"]).await;
    let requests = stage.source.sim.requests().len() + stage.target.sim.requests().len();
    assert!(requests as u64 >= BOUNDARIES, "{requests}");
    oracle::mirrored(&stage);
}
