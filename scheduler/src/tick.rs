//! Owes the scans of mirrors whose turn has come, and ends runs that wait for nothing.
//!
//! Any number of schedulers may tick at once, without a leader: of those that find a mirror due one
//! takes its turn, because a turn is taken by moving it. When one is gone the others do not notice.

use crate::{outage::Outage, turn::turn_of};
use mirror_core::ports::{Clock, Entropy};
use mirror_store::{Store, StoreError};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often it is looked whose turn has come; turns are a second apart at least.
const EVERY: Duration = Duration::from_secs(1);

/// Due mirrors are looked for by so many.
const BATCH: u32 = 200;

/// After so many turns in one tick others get theirs first: ending runs, and being asked to stop.
const AT_MOST: usize = 1_000;

/// The server's time is asked again after so many ticks.
const ASK_TIME_EVERY: u32 = 30;

/// What a tick did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ticked {
    /// Turns taken: scans that are owed now.
    pub turns: usize,
    /// Of these, comparisons of everything.
    pub full: usize,
    /// Turns that another scheduler took.
    pub taken_by_others: usize,
    /// Runs that have ended.
    pub runs_ended: usize,
}

/// Takes the turns that have come and ends the runs that wait for nothing.
///
/// # Errors
/// The store fails. What was done until then is done; the rest is due still.
pub async fn tick_once(store: &Store, entropy: &dyn Entropy) -> Result<Ticked, StoreError> {
    let mut ticked = Ticked::default();
    loop {
        let due = store.due_mirrors(BATCH).await?;
        let found = due.len();
        for due in due {
            let turn = turn_of(due, store.now(), entropy);
            match store.take_turn(&turn).await {
                Ok(Some(_)) => {
                    ticked.turns += 1;
                    ticked.full += usize::from(turn.full);
                }
                Ok(None) => ticked.taken_by_others += 1,
                // Somebody removed it meanwhile.
                Err(StoreError::NoSuchMirror(_)) => {}
                Err(error) => return Err(error),
            }
        }
        if found < usize::try_from(BATCH).unwrap_or(0) || ticked.turns >= AT_MOST {
            break;
        }
    }
    ticked.runs_ended = store.complete_runs().await?.len();
    Ok(ticked)
}

/// Ticks at once, then every second until `shutdown` is asked for. `wake` hears when scans are owed.
/// On PostgreSQL it also keeps the store's idea of the server's time.
///
/// # Errors
/// The store fails for good; a passing failure is waited out.
pub async fn run(
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    let mut outage = Outage::new("turns cannot be taken; trying again");
    let mut ticks = 0_u32;
    while !shutdown.is_cancelled() {
        let pause = match tick(&store, &*entropy, ticks.is_multiple_of(ASK_TIME_EVERY)).await {
            Ok(ticked) => {
                outage.is_over();
                if ticked.turns > 0 {
                    wake.notify_one();
                }
                EVERY
            }
            Err(error) => outage.pause(error)?,
        };
        ticks = ticks.wrapping_add(1);
        shutdown.run_until_cancelled(clock.sleep(pause)).await;
    }
    Ok(())
}

async fn tick(store: &Store, entropy: &dyn Entropy, ask_time: bool) -> Result<Ticked, StoreError> {
    if ask_time {
        store.refresh_time().await?;
    }
    tick_once(store, entropy).await
}
