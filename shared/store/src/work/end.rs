//! Ending: what becomes of a row after its job.

use super::history::{Ending, write_attempt};
use crate::{
    Fence, Store, StoreError,
    database::Tx,
    runs::{Effort, Settled, settle},
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::outcome::Outcome;

/// How a job ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End<'a> {
    /// Finished. Runs again at once if it was asked for meanwhile.
    Done {
        /// What it did.
        outcome: &'a Outcome,
    },
    /// Throttled or paused: again at that time and by no means earlier; no attempt burnt.
    Snooze(DateTime<Utc>),
    /// Failed for a cause that may pass: again at that time, or earlier if something changes.
    Retry {
        /// When.
        at: DateTime<Utc>,
        /// What went wrong, for a person.
        error: &'a str,
    },
    /// Failed for good: a dead letter. If something changed meanwhile, it gets another chance.
    GiveUp {
        /// What went wrong, for a person.
        error: &'a str,
    },
}

const DONE: &str = "\
UPDATE work SET
    state = CASE WHEN rerun_at IS NULL THEN 'done' ELSE 'pending' END,
    run_at = COALESCE(rerun_at, run_at),
    attempts = 0, crashes = 0, rerun_at = NULL, rerun_changed = false, lease_until = NULL,
    last_error = NULL, updated_at = $3
WHERE id = $1 AND ticket = $2 AND state = 'running'";

const SNOOZE: &str = "\
UPDATE work SET
    state = 'pending', run_at = $4, not_before = $4, crashes = 0, rerun_at = NULL,
    rerun_changed = false, lease_until = NULL, updated_at = $3
WHERE id = $1 AND ticket = $2 AND state = 'running'";

const RETRY: &str = "\
UPDATE work SET
    state = 'pending',
    run_at = CASE WHEN rerun_changed AND rerun_at < $4 THEN rerun_at ELSE $4 END,
    attempts = attempts + 1, crashes = 0, rerun_at = NULL, rerun_changed = false,
    lease_until = NULL, last_error = $5, updated_at = $3
WHERE id = $1 AND ticket = $2 AND state = 'running'";

const GIVE_UP: &str = "\
UPDATE work SET
    state = CASE WHEN rerun_changed THEN 'pending' ELSE 'dead' END,
    run_at = CASE WHEN rerun_changed THEN rerun_at ELSE run_at END,
    attempts = CASE WHEN rerun_changed THEN 0 ELSE attempts + 1 END,
    crashes = 0, rerun_at = NULL, rerun_changed = false, lease_until = NULL,
    last_error = $4, updated_at = $3
WHERE id = $1 AND ticket = $2 AND state = 'running'";

impl Store {
    /// Ends a running row and keeps the attempt as history, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if the lease was lost: the end is then somebody else's to write.
    pub async fn end(&self, fence: &Fence, end: End<'_>) -> Result<(), StoreError> {
        self.end_after(fence, end, Effort::default()).await
    }

    /// As [`Store::end`], and tells the runs that wait for the row what the try took.
    ///
    /// # Errors
    /// As [`Store::end`].
    pub async fn end_after(
        &self,
        fence: &Fence,
        end: End<'_>,
        effort: Effort,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_light(self.lease_left(fence)).await?;
        if !set_end(&mut tx, fence, end, now).await? {
            return Err(StoreError::Fenced);
        }
        let (ending, outcome, error) = match end {
            End::Done { outcome } => (Ending::Done, Some(outcome), None),
            End::Snooze(_) => (Ending::Snoozed, None, None),
            End::Retry { error, .. } => (Ending::Retried, None, Some(error)),
            End::GiveUp { error } => (Ending::GivenUp, None, Some(error)),
        };
        write_attempt(&mut tx, fence.work, now, ending, outcome, error).await?;
        let settled = match end {
            End::Done { outcome } => Settled::Well(outcome),
            End::Snooze(_) | End::Retry { .. } => Settled::NotYet,
            End::GiveUp { error } => Settled::Badly(error),
        };
        let ticket = (fence.work.0, fence.ticket.0);
        settle(&mut tx, ticket, settled, effort, now).await?;
        tx.commit().await
    }
}

async fn set_end(
    tx: &mut Tx,
    fence: &Fence,
    end: End<'_>,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let text = match end {
        End::Done { .. } => DONE,
        End::Snooze(_) => SNOOZE,
        End::Retry { .. } => RETRY,
        End::GiveUp { .. } => GIVE_UP,
    };
    let query = tx
        .query(text)
        .bind(fence.work.0)
        .bind(fence.ticket.0)
        .bind(now);
    let query = match end {
        End::Done { .. } => query,
        End::Snooze(until) => query.bind(micros(until)),
        End::Retry { at, error } => query.bind(micros(at)).bind(error),
        End::GiveUp { error } => query.bind(error),
    };
    let ended = query.execute().await?;
    Ok(ended == 1)
}
