//! Tells that this worker is alive, for people and for finding out that none is.

use mirror_core::ports::Clock;
use mirror_runtime::process::Process;
use mirror_store::{NewWorker, Store};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const BEAT: Duration = Duration::from_secs(5);

/// Gives a sign of life at once, every five seconds, and when draining begins; begins it where a
/// person asks for that; in the end takes the worker off the list. A record that cannot be reached is tried again at the next beat.
pub(super) async fn run(
    store: &Store,
    process: &Process,
    concurrency: usize,
    clock: &dyn Clock,
    draining: &CancellationToken,
    ended: &CancellationToken,
) {
    let worker = NewWorker {
        name: &process.name,
        host: &process.host,
        pid: process.pid,
        version: env!("CARGO_PKG_VERSION"),
        concurrency,
    };
    while !ended.is_cancelled() {
        let drains = draining.is_cancelled();
        match store.worker_is_alive(&worker, drains).await {
            Ok(true) if !drains => {
                tracing::info!("a person asked this worker to take no new work");
                draining.cancel();
                continue;
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "no sign of life could be left; trying again"),
        }
        tokio::select! {
            () = ended.cancelled() => {}
            () = draining.cancelled(), if !drains => {}
            () = clock.sleep(BEAT) => {}
        }
    }
    if let Err(error) = store.worker_is_gone(&process.name).await {
        tracing::warn!(%error, "this worker stays on the list until it is forgotten");
    }
}
