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
            "comments, attachments, api_calls, waits, CAST(0 AS BIGINT) AS open, error_details, ",
            "started_at, completed_at FROM issue_sync_jobs ",
            $rest
        )
    };
}

pub(super) use run_row;

/// What is counted of a run: in its own row once it has ended, in rows of numbers until then.
macro_rules! counted {
    ($own:literal, $number:literal) => {
        concat!(
            "CAST(r.",
            $own,
            " + COALESCE(SUM(c.",
            $number,
            "), 0) AS BIGINT) AS ",
            $own,
            ", "
        )
    };
}

// One statement, so that a run that ends meanwhile is seen either before or after.
pub(crate) const ONE: &str = concat!(
    "SELECT r.id, r.mirror_id, r.job_type, r.status, r.requested_by, r.error_details, ",
    "r.started_at, r.completed_at, ",
    counted!("issues_processed", "processed"),
    counted!("issues_created", "created"),
    counted!("issues_updated", "updated"),
    counted!("issues_unchanged", "unchanged"),
    counted!("issues_skipped", "skipped"),
    counted!("issues_failed", "failed"),
    counted!("comments", "comments"),
    counted!("attachments", "attachments"),
    counted!("api_calls", "api_calls"),
    counted!("waits", "waits"),
    "CAST(COALESCE(SUM(c.open), 0) AS BIGINT) AS open ",
    "FROM issue_sync_jobs r ",
    "LEFT JOIN run_counts c ON c.run_id = r.id AND r.status = 'running' ",
    "WHERE r.id = $1 GROUP BY r.id"
);

const LATEST: &str = run_row!("WHERE mirror_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2");

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
    open: i64,
    error_details: Option<String>,
    started_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
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
            open: row.open,
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

    /// Of a list: few of it are under way, and each of these is looked at by itself.
    pub(super) async fn with_progress_of(&self, rows: Vec<RunRow>) -> Result<Vec<Run>, StoreError> {
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            let run = Run::try_from(row)?;
            match run.status {
                RunStatus::Running => runs.extend(self.run(run.id).await?),
                RunStatus::Completed
                | RunStatus::Partial
                | RunStatus::Failed
                | RunStatus::Interrupted
                | RunStatus::Cancelled => runs.push(run),
            }
        }
        Ok(runs)
    }

    /// A run.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn run(&self, run: RunId) -> Result<Option<Run>, StoreError> {
        let row: Option<RunRow> = self.read(ONE).bind(run.0).fetch_optional().await?;
        row.map(Run::try_from).transpose()
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
