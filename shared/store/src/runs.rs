//! Runs: a scan and the jobs it caused, counted.

use crate::{Store, StoreError, database::PATIENCE};
use chrono::{DateTime, Utc};
use mirror_core::ids::{MirrorId, RunId};

/// What a run looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunKind {
    /// Everything.
    Full,
    /// What changed.
    Incremental,
    /// One issue.
    SingleIssue,
}

impl RunKind {
    fn name(self) -> &'static str {
        match self {
            Self::Full => "full_sync",
            Self::Incremental => "incremental_sync",
            Self::SingleIssue => "single_issue",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        match name {
            "full_sync" => Ok(Self::Full),
            "incremental_sync" => Ok(Self::Incremental),
            "single_issue" => Ok(Self::SingleIssue),
            _ => Err(StoreError::Unreadable {
                what: "a run's kind",
            }),
        }
    }
}

/// How a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunStatus {
    /// Under way.
    Running,
    /// Ended, nothing failed.
    Completed,
    /// Ended, something failed and is owed still.
    Partial,
    /// Could not do its work at all.
    Failed,
    /// Its process ended before it did.
    Interrupted,
}

impl RunStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        match name {
            "running" => Ok(Self::Running),
            "completed" => Ok(Self::Completed),
            "partial" => Ok(Self::Partial),
            "failed" => Ok(Self::Failed),
            "interrupted" => Ok(Self::Interrupted),
            _ => Err(StoreError::Unreadable {
                what: "a run's status",
            }),
        }
    }
}

/// What a run did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunCounts {
    /// Issues looked at.
    pub processed: i64,
    /// Of these, created on the target.
    pub created: i64,
    /// Changed on the target.
    pub updated: i64,
    /// In line already.
    pub unchanged: i64,
    /// Left out on purpose.
    pub skipped: i64,
    /// Failed; owed still, or dead letters.
    pub failed: i64,
    /// Comments created.
    pub comments: i64,
    /// Files transferred.
    pub attachments: i64,
    /// Requests sent.
    pub api_calls: i64,
}

/// A run on record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Ours.
    pub id: RunId,
    /// What it looked at.
    pub kind: RunKind,
    /// How it stands.
    pub status: RunStatus,
    /// What it did.
    pub counts: RunCounts,
    /// What went wrong.
    pub error_details: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}

const BEGIN: &str = "\
INSERT INTO issue_sync_jobs (mirror_id, job_type, status, started_at)
VALUES ($1, $2, 'running', $3)
RETURNING id";

const FINISH: &str = "\
UPDATE issue_sync_jobs SET
    status = $2, issues_processed = $3, issues_created = $4, issues_updated = $5,
    issues_unchanged = $6, issues_skipped = $7, issues_failed = $8, comments = $9,
    attachments = $10, api_calls = $11, error_details = $12, completed_at = $13
WHERE id = $1 AND status = 'running'
RETURNING mirror_id";

const LAST_SYNC: &str = "\
UPDATE mirror_issue_configs SET
    last_sync_at = $2, last_sync_status = $3, last_sync_error = $4, updated_at = $2
WHERE mirror_id = $1";

const LATEST: &str = "\
SELECT id, job_type, status, issues_processed, issues_created, issues_updated, issues_unchanged,
       issues_skipped, issues_failed, comments, attachments, api_calls, error_details, started_at,
       completed_at
FROM issue_sync_jobs WHERE mirror_id = $1
ORDER BY started_at DESC, id DESC LIMIT $2";

#[derive(sqlx::FromRow)]
struct RunRow {
    id: i64,
    job_type: String,
    status: String,
    issues_processed: i64,
    issues_created: i64,
    issues_updated: i64,
    issues_unchanged: i64,
    issues_skipped: i64,
    issues_failed: i64,
    comments: i64,
    attachments: i64,
    api_calls: i64,
    error_details: Option<String>,
    started_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
}

impl TryFrom<RunRow> for Run {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: RunId(row.id),
            kind: RunKind::read(&row.job_type)?,
            status: RunStatus::read(&row.status)?,
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
            },
            error_details: row.error_details,
            started_at: row.started_at,
            completed_at: row.completed_at,
        })
    }
}

impl Store {
    /// Notes that a run begins.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn begin_run(&self, mirror: MirrorId, kind: RunKind) -> Result<RunId, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let (id,): (i64,) = tx
            .query(BEGIN)
            .bind(mirror.0)
            .bind(kind.name())
            .bind(self.now())
            .fetch_one()
            .await?;
        tx.commit().await?;
        Ok(RunId(id))
    }

    /// Notes that a run ended and what it did. Without an error and without a failed issue it is
    /// completed; with failed issues alone, partial; with an error, failed.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`] if it is not under way.
    pub async fn finish_run(
        &self,
        run: RunId,
        counts: &RunCounts,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let (status, last_sync) = match (error, counts.failed) {
            (Some(_), _) => (RunStatus::Failed, "failed"),
            (None, 0) => (RunStatus::Completed, "success"),
            (None, _) => (RunStatus::Partial, "partial"),
        };
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let mirror: Option<(i64,)> = tx
            .query(FINISH)
            .bind(run.0)
            .bind(status.name())
            .bind(counts.processed)
            .bind(counts.created)
            .bind(counts.updated)
            .bind(counts.unchanged)
            .bind(counts.skipped)
            .bind(counts.failed)
            .bind(counts.comments)
            .bind(counts.attachments)
            .bind(counts.api_calls)
            .bind(error)
            .bind(now)
            .fetch_optional()
            .await?;
        let (mirror,) = mirror.ok_or(StoreError::NoSuchRun(run))?;
        tx.query(LAST_SYNC)
            .bind(mirror)
            .bind(now)
            .bind(last_sync)
            .bind(error)
            .execute()
            .await?;
        tx.commit().await
    }

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
        rows.into_iter().map(Run::try_from).collect()
    }
}
