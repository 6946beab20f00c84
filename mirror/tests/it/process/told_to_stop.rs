//! Ctrl-C and SIGTERM.

use super::{
    oracle,
    stage::{Ended, Stage, finish, within},
    world,
};
use gitlab_sim::{Hook, HookVerdict, Phase};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::{process::Command, sync::Notify};

/// Sends the signal while the target's `request`-th request is under way, lets that go on, and
/// waits for the end.
async fn stopped(stage: &Stage, signal: &str, request: u64) -> Ended {
    let (arrived, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let count = Arc::new(AtomicU64::new(0));
    let hook: Hook = {
        let (arrived, go) = (arrived.clone(), go.clone());
        Arc::new(move |event| {
            let number = if event.phase == Phase::Before {
                count.fetch_add(1, Ordering::SeqCst) + 1
            } else {
                0
            };
            let (arrived, go) = (arrived.clone(), go.clone());
            Box::pin(async move {
                if number == request {
                    arrived.notify_one();
                }
                if number >= request {
                    go.notified().await;
                    go.notify_one();
                }
                HookVerdict::Go
            })
        })
    };
    stage.target.sim.set_hook(hook);
    let child = stage
        .command("sync", &["--include-closed"])
        .spawn()
        .unwrap();
    within(arrived.notified()).await;
    let sent = Command::new("kill")
        .args([signal, &child.id().unwrap().to_string()])
        .status()
        .await
        .unwrap();
    assert!(sent.success());
    go.notify_one();
    let ended = finish(child).await;
    stage.target.sim.clear_hook();
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_in_the_middle_ends_it_cleanly_and_the_next_run_goes_on() {
    for signal in ["-INT", "-TERM"] {
        for request in [12, 40, 77] {
            let stage = Stage::new().await;
            world::fill(&stage.source, 24);
            let ended = stopped(&stage, signal, request).await;
            assert_eq!(ended.code, Some(1), "{signal} {request}: {ended:?}");
            assert!(
                ended
                    .out
                    .contains("stopped on request; the next run goes on"),
                "{ended:?}"
            );
            let ours = stage.target.writes();
            let unanswered = ours.iter().filter(|one| one.status.is_none());
            assert_eq!(unanswered.count(), 0, "no request was abandoned");
            // What was under way was recorded, so nothing is waited for.
            stage.sync_well(&[]).await;
            oracle::mirrored(&stage);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_during_set_up_ends_it_too() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 2);
    let ended = stopped(&stage, "-TERM", 1).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(stage.target.writes().is_empty());
    stage.sync_well(&[]).await;
    oracle::mirrored(&stage);
}
