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

// Kept count of; there are few that read differently.
pub(crate) const REASONS: &str = "\
SELECT g.why, g.jobs, w.key AS example
FROM (SELECT MIN(why) AS why, MIN(example) AS example, CAST(SUM(jobs) AS BIGINT) AS jobs
      FROM run_groups WHERE run_id = $1 AND outcome = $2
      GROUP BY fingerprint HAVING SUM(jobs) > 0) g
JOIN work w ON w.id = g.example
ORDER BY g.jobs DESC, g.why LIMIT $3";

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

    /// What went wrong in a run, the most frequent first. What reads alike but for its numbers is
    /// told as one.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn run_errors(&self, run: RunId, limit: u32) -> Result<Vec<RunGroup>, StoreError> {
        self.reasons(run, "failed", limit).await
    }

    /// Why issues of a run were left out, as [`Store::run_errors`] tells what went wrong.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn run_skips(&self, run: RunId, limit: u32) -> Result<Vec<RunGroup>, StoreError> {
        self.reasons(run, "skipped", limit).await
    }

    async fn reasons(
        &self,
        run: RunId,
        outcome: &str,
        limit: u32,
    ) -> Result<Vec<RunGroup>, StoreError> {
        let query = self.read(REASONS).bind(run.0).bind(outcome);
        Ok(query.bind(i64::from(limit)).fetch_all().await?)
    }
}
