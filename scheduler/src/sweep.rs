//! Takes back what lost its worker.

use crate::{outage::Outage, prune::prune_once};
use chrono::{DateTime, Utc};
use mirror_core::ports::Clock;
use mirror_store::{Store, StoreError, Swept};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Rows in one transaction: others want to write as well.
const BATCH: u32 = 200;

/// How often lost work is looked for. When it is lost is decided by the leases; this comes on top
/// of them. Where nothing was lost, a look is one probe of a small index.
const EVERY: Duration = Duration::from_secs(1);

/// In this time every living worker renews its leases: half of the usual lease, which is renewed at
/// a third.
const RENEWED: Duration = Duration::from_secs(5);

/// In this time every process has asked for the server's time again and renewed its leases by it.
const ALL_KNOW: Duration = Duration::from_secs(40);

/// The store's time may be ahead of the clock that never jumps by so much from look to look.
const JUMP: Duration = Duration::from_secs(1);

/// How often old history is looked for, in sweeps: every ten minutes.
const PRUNE_EVERY: u32 = 600;

/// Takes back all rows whose lease has ended.
///
/// # Errors
/// The store fails.
pub async fn sweep_once(store: &Store) -> Result<Swept, StoreError> {
    sweep_as_of(store, store.now()).await
}

async fn sweep_as_of(store: &Store, now: DateTime<Utc>) -> Result<Swept, StoreError> {
    let mut all = Swept::default();
    loop {
        let swept = store.sweep_as_of(now, BATCH).await?;
        all.returned = all.returned.saturating_add(swept.returned);
        all.dead = all.dead.saturating_add(swept.dead);
        if swept.returned.saturating_add(swept.dead) < u64::from(BATCH) {
            return Ok(all);
        }
    }
}

/// Sweeps on and on until `shutdown` is asked for, and prunes now and then. `wake` hears when
/// something became due again. Leases are believed only once every living worker has had the time
/// to renew its own: a while after the beginning, after an outage of the database, and after the
/// store's time has jumped.
///
/// # Errors
/// The store fails for good; a passing failure is waited out.
pub async fn run(
    store: Store,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    let mut outage = Outage::new("lost work cannot be looked for; trying again");
    let mut belief = Belief::new(clock.monotonic(), store.now());
    let mut sweeps = 0_u32;
    while !shutdown.is_cancelled() {
        let prune = sweeps.is_multiple_of(PRUNE_EVERY);
        let now = store.now();
        // What has ended by then, whatever the clock does meanwhile.
        let ended_by = belief.in_leases(clock.monotonic(), now).then_some(now);
        let pause = match round(&store, ended_by, prune).await {
            Ok(swept) => {
                outage.is_over();
                report(swept);
                if swept.returned > 0 {
                    wake.notify_one();
                }
                sweeps = sweeps.wrapping_add(1);
                EVERY
            }
            Err(error) => {
                let pause = outage.pause(error)?;
                belief.wait(clock.monotonic().saturating_add(RENEWED));
                pause
            }
        };
        shutdown.run_until_cancelled(clock.sleep(pause)).await;
    }
    Ok(())
}

/// Whether leases that seem to have ended have ended.
#[derive(Debug)]
struct Belief {
    from: Duration,
    looked: (Duration, DateTime<Utc>),
}

impl Belief {
    fn new(monotonic: Duration, now: DateTime<Utc>) -> Self {
        Self {
            from: monotonic.saturating_add(RENEWED),
            looked: (monotonic, now),
        }
    }

    fn in_leases(&mut self, monotonic: Duration, now: DateTime<Utc>) -> bool {
        let (then, was) = std::mem::replace(&mut self.looked, (monotonic, now));
        let passed = now.signed_duration_since(was).to_std().unwrap_or_default();
        if passed > monotonic.saturating_sub(then).saturating_add(JUMP) {
            tracing::warn!(
                time.jumped_by = ?passed,
                "the time has jumped; leases are believed again when all have been renewed"
            );
            self.wait(monotonic.saturating_add(ALL_KNOW));
        }
        monotonic >= self.from
    }

    fn wait(&mut self, until: Duration) {
        self.from = self.from.max(until);
    }
}

async fn round(
    store: &Store,
    ended_by: Option<DateTime<Utc>>,
    prune: bool,
) -> Result<Swept, StoreError> {
    let swept = match ended_by {
        Some(now) => sweep_as_of(store, now).await?,
        None => {
            // It still has to be known when an outage is over.
            store.check().await?;
            Swept::default()
        }
    };
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
