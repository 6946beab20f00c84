//! From the record to the workers: claims what is due, fairly, and sends its tickets.

use mirror_core::{ids::MirrorId, job::Ticket, ports::Clock};
use mirror_queue::delivery::Producer;
use mirror_store::{Claimed, Store, StoreError};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Work whose time comes is noticed this late at most; work that others cause wakes us at once.
const POLL: Duration = Duration::from_millis(500);

/// What may be out at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Of this mirror only: a process that has one mirror's tokens can do nothing for others.
    pub only: Option<MirrorId>,
    /// At most so many rows of one mirror, delivered or running. For a single mirror at least what
    /// the delivery and the workers hold together, or workers lie idle.
    pub per_mirror: usize,
    /// A ticket that was not started in this time is void. Longer than tickets wait in the
    /// delivery: a void ticket costs a second delivery.
    pub ticket_lease: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            only: None,
            per_mirror: 64,
            ticket_lease: Duration::from_secs(600),
        }
    }
}

/// Sends what is due, as far as the delivery has room; returns how many tickets went. What was
/// claimed and could not be sent is handed back.
///
/// # Errors
/// The store fails. Tickets that were claimed then run out by themselves.
pub async fn dispatch_once(
    store: &Store,
    producer: &Producer,
    window: &Window,
) -> Result<usize, StoreError> {
    let room = producer.try_room();
    if room == 0 {
        return Ok(0);
    }
    let claimed = match window.only {
        Some(mirror) => {
            let limit = room.min(window.per_mirror);
            store.claim_of(mirror, limit, window.ticket_lease).await?
        }
        None => {
            store
                .claim(room, window.per_mirror, window.ticket_lease)
                .await?
        }
    };
    send(store, producer, claimed).await
}

async fn send(
    store: &Store,
    producer: &Producer,
    claimed: Vec<Claimed>,
) -> Result<usize, StoreError> {
    let mut sent = 0;
    let mut claimed = claimed.into_iter().map(|claimed| claimed.ticket);
    for ticket in claimed.by_ref() {
        if producer.send(ticket).await.is_err() {
            hand_back(store, std::iter::once(ticket).chain(claimed)).await?;
            break;
        }
        sent += 1;
    }
    Ok(sent)
}

/// Gives tickets back to the record that were claimed and will not be started, so that they are
/// due again at once and not after their lease.
///
/// # Errors
/// The store fails.
pub async fn hand_back(
    store: &Store,
    tickets: impl IntoIterator<Item = Ticket>,
) -> Result<(), StoreError> {
    for ticket in tickets {
        store.unqueue(ticket).await?;
    }
    Ok(())
}

/// Dispatches until `shutdown` is asked for or nobody takes tickets any more. `wake` is for those
/// who owe: a scan that found issues, a job that set another free.
///
/// # Errors
/// The store fails for good; a passing failure is waited out.
pub async fn run(
    store: Store,
    producer: Producer,
    window: Window,
    clock: Arc<dyn Clock>,
    wake: Arc<Notify>,
    shutdown: CancellationToken,
) -> Result<(), StoreError> {
    while shutdown.run_until_cancelled(producer.room()).await == Some(true) {
        // Listening begins before looking, or what is owed in between would wait for the poll.
        let woken = wake.notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let sent = match dispatch_once(&store, &producer, &window).await {
            Ok(sent) => sent,
            Err(error) if error.is_transient() => {
                tracing::warn!(error = %error, "the record could not be read; trying again");
                0
            }
            Err(error) => return Err(error),
        };
        if sent == 0 {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = woken => {}
                () = clock.sleep(POLL) => {}
            }
        }
    }
    Ok(())
}
