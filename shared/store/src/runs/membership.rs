//! Which rows of work a run waits for.

use crate::{
    Fence, Store, StoreError,
    database::Tx,
    sql::{Text, plain},
    work::fingerprint,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{RunId, WorkId},
    job::Job,
    outcome::Outcome,
};
use sqlx::types::Json;

// A row that runs has started before it was asked for, so only its next ticket serves; of one that
// is queued, the ticket that is out serves.
macro_rules! generation {
    () => {
        "CASE WHEN w.state = 'queued' THEN w.ticket - 1 ELSE w.ticket END"
    };
}

macro_rules! again {
    () => {
        " ON CONFLICT (run_id, work_id) DO UPDATE SET \
           generation = excluded.generation, settled_at = NULL, outcome = NULL, error = NULL, \
           fingerprint = NULL"
    };
}

const ATTACH: &str = concat!(
    "INSERT INTO run_memberships (run_id, work_id, is_issue, generation) \
     SELECT $1, w.id, w.kind = 'sync_issue', ",
    generation!(),
    " FROM work w WHERE w.key = $2",
    again!()
);

// Whoever waits for the scan that found these waits for them, too.
macro_rules! attach_found {
    ($keys:literal) => {
        concat!(
            "INSERT INTO run_memberships (run_id, work_id, is_issue, generation) \
             SELECT m.run_id, w.id, w.kind = 'sync_issue', ",
            generation!(),
            " FROM run_memberships m JOIN work s ON s.id = m.work_id CROSS JOIN work w \
             WHERE m.work_id = $1 AND m.settled_at IS NULL AND m.generation < s.ticket \
             AND w.key IN (",
            $keys,
            ")",
            again!()
        )
    };
}

// Unfolding a list is spelt differently.
const ATTACH_FOUND: Text = Text {
    sqlite: attach_found!("SELECT value FROM json_each($2)"),
    postgres: attach_found!("SELECT jsonb_array_elements_text($2::jsonb)"),
};

const SETTLE_LOST: &str = "\
UPDATE run_memberships SET settled_at = $3, outcome = $4, error = $5, fingerprint = $6
WHERE work_id = $1 AND settled_at IS NULL AND generation < $2";

const SERVES_FULL: &str = "\
SELECT COUNT(*) FROM run_memberships m JOIN issue_sync_jobs r ON r.id = m.run_id
WHERE m.work_id = $1 AND m.settled_at IS NULL AND m.generation < $2 AND r.job_type = 'full_sync'";

impl Store {
    /// Whether a run that waits for this scan is one of everything.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn serves_full_run(&self, fence: &Fence) -> Result<bool, StoreError> {
        let (full,): (i64,) = self
            .read(SERVES_FULL)
            .bind(fence.work.0)
            .bind(fence.ticket.0)
            .fetch_one()
            .await?;
        Ok(full > 0)
    }
}

/// Makes the run wait for the next end of this job that began after now.
pub(super) async fn attach(tx: &mut Tx, run: RunId, job: &Job) -> Result<(), StoreError> {
    tx.query(ATTACH)
        .bind(run.0)
        .bind(job.key())
        .execute()
        .await?;
    Ok(())
}

/// Makes every run that waits for a job wait for what it found due, in the transaction that owes
/// it.
pub(crate) async fn attach_found(
    tx: &mut Tx,
    scan: WorkId,
    found: impl Iterator<Item = Job>,
) -> Result<(), StoreError> {
    let keys: Vec<String> = found.map(|job| job.key()).collect();
    if !keys.is_empty() {
        tx.query(ATTACH_FOUND)
            .bind(scan.0)
            .bind(Json(keys))
            .execute()
            .await?;
    }
    Ok(())
}

/// How a row ended, for the runs that waited for it.
#[derive(Clone, Copy)]
pub(crate) enum Settled<'a> {
    /// It runs again later; only the effort counts.
    NotYet,
    Well(&'a Outcome),
    Badly(&'a str),
}

/// As a membership keeps it.
pub(crate) struct Kept {
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) outcome: Option<&'static str>,
    /// Why it failed or was left out.
    pub(crate) why: Option<String>,
    /// Of that.
    pub(crate) fingerprint: Option<String>,
}

impl Settled<'_> {
    pub(crate) fn kept(self, now: DateTime<Utc>) -> Kept {
        let (at, outcome, why) = match self {
            Self::NotYet => (None, None, None),
            Self::Well(outcome) => (Some(now), Some(name(outcome)), reason(outcome)),
            Self::Badly(error) => (Some(now), Some("failed"), Some(plain(error))),
        };
        let fingerprint = why.as_deref().map(fingerprint);
        Kept {
            at,
            outcome,
            why,
            fingerprint,
        }
    }
}

/// Settles what is older than a ticket that was lost for good, in the transaction that gives it up.
pub(crate) async fn settle_lost(
    tx: &mut Tx,
    (work, ticket): (i64, i64),
    error: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let kept = Settled::Badly(error).kept(now);
    tx.query(SETTLE_LOST)
        .bind(work)
        .bind(ticket)
        .bind(kept.at)
        .bind(kept.outcome)
        .bind(kept.why)
        .bind(kept.fingerprint)
        .execute()
        .await?;
    Ok(())
}

fn reason(outcome: &Outcome) -> Option<String> {
    let Outcome::Skipped(reason) = outcome else {
        return None;
    };
    Some(plain(&reason.to_string()))
}

fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Updated => "updated",
        Outcome::Unchanged => "unchanged",
        Outcome::Skipped(_) => "skipped",
        // What is not an issue is told by its work.
        Outcome::Scanned { .. } | Outcome::Carried | Outcome::Checked { .. } | Outcome::Errand => {
            "scanned"
        }
    }
}
