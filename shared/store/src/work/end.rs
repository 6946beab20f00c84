//! Ending: what becomes of a row after its job.

use super::{
    close::{Closing, closing},
    history::Ending,
};
use crate::{
    Fence, Store, StoreError,
    runs::{Settled, Took},
    sql::Text,
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
    Snooze {
        /// When.
        until: DateTime<Utc>,
        /// What is waited for, for a person.
        why: &'a str,
    },
    /// Waits for another row, whose end sets it free: again then, or at once if it was asked for
    /// meanwhile, or at the latest at that time; no attempt burnt.
    Wait {
        /// When at the latest.
        until: DateTime<Utc>,
        /// What is waited for, for a person.
        why: &'a str,
    },
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

// $3 is now, $6 the error or what is waited for, $7 the time set, $16 the error's fingerprint.
const DONE: Text = closing!(
    "UPDATE work SET
        state = CASE WHEN rerun_at IS NULL THEN 'done' ELSE 'pending' END,
        run_at = COALESCE(rerun_at, run_at),
        attempts = 0, crashes = 0, rerun_at = NULL, rerun_changed = false, lease_until = NULL,
        last_error = NULL, error_fingerprint = NULL, updated_at = $3
     WHERE id = $1 AND ticket = $2 AND state = 'running'"
);

const SNOOZE: Text = closing!(
    "UPDATE work SET
        state = 'pending', run_at = $7, not_before = $7, crashes = 0, rerun_at = NULL,
        rerun_changed = false, lease_until = NULL, waiting_for = $6, updated_at = $3
     WHERE id = $1 AND ticket = $2 AND state = 'running'"
);

const WAIT: Text = closing!(
    "UPDATE work SET
        state = 'pending', run_at = CASE WHEN rerun_at < $7 THEN rerun_at ELSE $7 END,
        crashes = 0, rerun_at = NULL, rerun_changed = false, lease_until = NULL,
        waiting_for = $6, updated_at = $3
     WHERE id = $1 AND ticket = $2 AND state = 'running'"
);

const RETRY: Text = closing!(
    "UPDATE work SET
        state = 'pending',
        run_at = CASE WHEN rerun_changed AND rerun_at < $7 THEN rerun_at ELSE $7 END,
        attempts = attempts + 1, crashes = 0, rerun_at = NULL, rerun_changed = false,
        lease_until = NULL, last_error = $6, error_fingerprint = $16, updated_at = $3
     WHERE id = $1 AND ticket = $2 AND state = 'running'"
);

const GIVE_UP: Text = closing!(
    "UPDATE work SET
        state = CASE WHEN rerun_changed THEN 'pending' ELSE 'dead' END,
        run_at = CASE WHEN rerun_changed THEN rerun_at ELSE run_at END,
        attempts = CASE WHEN rerun_changed THEN 0 ELSE attempts + 1 END,
        crashes = 0, rerun_at = NULL, rerun_changed = false, lease_until = NULL,
        last_error = $6, error_fingerprint = $16, updated_at = $3
     WHERE id = $1 AND ticket = $2 AND state = 'running'"
);

impl Store {
    /// Ends a running row and keeps the attempt as history, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] if the lease was lost: the end is then somebody else's to write.
    pub async fn end(&self, fence: &Fence, end: End<'_>) -> Result<(), StoreError> {
        self.end_after(fence, end, &Took::default()).await
    }

    /// As [`Store::end`], and tells the runs that wait for the row what the try took.
    ///
    /// # Errors
    /// As [`Store::end`].
    pub async fn end_after(
        &self,
        fence: &Fence,
        end: End<'_>,
        took: &Took,
    ) -> Result<(), StoreError> {
        let blank = Closing {
            ending: Ending::Done,
            outcome: None,
            error: None,
            when: None,
            settled: Settled::NotYet,
            took,
        };
        let (text, closing) = match end {
            End::Done { outcome } => {
                let settled = Settled::Well(outcome);
                let outcome = Some(outcome);
                (
                    DONE,
                    Closing {
                        outcome,
                        settled,
                        ..blank
                    },
                )
            }
            End::Snooze { until, why } => {
                let (ending, when, error) = (Ending::Snoozed, Some(until), Some(why));
                (
                    SNOOZE,
                    Closing {
                        ending,
                        when,
                        error,
                        ..blank
                    },
                )
            }
            End::Wait { until, why } => {
                let (ending, when, error) = (Ending::Snoozed, Some(until), Some(why));
                (
                    WAIT,
                    Closing {
                        ending,
                        when,
                        error,
                        ..blank
                    },
                )
            }
            End::Retry { at, error } => {
                let (ending, when, error) = (Ending::Retried, Some(at), Some(error));
                (
                    RETRY,
                    Closing {
                        ending,
                        when,
                        error,
                        ..blank
                    },
                )
            }
            End::GiveUp { error } => {
                let (ending, settled) = (Ending::GivenUp, Settled::Badly(error));
                let error = Some(error);
                (
                    GIVE_UP,
                    Closing {
                        ending,
                        settled,
                        error,
                        ..blank
                    },
                )
            }
        };
        self.close_attempt(fence, text, closing).await
    }
}
