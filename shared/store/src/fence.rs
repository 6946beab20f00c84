//! The proof of holding a row of work.

use crate::{Store, StoreError, database::Tx};
use mirror_core::ids::{TicketNumber, WorkId};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What [`Store::start`] gives: a row of work, the ticket under which it runs, and how long the
/// lease is good. Clones share the lease, so a heartbeat on one renews all.
#[derive(Clone, Debug)]
pub struct Fence {
    /// The row.
    pub work: WorkId,
    /// The dispatch.
    pub ticket: TicketNumber,
    /// When the lease ends, in microseconds of the clock that never jumps.
    lease_ends: Arc<AtomicU64>,
}

impl Fence {
    pub(crate) fn new(work: WorkId, ticket: TicketNumber, lease_ends: Duration) -> Self {
        Self {
            work,
            ticket,
            lease_ends: Arc::new(AtomicU64::new(as_micros(lease_ends))),
        }
    }

    pub(crate) fn renew(&self, lease_ends: Duration) {
        self.lease_ends
            .store(as_micros(lease_ends), Ordering::Release);
    }

    pub(crate) fn lease_ends(&self) -> Duration {
        Duration::from_micros(self.lease_ends.load(Ordering::Acquire))
    }
}

fn as_micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

// An update rather than a select: it also locks the row where several writers work at once.
const HOLD: &str = "\
UPDATE work SET updated_at = $3 WHERE id = $1 AND ticket = $2 AND state = 'running'";

impl Store {
    /// How much of the lease is left, by the clock that never jumps; zero when it has ended. To be
    /// asked just before a request that creates something is sent.
    pub fn lease_left(&self, fence: &Fence) -> Duration {
        fence.lease_ends().saturating_sub(self.clock().monotonic())
    }

    /// A durable transaction in which the row is known to run under the fence's ticket. Waits for
    /// a locked database until the lease ends.
    pub(crate) async fn begin_fenced(&self, fence: &Fence) -> Result<Tx, StoreError> {
        let mut tx = self.begin(self.lease_left(fence)).await?;
        let held = tx
            .query(HOLD)
            .bind(fence.work.0)
            .bind(fence.ticket.0)
            .bind(self.now())
            .execute()
            .await?;
        if held == 1 {
            Ok(tx)
        } else {
            Err(StoreError::Fenced)
        }
    }
}
