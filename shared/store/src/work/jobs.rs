//! Jobs as an operator sees them: found, told apart, tried again, put off.

use super::report::{WorkState, read_state};
use crate::{
    Store, StoreError,
    database::PATIENCE,
    sql::{Text, on_work},
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::ids::{MirrorId, WorkId};

/// What went wrong with jobs that are not done, in words that are alike but for their numbers.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct JobError {
    /// What all of them have.
    pub fingerprint: String,
    /// One of the errors.
    pub example: String,
    /// Of so many jobs.
    pub jobs: i64,
}

/// A job as an operator sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JobEntry {
    /// The row of work.
    pub work: WorkId,
    /// `sync_issue/7/123`.
    pub key: String,
    /// The mirror.
    pub mirror: MirrorId,
    /// How it stands; `None`: done.
    pub state: Option<WorkState>,
    /// Why its mirror rests, if it does and this job with it.
    pub paused: Option<String>,
    /// The mirror rests for a fault: it is looked at again by itself.
    pub at_fault: bool,
    /// 0 backfill, 1 incremental, 2 by hand.
    pub priority: i64,
    /// When it is or was due.
    pub run_at: DateTime<Utc>,
    /// A limit's own time, before which it does not run.
    pub not_before: Option<DateTime<Utc>>,
    /// What it waits for, where its last try ended with a time of its own.
    pub waiting_for: Option<String>,
    /// Failures since it last succeeded.
    pub attempts: i64,
    /// Of these, the latest that were lost with their worker, in a row.
    pub crashes: i64,
    /// Who runs it, or ran it last.
    pub owner: Option<String>,
    /// When that began.
    pub started_at: Option<DateTime<Utc>>,
    /// Until when its worker, or its ticket, is waited for.
    pub lease_until: Option<DateTime<Utc>>,
    /// What last went wrong.
    pub last_error: Option<String>,
    /// What it has in common with errors that read alike but for their numbers.
    pub error_fingerprint: Option<String>,
    /// When anything of it last changed.
    pub updated_at: DateTime<Utc>,
}

/// A job with its mirror, as `w` and `m`.
macro_rules! job_row {
    ($($rest:expr),*) => {
        concat!(
            "SELECT w.id, w.key, w.mirror_id, w.state, ",
            "CASE WHEN w.kind = 'check_instance' THEN NULL ELSE m.paused END AS paused, ",
            "m.at_fault, w.priority, w.run_at, ",
            "w.not_before, w.waiting_for, w.attempts, w.crashes, w.owner, w.started_at, ",
            "w.lease_until, w.last_error, w.error_fingerprint, w.updated_at ",
            $($rest),*
        )
    };
}
pub(super) use job_row;

pub(crate) const ONE: &str =
    job_row!("FROM work w JOIN mirrors m ON m.id = w.mirror_id WHERE w.id = $1");

// Kept count of; there are few that read differently.
pub(crate) const ERRORS: &str = "\
SELECT fingerprint, MAX(example) AS example, CAST(SUM(jobs) AS BIGINT) AS jobs FROM error_counts
GROUP BY fingerprint HAVING SUM(jobs) > 0 ORDER BY 3 DESC, 1 LIMIT $1";

pub(crate) const BY_KEY: &str =
    job_row!("FROM work w JOIN mirrors m ON m.id = w.mirror_id WHERE w.key = $1");

// A person who tries again has mended what was wrong, or wants to see it fail.
const RETRY: &str = "\
UPDATE work SET state = 'pending', run_at = $2, not_before = NULL, waiting_for = NULL, priority = 2,
                attempts = 0, crashes = 0, rerun_at = NULL, rerun_changed = false, updated_at = $2
WHERE id = $1 AND state IN ('pending', 'dead', 'done')";

const PUT_OFF: Text = on_work!(
    "id = $1 AND state IN ('pending', 'queued', 'running')",
    in_turn,
    "UPDATE work SET
        run_at = CASE WHEN run_at < $2 THEN $2 ELSE run_at END,
        lease_until = CASE WHEN state = 'queued' THEN NULL ELSE lease_until END,
        stop_asked = (state = 'running'),
        state = CASE WHEN state = 'queued' THEN 'pending' ELSE state END,
        updated_at = $3
     WHERE id IN (SELECT id FROM held)"
);

#[derive(sqlx::FromRow)]
pub(super) struct JobRow {
    id: i64,
    key: String,
    mirror_id: i64,
    state: String,
    paused: Option<String>,
    at_fault: bool,
    priority: i64,
    run_at: DateTime<Utc>,
    not_before: Option<DateTime<Utc>>,
    waiting_for: Option<String>,
    attempts: i64,
    crashes: i64,
    owner: Option<String>,
    started_at: Option<DateTime<Utc>>,
    lease_until: Option<DateTime<Utc>>,
    last_error: Option<String>,
    error_fingerprint: Option<String>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<JobRow> for JobEntry {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        let state = match row.state.as_str() {
            "done" => None,
            "pending" if row.paused.is_some() => Some(WorkState::Paused),
            state => Some(read_state(state)?),
        };
        Ok(Self {
            work: WorkId(row.id),
            key: row.key,
            mirror: MirrorId(row.mirror_id),
            state,
            paused: row.paused,
            at_fault: row.at_fault,
            priority: row.priority,
            run_at: row.run_at,
            not_before: row.not_before,
            waiting_for: row.waiting_for,
            attempts: row.attempts,
            crashes: row.crashes,
            owner: row.owner,
            started_at: row.started_at,
            lease_until: row.lease_until,
            last_error: row.last_error,
            error_fingerprint: row.error_fingerprint,
            updated_at: row.updated_at,
        })
    }
}

impl Store {
    /// A job.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn job(&self, work: WorkId) -> Result<Option<JobEntry>, StoreError> {
        let row: Option<JobRow> = self.read(ONE).bind(work.0).fetch_optional().await?;
        row.map(JobEntry::try_from).transpose()
    }

    /// The job with this key.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn job_called(&self, key: &str) -> Result<Option<JobEntry>, StoreError> {
        let row: Option<JobRow> = self.read(BY_KEY).bind(key).fetch_optional().await?;
        row.map(JobEntry::try_from).transpose()
    }

    /// What went wrong with jobs that are not done, the most frequent first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn job_errors(&self, limit: u32) -> Result<Vec<JobError>, StoreError> {
        Ok(self.read(ERRORS).bind(i64::from(limit)).fetch_all().await?)
    }

    /// Makes a job due at once, by hand: a dead letter gets its attempts back. `false`: it is out
    /// at a worker, or not there.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn retry_job(&self, work: WorkId) -> Result<bool, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let revived = tx
            .query(RETRY)
            .bind(work.0)
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await?;
        Ok(revived == 1)
    }

    /// Puts a job off until then: a ticket that is out is void, and who runs it is asked to stop
    /// before the next write. It stays owed. `false`: there is nothing to put off.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn put_off_job(
        &self,
        work: WorkId,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let put_off = tx
            .query(PUT_OFF)
            .bind(work.0)
            .bind(micros(until))
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await?;
        Ok(put_off == 1)
    }
}
