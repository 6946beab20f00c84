//! Takes back what lost its worker, and forgets what nobody will ask for.

use chrono::TimeDelta;
use mirror_core::ports::Clock;
use mirror_store::{Store, StoreError, Swept};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Rows in one transaction: others want to write as well.
const BATCH: u32 = 200;

/// How often lost work is looked for; well below the leases, which decide when it is lost.
const EVERY: Duration = Duration::from_secs(15);

/// How often old history is looked for, in sweeps.
const PRUNE_EVERY: u32 = 240;

/// How long the history of attempts is kept.
const KEEP: TimeDelta = TimeDelta::days(30);

/// Takes back all rows whose lease has ended.
///
/// # Errors
/// The store fails.
pub async fn sweep_once(store: &Store) -> Result<Swept, StoreError> {
    let mut all = Swept::default();
    loop {
        let swept = store.sweep(BATCH).await?;
        all.returned = all.returned.saturating_add(swept.returned);
        all.dead = all.dead.saturating_add(swept.dead);
        if swept.returned.saturating_add(swept.dead) < u64::from(BATCH) {
            return Ok(all);
        }
    }
}

/// Forgets the attempts that ended more than thirty days ago; returns how many.
///
/// # Errors
/// The store fails.
pub async fn prune_once(store: &Store) -> Result<u64, StoreError> {
    let before = store.now() - KEEP;
    let mut all = 0_u64;
    loop {
        let pruned = store.prune_attempts(before, BATCH).await?;
        all = all.saturating_add(pruned);
        if pruned < u64::from(BATCH) {
            return Ok(all);
        }
    }
}

/// Sweeps at once, then on and on until `shutdown` is asked for, and prunes now and then. `wake`
/// hears when something became due again.
///
/// # Errors
/// The store fails for good; a passing failure is waited out.
pub async fn run(
    store: Store,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    let mut sweeps = 0_u32;
    while !shutdown.is_cancelled() {
        match round(&store, sweeps.is_multiple_of(PRUNE_EVERY)).await {
            Ok(swept) => {
                report(swept);
                if swept.returned > 0 {
                    wake.notify_one();
                }
            }
            Err(error) if error.is_transient() => {
                tracing::warn!(error = %error, "lost work could not be looked for; trying again");
            }
            Err(error) => return Err(error),
        }
        sweeps = sweeps.wrapping_add(1);
        shutdown.run_until_cancelled(clock.sleep(EVERY)).await;
    }
    Ok(())
}

async fn round(store: &Store, prune: bool) -> Result<Swept, StoreError> {
    let swept = sweep_once(store).await?;
    if prune {
        prune_once(store).await?;
    }
    Ok(swept)
}

fn report(swept: Swept) {
    let Swept { returned, dead } = swept;
    if returned > 0 {
        tracing::warn!(
            work.returned = returned,
            "work that lost its worker is due again"
        );
    }
    if dead > 0 {
        tracing::error!(
            work.dead = dead,
            "work that lost its worker again and again was given up"
        );
    }
}
