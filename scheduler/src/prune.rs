//! Forgets what nobody will ask for.

use chrono::TimeDelta;
use mirror_store::{Store, StoreError};

/// Rows in one transaction: others want to write as well.
const BATCH: u32 = 500;

/// How long attempts, runs and errands are kept.
const KEEP: TimeDelta = TimeDelta::days(30);
/// How long runs of the schedule are kept that found nothing to do: with many mirrors nearly all.
const KEEP_UNEVENTFUL: TimeDelta = TimeDelta::days(1);
/// How long a worker is listed that gives no sign of life.
const KEEP_WORKERS: TimeDelta = TimeDelta::hours(1);

/// How long requests of hooks are known again that were taken; they are refused as too old long before.
const KEEP_RECEIPTS: TimeDelta = TimeDelta::hours(1);

/// How long a request that carries a key is answered as the first time.
const KEEP_ANSWERS: TimeDelta = TimeDelta::days(1);

/// What was forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pruned {
    /// Tries at work that ended more than thirty days ago.
    pub attempts: u64,
    /// Runs that began more than thirty days ago, or one day if the schedule asked for them and
    /// they found nothing to do.
    pub runs: u64,
    /// Workers without a sign of life for an hour.
    pub workers: u64,
    /// Errands that ended more than thirty days ago.
    pub errands: u64,
}

/// Forgets what is old.
///
/// # Errors
/// The store fails.
pub async fn prune_once(store: &Store) -> Result<Pruned, StoreError> {
    let now = store.now();
    let before = now - KEEP;
    let attempts = in_batches(|| store.prune_attempts(before, BATCH)).await?;
    let uneventful = now - KEEP_UNEVENTFUL;
    let runs = in_batches(|| store.prune_runs(before, uneventful, BATCH)).await?;
    let workers = store.prune_workers(now - KEEP_WORKERS).await?;
    store.prune_hook_receipts(now - KEEP_RECEIPTS).await?;
    in_batches(|| store.prune_requests(now - KEEP_ANSWERS, BATCH)).await?;
    let errands = in_batches(|| store.prune_errands(before, BATCH)).await?;
    Ok(Pruned {
        attempts,
        runs,
        workers,
        errands,
    })
}

async fn in_batches<F>(mut batch: impl FnMut() -> F) -> Result<u64, StoreError>
where
    F: Future<Output = Result<u64, StoreError>>,
{
    let mut all = 0_u64;
    loop {
        let pruned = batch().await?;
        all = all.saturating_add(pruned);
        if pruned < u64::from(BATCH) {
            return Ok(all);
        }
    }
}
