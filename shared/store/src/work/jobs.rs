//! Jobs as an operator sees them: found, told apart, tried again, put off.

use super::report::{WorkState, read_state};
use crate::{
    Store, StoreError,
    database::PATIENCE,
    sql::{Text, on_work},
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::ids::{InstanceId, MirrorId, WorkId};
use sqlx::types::Json;

/// Which jobs are looked for. What is not given does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobFilter {
    /// In this state; not given: all that are not done.
    pub state: Option<WorkState>,
    /// Of this kind, as [`Job::kind`](mirror_core::job::Job::kind) names it.
    pub kind: Option<String>,
    /// Of this mirror.
    pub mirror: Option<MirrorId>,
    /// Of mirrors that have this instance as an end.
    pub instance: Option<InstanceId>,
    /// First owed before this time.
    pub before: Option<DateTime<Utc>>,
    /// With one of these as what last went wrong.
    pub errors: Option<Vec<String>>,
    /// Behind this one, in the order of the list.
    pub after: Option<WorkId>,
    /// So many are passed over.
    pub offset: i64,
}

/// What went wrong with jobs that are not done.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct JobError {
    /// The error.
    pub error: String,
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
    /// When anything of it last changed.
    pub updated_at: DateTime<Utc>,
}

macro_rules! select {
    ($rest:literal) => { select!(@ $rest) };
    (@ $($rest:expr),*) => {
        concat!(
            "SELECT w.id, w.key, w.mirror_id, w.state, ",
            "CASE WHEN w.kind = 'check_instance' THEN NULL ELSE m.paused END AS paused, ",
            "m.at_fault, w.priority, w.run_at, ",
            "w.not_before, w.waiting_for, w.attempts, w.crashes, w.owner, w.started_at, ",
            "w.lease_until, w.last_error, w.updated_at FROM work w JOIN mirrors m ON m.id = w.mirror_id ",
            $($rest),*
        )
    };
}

pub(crate) const ONE: &str = select!("WHERE w.id = $1");

/// The texts for jobs in a state: of all mirrors, of one, and of the kinds of which there is little.
/// Each is served by an index of its own, whatever else there is; PostgreSQL is given no other way to
/// keep the order. `$1` stands for what the text says already.
#[derive(Clone, Copy)]
pub(crate) struct Lists {
    pub(crate) all: Text,
    pub(crate) of_mirror: Text,
    pub(crate) unusual: Text,
}

macro_rules! lists {
    // Little is out at a time: that is looked through, and put in order.
    (out $state:literal) => {{
        let out = list!(
            $state,
            "w.state IN ('queued', 'running') AND w.id + 0 > $4 \
             AND (CAST($2 AS BIGINT) IS NULL OR w.mirror_id = $2)",
            "w.id + 0"
        );
        Lists { all: out, of_mirror: out, unusual: out }
    }};
    ($state:literal, of_mirror $of_mirror:literal) => {
        Lists {
            all: list!($state, "w.id > $4 AND CAST($2 AS BIGINT) IS NULL", "w.id"),
            of_mirror: Text {
                sqlite: list!(@ $of_mirror, "w.mirror_id = $2 AND w.id > $4", "w.id", json),
                postgres: list!(
                    @ $of_mirror,
                    "(w.mirror_id, w.id) > ($2, $4) \
                     AND (w.mirror_id, w.id) < ($2, 9223372036854775807)",
                    "w.mirror_id, w.id",
                    jsonb
                ),
            },
            unusual: list!(
                $state,
                "w.kind <> 'sync_issue' AND w.id > $4 AND CAST($2 AS BIGINT) IS NULL",
                "w.id"
            ),
        }
    };
}

macro_rules! list {
    ($state:literal, $place:literal, $order:literal) => {
        Text {
            sqlite: list!(@ $state, $place, $order, json),
            postgres: list!(@ $state, $place, $order, jsonb),
        }
    };
    (@ $state:literal, $place:literal, $order:literal, json) => {
        list!(@@ $state, $place, $order, "SELECT value FROM json_each($7)")
    };
    (@ $state:literal, $place:literal, $order:literal, jsonb) => {
        list!(@@ $state, $place, $order, "SELECT jsonb_array_elements_text($7::jsonb)")
    };
    (@@ $state:literal, $place:literal, $order:literal, $errors:literal) => {
        select!(@
            "WHERE ",
            $state,
            " AND ",
            $place,
            " AND (CAST($1 AS TEXT) IS NULL OR w.kind = $1) \
              AND ($3 = (m.paused IS NOT NULL AND w.kind <> 'check_instance') OR $3 IS NULL) \
              AND (CAST($5 AS BIGINT) IS NULL OR m.source_instance_id = $5 \
                   OR m.target_instance_id = $5) \
              AND ($6 IS NULL OR w.created_at < $6) \
              AND ($7 IS NULL OR w.last_error IN (",
            $errors,
            ")) ORDER BY ",
            $order,
            " LIMIT $8 OFFSET $9"
        )
    };
}

pub(crate) const UNFINISHED: Lists =
    lists!("w.state || '' <> 'done'", of_mirror "'' || w.state <> 'done'");
pub(crate) const PENDING: Lists = lists!(
    "w.state || '' <> 'done' AND w.state = 'pending'",
    of_mirror "'' || w.state <> 'done' AND w.state = 'pending'"
);
pub(crate) const QUEUED: Lists = lists!(out "w.state = 'queued'");
pub(crate) const RUNNING: Lists = lists!(out "w.state = 'running'");
pub(crate) const DEAD: Lists = lists!("w.state || '' = 'dead'", of_mirror "'' || w.state = 'dead'");

/// Nearly all jobs are of this kind.
const USUAL: &str = "sync_issue";

// Along what went wrong alone.
pub(crate) const ERRORS: &str = "\
SELECT last_error AS error, COUNT(*) AS jobs FROM work
WHERE state || '' <> 'done' AND last_error IS NOT NULL GROUP BY last_error ORDER BY 2 DESC, 1 LIMIT $1";

pub(crate) const BY_KEY: &str = select!("WHERE w.key = $1");

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
struct JobRow {
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
            updated_at: row.updated_at,
        })
    }
}

impl Store {
    /// Up to `limit` jobs, in the order in which they were first owed.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn jobs(&self, filter: &JobFilter, limit: u32) -> Result<Vec<JobEntry>, StoreError> {
        let (lists, paused) = match filter.state {
            None => (UNFINISHED, None),
            Some(WorkState::Paused) => (PENDING, Some(true)),
            Some(WorkState::Pending) => (PENDING, Some(false)),
            Some(WorkState::Queued) => (QUEUED, None),
            Some(WorkState::Running) => (RUNNING, None),
            Some(WorkState::Dead) => (DEAD, None),
        };
        let text = match (filter.mirror, filter.kind.as_deref()) {
            (Some(_), _) => lists.of_mirror,
            (None, Some(kind)) if kind != USUAL => lists.unusual,
            (None, Some(_) | None) => lists.all,
        };
        let rows: Vec<JobRow> = self
            .read(text)
            .bind(filter.kind.as_deref())
            .bind(filter.mirror.map(|mirror| mirror.0))
            .bind(paused)
            .bind(filter.after.map_or(0, |after| after.0))
            .bind(filter.instance.map(|instance| instance.0))
            .bind(filter.before.map(micros))
            .bind(filter.errors.as_ref().map(Json))
            .bind(i64::from(limit))
            .bind(filter.offset)
            .fetch_all()
            .await?;
        rows.into_iter().map(JobEntry::try_from).collect()
    }

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
