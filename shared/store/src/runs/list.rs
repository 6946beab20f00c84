//! Runs a page at a time, and what went wrong in one.

use super::{
    report::{RunRow, run_row},
    run::{Run, RunStatus},
};
use crate::{Store, StoreError, sql::Text};
use mirror_core::ids::{MirrorId, RunId};

/// Which runs are listed, latest first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunFilter {
    /// How they stand.
    pub status: Option<RunStatus>,
    /// Older than this one.
    pub before: Option<RunId>,
    /// So many are passed over.
    pub offset: i64,
}

/// How the jobs of a run ended that share an ending.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct RunGroup {
    /// The error, or why they were left out.
    pub why: String,
    /// So many.
    pub jobs: i64,
    /// One of them.
    pub example: String,
}

// By the mirror's own entries in an index, however many runs others have: PostgreSQL is given no
// other way to keep the order.
pub(crate) const PAGE: Text = Text {
    sqlite: run_row!("WHERE mirror_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3 OFFSET $4"),
    postgres: run_row!(
        "WHERE (mirror_id, id) < ($1, $2) AND (mirror_id, id) > ($1, 0) \
         ORDER BY mirror_id DESC, id DESC LIMIT $3 OFFSET $4"
    ),
};

// Not in that way: where rows of three columns are compared, PostgreSQL walks on to the end of the
// first. How rare each status is it knows by its statistics.
pub(crate) const BY_STATUS: &str = run_row!(
    "WHERE mirror_id = $1 AND status = $5 AND id < $2 ORDER BY id DESC LIMIT $3 OFFSET $4"
);

// Found by the condition of the index of these.
pub(crate) const ERRORS: &str = "\
SELECT m.error AS why, COUNT(*) AS jobs, MIN(w.key) AS example
FROM run_memberships m JOIN work w ON w.id = m.work_id
WHERE m.run_id = $1 AND m.outcome IN ('failed', 'skipped') AND m.outcome = 'failed'
  AND m.error IS NOT NULL
GROUP BY m.error ORDER BY 2 DESC, 1 LIMIT $2";

// Why an issue is left out stands where its mapping does, which is looked up by its number.
pub(crate) const SKIPPED: &str = "\
SELECT COALESCE(i.sync_error, 'no reason is on record') AS why, COUNT(*) AS jobs,
       MIN(w.key) AS example
FROM run_memberships m JOIN work w ON w.id = m.work_id
     LEFT JOIN issue_mappings i ON i.mirror_id = w.mirror_id AND i.source_issue_iid =
          CASE WHEN w.kind = 'sync_issue'
               THEN CAST(SUBSTR(w.key, LENGTH('sync_issue/' || w.mirror_id || '/') + 1) AS BIGINT)
          END
WHERE m.run_id = $1 AND m.outcome IN ('failed', 'skipped') AND m.outcome = 'skipped'
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $2";

impl Store {
    /// A mirror's runs, latest first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn listed_runs(
        &self,
        mirror: MirrorId,
        filter: &RunFilter,
        limit: u32,
    ) -> Result<Vec<Run>, StoreError> {
        let text = filter.status.map_or(PAGE, |_| BY_STATUS.into());
        let query = self
            .read(text)
            .bind(mirror.0)
            .bind(filter.before.map_or(i64::MAX, |run| run.0))
            .bind(i64::from(limit))
            .bind(filter.offset);
        let query = match filter.status {
            Some(status) => query.bind(status.name()),
            None => query,
        };
        let rows: Vec<RunRow> = query.fetch_all().await?;
        self.with_progress_of(rows).await
    }

    /// What went wrong in a run, the most frequent first. A run that ended long ago has forgotten.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn run_errors(&self, run: RunId, limit: u32) -> Result<Vec<RunGroup>, StoreError> {
        let query = self.read(ERRORS).bind(run.0).bind(i64::from(limit));
        Ok(query.fetch_all().await?)
    }

    /// Why issues of a run were left out, the most frequent first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn run_skips(&self, run: RunId, limit: u32) -> Result<Vec<RunGroup>, StoreError> {
        let query = self.read(SKIPPED).bind(run.0).bind(i64::from(limit));
        Ok(query.fetch_all().await?)
    }
}
