//! Ending runs: counted once, by whoever sees first that nothing is open.

use super::run::{Run, RunStatus};
use crate::{
    Store, StoreError,
    database::{PATIENCE, Tx},
};
use chrono::{DateTime, Utc};
use mirror_core::ids::RunId;

// One conditional update: of many who see that nothing is open, one ends the run. $2 is the one
// run to be ended whatever is open, or null for all that have nothing open.
const COMPLETE: &str = "\
UPDATE issue_sync_jobs SET
    status = CASE WHEN CAST($3 AS TEXT) IS NOT NULL OR t.scans_failed > 0 THEN 'failed'
                  WHEN t.failed > 0 THEN 'partial' ELSE 'completed' END,
    issues_processed = t.processed, issues_created = t.created, issues_updated = t.updated,
    issues_unchanged = t.unchanged, issues_skipped = t.skipped, issues_failed = t.failed,
    comments = t.comments, attachments = t.attachments, api_calls = t.api_calls,
    waits = t.waits,
    error_details = COALESCE($3, t.error), completed_at = $1
FROM (
    SELECT r.id AS run_id,
           COUNT(CASE WHEN m.outcome <> 'scanned' AND w.kind = 'sync_issue' THEN 1 END)
               AS processed,
           COUNT(CASE WHEN m.outcome = 'created' THEN 1 END) AS created,
           COUNT(CASE WHEN m.outcome = 'updated' THEN 1 END) AS updated,
           COUNT(CASE WHEN m.outcome = 'unchanged' THEN 1 END) AS unchanged,
           COUNT(CASE WHEN m.outcome = 'skipped' THEN 1 END) AS skipped,
           COUNT(CASE WHEN (m.outcome = 'failed' OR m.settled_at IS NULL)
                       AND m.work_id IS NOT NULL AND w.kind = 'sync_issue' THEN 1 END) AS failed,
           COUNT(CASE WHEN m.outcome = 'failed' AND w.kind = 'scan_mirror' THEN 1 END)
               AS scans_failed,
           CAST(COALESCE(SUM(m.comments), 0) AS BIGINT) AS comments,
           CAST(COALESCE(SUM(m.attachments), 0) AS BIGINT) AS attachments,
           CAST(COALESCE(SUM(m.api_calls), 0) AS BIGINT) AS api_calls,
           CAST(COALESCE(SUM(m.waits), 0) AS BIGINT) AS waits,
           MAX(CASE WHEN m.outcome = 'failed' THEN m.error END) AS error
    FROM issue_sync_jobs r
         LEFT JOIN run_memberships m ON m.run_id = r.id LEFT JOIN work w ON w.id = m.work_id
    WHERE r.status = 'running'
      AND (r.id = $2
           OR (CAST($2 AS BIGINT) IS NULL
               AND (SELECT a.run_id FROM run_memberships a
                    WHERE a.run_id = r.id LIMIT 1) IS NOT NULL
               AND (SELECT o.run_id FROM run_memberships o
                    WHERE o.run_id = r.id AND o.settled_at IS NULL LIMIT 1) IS NULL))
    GROUP BY r.id
) t
WHERE issue_sync_jobs.id = t.run_id AND issue_sync_jobs.status = 'running'
RETURNING issue_sync_jobs.id, mirror_id, status, error_details";

// Nearly always there is none, and nobody need wait for that answer. (Asked by LIMIT and not by
// EXISTS, which PostgreSQL turns into a join that looks at every membership for every run.)
const ANY_TO_COMPLETE: &str = "\
SELECT 1 FROM issue_sync_jobs r
WHERE r.status = 'running'
  AND (SELECT a.run_id FROM run_memberships a WHERE a.run_id = r.id LIMIT 1) IS NOT NULL
  AND (SELECT o.run_id FROM run_memberships o
       WHERE o.run_id = r.id AND o.settled_at IS NULL LIMIT 1) IS NULL
LIMIT 1";

const LAST_SYNC: &str = "\
UPDATE mirror_issue_configs SET
    last_sync_at = $2, last_sync_status = $3, last_sync_error = $4, updated_at = $2
WHERE mirror_id = $1";

// What went as it always does need not be kept one by one.
const FORGET_UNEVENTFUL: &str = "\
DELETE FROM run_memberships
WHERE run_id = $1 AND (outcome IN ('unchanged', 'scanned') OR settled_at IS NULL)";

#[derive(sqlx::FromRow)]
struct CompletedRow {
    id: i64,
    mirror_id: i64,
    status: String,
    error_details: Option<String>,
}

impl Store {
    /// Ends every run that waits for nothing any more; returns them. Safe from many places at
    /// once: each run is ended, and returned, exactly once.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn complete_runs(&self) -> Result<Vec<Run>, StoreError> {
        let any: Option<(i32,)> = self.read(ANY_TO_COMPLETE).fetch_optional().await?;
        if any.is_none() {
            return Ok(Vec::new());
        }
        self.complete(None, None).await
    }

    /// Ends a run now, whatever is open: that counts as failed, and is owed still. With an error
    /// the run as a whole has failed.
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`] if it is not under way.
    pub async fn finish_run(&self, run: RunId, error: Option<&str>) -> Result<Run, StoreError> {
        let ended = self.complete(Some(run), error).await?;
        ended.into_iter().next().ok_or(StoreError::NoSuchRun(run))
    }

    async fn complete(
        &self,
        only: Option<RunId>,
        error: Option<&str>,
    ) -> Result<Vec<Run>, StoreError> {
        let now = self.now();
        let mut tx = self.begin_light(PATIENCE).await?;
        let rows: Vec<CompletedRow> = tx
            .query(COMPLETE)
            .bind(now)
            .bind(only.map(|run| run.0))
            .bind(error)
            .fetch_all()
            .await?;
        for row in &rows {
            note(&mut tx, row, now).await?;
        }
        tx.commit().await?;
        let mut runs = Vec::with_capacity(rows.len());
        for row in rows {
            runs.extend(self.run(RunId(row.id)).await?);
        }
        Ok(runs)
    }
}

async fn note(tx: &mut Tx, row: &CompletedRow, now: DateTime<Utc>) -> Result<(), StoreError> {
    let last_sync = match RunStatus::read(&row.status)? {
        RunStatus::Completed => "success",
        RunStatus::Partial => "partial",
        RunStatus::Failed | RunStatus::Running | RunStatus::Interrupted | RunStatus::Cancelled => {
            "failed"
        }
    };
    tx.query(FORGET_UNEVENTFUL).bind(row.id).execute().await?;
    tx.query(LAST_SYNC)
        .bind(row.mirror_id)
        .bind(now)
        .bind(last_sync)
        .bind(&row.error_details)
        .execute()
        .await?;
    Ok(())
}
