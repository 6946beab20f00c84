//! Looking at runs.

use super::run::{Run, RunCounts, RunKind, RunStatus};
use crate::{Store, StoreError, database::PATIENCE, time::micros};
use chrono::{DateTime, Utc};
use mirror_core::ids::{MirrorId, RunId};

macro_rules! run_row {
    ($rest:literal) => {
        concat!(
            "SELECT id, mirror_id, job_type, status, requested_by, issues_processed, ",
            "issues_created, issues_updated, issues_unchanged, issues_skipped, issues_failed, ",
            "comments, attachments, api_calls, waits, error_details, started_at, completed_at ",
            "FROM issue_sync_jobs ",
            $rest
        )
    };
}

pub(super) use run_row;

const LATEST: &str = run_row!("WHERE mirror_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2");
const ONE: &str = run_row!("WHERE id = $1");

const PROGRESS: &str = "\
SELECT COUNT(CASE WHEN m.settled_at IS NOT NULL AND w.kind = 'sync_issue' THEN 1 END)
           AS processed,
       COUNT(CASE WHEN m.outcome = 'created' THEN 1 END) AS created,
       COUNT(CASE WHEN m.outcome = 'updated' THEN 1 END) AS updated,
       COUNT(CASE WHEN m.outcome = 'unchanged' THEN 1 END) AS unchanged,
       COUNT(CASE WHEN m.outcome = 'skipped' THEN 1 END) AS skipped,
       COUNT(CASE WHEN m.outcome = 'failed' THEN 1 END) AS failed,
       CAST(COALESCE(SUM(m.comments), 0) AS BIGINT) AS comments,
       CAST(COALESCE(SUM(m.attachments), 0) AS BIGINT) AS attachments,
       CAST(COALESCE(SUM(m.api_calls), 0) AS BIGINT) AS api_calls,
       CAST(COALESCE(SUM(m.waits), 0) AS BIGINT) AS waits,
       COUNT(CASE WHEN m.settled_at IS NULL THEN 1 END) AS open
FROM run_memberships m JOIN work w ON w.id = m.work_id WHERE m.run_id = $1";

// Each part by an index of its own.
const PRUNE: &str = "\
DELETE FROM issue_sync_jobs WHERE id IN (
    SELECT id FROM issue_sync_jobs WHERE status <> 'running' AND started_at < $1
    ORDER BY started_at LIMIT $2)";

const PRUNE_UNEVENTFUL: &str = "\
DELETE FROM issue_sync_jobs WHERE id IN (
    SELECT id FROM issue_sync_jobs
    WHERE status = 'completed' AND requested_by = 'schedule'
      AND issues_created = 0 AND issues_updated = 0 AND started_at < $1
    ORDER BY started_at LIMIT $2)";

#[derive(sqlx::FromRow)]
pub(super) struct RunRow {
    id: i64,
    mirror_id: i64,
    job_type: String,
    status: String,
    requested_by: String,
    issues_processed: i64,
    issues_created: i64,
    issues_updated: i64,
    issues_unchanged: i64,
    issues_skipped: i64,
    issues_failed: i64,
    comments: i64,
    attachments: i64,
    api_calls: i64,
    waits: i64,
    error_details: Option<String>,
    started_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
}

#[derive(sqlx::FromRow)]
struct ProgressRow {
    processed: i64,
    created: i64,
    updated: i64,
    unchanged: i64,
    skipped: i64,
    failed: i64,
    comments: i64,
    attachments: i64,
    api_calls: i64,
    waits: i64,
    open: i64,
}

impl TryFrom<RunRow> for Run {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: RunId(row.id),
            mirror: MirrorId(row.mirror_id),
            kind: RunKind::read(&row.job_type)?,
            status: RunStatus::read(&row.status)?,
            requested_by: row.requested_by,
            counts: RunCounts {
                processed: row.issues_processed,
                created: row.issues_created,
                updated: row.issues_updated,
                unchanged: row.issues_unchanged,
                skipped: row.issues_skipped,
                failed: row.issues_failed,
                comments: row.comments,
                attachments: row.attachments,
                api_calls: row.api_calls,
                waits: row.waits,
            },
            open: 0,
            error_details: row.error_details,
            started_at: row.started_at,
            completed_at: row.completed_at,
        })
    }
}

impl Store {
    /// A mirror's runs, latest first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn runs(&self, mirror: MirrorId, limit: u32) -> Result<Vec<Run>, StoreError> {
        let rows: Vec<RunRow> = self
            .read(LATEST)
            .bind(mirror.0)
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        self.with_progress_of(rows).await
    }

    pub(super) async fn with_progress_of(&self, rows: Vec<RunRow>) -> Result<Vec<Run>, StoreError> {
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            runs.push(self.with_progress(row.try_into()?).await?);
        }
        Ok(runs)
    }

    /// A run.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn run(&self, run: RunId) -> Result<Option<Run>, StoreError> {
        let row: Option<RunRow> = self.read(ONE).bind(run.0).fetch_optional().await?;
        match row {
            Some(row) => Ok(Some(self.with_progress(row.try_into()?).await?)),
            None => Ok(None),
        }
    }

    async fn with_progress(&self, run: Run) -> Result<Run, StoreError> {
        if run.status != RunStatus::Running {
            return Ok(run);
        }
        let row: ProgressRow = self.read(PROGRESS).bind(run.id.0).fetch_one().await?;
        Ok(Run {
            counts: RunCounts {
                processed: row.processed,
                created: row.created,
                updated: row.updated,
                unchanged: row.unchanged,
                skipped: row.skipped,
                failed: row.failed,
                comments: row.comments,
                attachments: row.attachments,
                api_calls: row.api_calls,
                waits: row.waits,
            },
            open: row.open,
            ..run
        })
    }

    /// Forgets up to `batch` runs that began before this time, and those of the schedule that
    /// found nothing to do and began before `uneventful_before`; returns how many.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn prune_runs(
        &self,
        before: DateTime<Utc>,
        uneventful_before: DateTime<Utc>,
        batch: u32,
    ) -> Result<u64, StoreError> {
        let batch = i64::from(batch);
        let mut tx = self.begin_light(PATIENCE).await?;
        let old = tx.query(PRUNE).bind(micros(before)).bind(batch);
        let old = i64::try_from(old.execute().await?).unwrap_or(i64::MAX);
        let uneventful = tx.query(PRUNE_UNEVENTFUL).bind(micros(uneventful_before));
        let uneventful = uneventful.bind(batch.saturating_sub(old)).execute().await?;
        let pruned = uneventful.saturating_add(old.unsigned_abs());
        tx.commit().await?;
        Ok(pruned)
    }
}
