//! Holding a row: start, heartbeat, and giving it back unharmed.

use super::{
    claim::read_priority,
    close::{Closing, closing},
    history::Ending,
};
use crate::{
    Fence, Store, StoreError,
    runs::{Settled, Took},
    sql::{Query, Text, on_work},
    time::later,
};
use mirror_core::{
    ids::{MirrorId, TicketNumber, WorkId},
    job::{Job, Priority, Ticket},
};
use std::time::Duration;

/// A row that runs now.
#[derive(Clone, Debug)]
pub struct Started {
    /// The proof of holding it.
    pub fence: Fence,
    /// What is to be done.
    pub job: Result<Job, UnknownJob>,
    /// How often it failed since it last succeeded; 0 at first.
    pub attempts: i64,
    /// How urgent it is.
    pub priority: Priority,
}

/// A row of work that a newer version must have written. To be given up, not dropped.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("this version does not know the work {key}")]
pub struct UnknownJob {
    /// The row's key.
    pub key: String,
}

const START: &str = "\
UPDATE work SET state = 'running', owner = $3, lease_until = $4, started_at = $5,
                not_before = NULL, waiting_for = NULL, rerun_at = NULL, rerun_changed = false,
                stop_asked = false, updated_at = $5
WHERE id = $1 AND ticket = $2 AND state = 'queued'
RETURNING key, attempts, priority";

const HEARTBEAT: &str = "\
UPDATE work SET lease_until = $3, updated_at = $4
WHERE id = $1 AND ticket = $2 AND state = 'running'";

const HAND_BACK: Text = closing!(
    "UPDATE work SET state = 'pending', lease_until = NULL, updated_at = $3
     WHERE id = $1 AND ticket = $2 AND state = 'running'"
);

// The first condition is that of the small index of what is out.
pub(super) const STOPS_ASKED: &str = "\
SELECT id, ticket FROM work
WHERE state IN ('queued', 'running') AND state = 'running' AND owner = $1 AND stop_asked";

const UNQUEUE: &str = "\
UPDATE work SET state = 'pending', lease_until = NULL, updated_at = $3
WHERE id = $1 AND ticket = $2 AND state = 'queued'";

// The first condition is that of the small index of what is out.
const UNQUEUE_ALL: Text = on_work!(
    "state IN ('queued', 'running') AND state = 'queued'
     AND (mirror_id BETWEEN $1 AND $2 OR mirror_id IS NULL AND $1 < $2)",
    in_turn,
    "UPDATE work SET state = 'pending', lease_until = NULL, updated_at = $3
     WHERE state = 'queued' AND id IN (SELECT id FROM held)"
);

impl Store {
    /// Starts the work of exactly this ticket, for `lease`, on behalf of `owner` (a name for
    /// people). A ticket that is stale, doubled or void finds nothing: `None`.
    ///
    /// # Errors
    /// Only if the database fails; the ticket is then good for another try.
    pub async fn start(
        &self,
        ticket: Ticket,
        owner: &str,
        lease: Duration,
    ) -> Result<Option<Started>, StoreError> {
        // Before the statement, so that the lease seems to end too early rather than too late.
        let lease_ends = self.clock().monotonic().saturating_add(lease);
        let now = self.now();
        let row: Option<(String, i64, i64)> = self
            .light(START)
            .await?
            .bind(ticket.work.0)
            .bind(ticket.ticket.0)
            .bind(owner)
            .bind(later(now, lease))
            .bind(now)
            .fetch_optional()
            .await?;
        row.map(|(key, attempts, priority)| {
            Ok(Started {
                fence: Fence::new(ticket.work, ticket.ticket, lease_ends),
                job: Job::from_key(&key).ok_or(UnknownJob { key }),
                attempts,
                priority: read_priority(priority)?,
            })
        })
        .transpose()
    }

    /// Renews the lease. `false`: it is lost; stop before the next write.
    ///
    /// # Errors
    /// Only if the database fails; the lease is then as it was.
    pub async fn heartbeat(&self, fence: &Fence, lease: Duration) -> Result<bool, StoreError> {
        let lease_ends = self.clock().monotonic().saturating_add(lease);
        let now = self.now();
        let held = self
            .step(HEARTBEAT, fence.work, fence.ticket, |query| {
                query.bind(later(now, lease)).bind(now)
            })
            .await?;
        if held {
            fence.renew(lease_ends);
        }
        Ok(held)
    }

    /// The tickets of this owner whose jobs are to stop before their next write, because nobody
    /// waits for them any more.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn stops_asked(&self, owner: &str) -> Result<Vec<Ticket>, StoreError> {
        let rows: Vec<(i64, i64)> = self.read(STOPS_ASKED).bind(owner).fetch_all().await?;
        Ok(rows
            .into_iter()
            .map(|(work, ticket)| Ticket {
                work: WorkId(work),
                ticket: TicketNumber(ticket),
            })
            .collect())
    }

    /// Gives a running row back because the process stops: due at once, no attempt burnt.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn handback(&self, fence: &Fence) -> Result<(), StoreError> {
        self.handback_after(fence, &Took::default()).await
    }

    /// As [`Store::handback`], and tells the runs that wait for the row what the try took.
    ///
    /// # Errors
    /// As [`Store::handback`].
    pub async fn handback_after(&self, fence: &Fence, took: &Took) -> Result<(), StoreError> {
        let closing = Closing {
            ending: Ending::HandedBack,
            outcome: None,
            error: None,
            when: None,
            settled: Settled::NotYet,
            took,
        };
        self.close_attempt(fence, HAND_BACK, closing).await
    }

    /// Gives back a ticket that was claimed and will not be started. `false`: it was void already.
    ///
    /// # Errors
    /// Only if the database fails; the ticket then runs out by itself.
    pub async fn unqueue(&self, ticket: Ticket) -> Result<bool, StoreError> {
        let now = self.now();
        self.step(UNQUEUE, ticket.work, ticket.ticket, |query| query.bind(now))
            .await
    }

    /// Gives back all tickets that were claimed and not yet started, of that mirror or of all:
    /// their delivery has lost them. Those that it has not lost are void from now on. Returns how
    /// many.
    ///
    /// # Errors
    /// Only if the database fails; the tickets then run out by themselves.
    pub async fn unqueue_all(&self, only: Option<MirrorId>) -> Result<u64, StoreError> {
        let (first, last) = match only {
            Some(mirror) => (mirror.0, mirror.0),
            None => (i64::MIN, i64::MAX),
        };
        let query = self.light(UNQUEUE_ALL).await?.bind(first).bind(last);
        Ok(query.bind(self.now()).execute().await?)
    }

    /// One light statement on one ticket's row. `false`: there is no such row.
    async fn step(
        &self,
        text: &'static str,
        work: WorkId,
        ticket: TicketNumber,
        bind: impl FnOnce(Query<'_>) -> Query<'_>,
    ) -> Result<bool, StoreError> {
        let query = self.light(text).await?.bind(work.0).bind(ticket.0);
        Ok(bind(query).execute().await? == 1)
    }
}
