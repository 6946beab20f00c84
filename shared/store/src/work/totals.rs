//! The deployment in numbers.

use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// How much is owed, of all mirrors, and who works on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WorkTotals {
    /// Waits for its time or its turn.
    pub pending: i64,
    /// Handed out, not started.
    pub queued: i64,
    /// Runs.
    pub running: i64,
    /// Dead letters.
    pub dead: i64,
    /// How long the pending row that is due longest has been due.
    pub oldest_due: Duration,
    /// Workers on record.
    pub workers: i64,
}

// What waits and what was given up is kept count of, but for what is of no mirror, of which there is
// little. Each other part repeats the condition of the partial index that serves it.
pub(crate) const TOTALS: &str = "\
SELECT CAST(COALESCE(SUM(c.backfill + c.incremental + c.by_hand), 0) AS BIGINT)
           - (SELECT COUNT(*) FROM work
              WHERE state IN ('queued', 'running') AND mirror_id IS NOT NULL)
           + (SELECT COUNT(*) FROM work WHERE mirror_id IS NULL AND state = 'pending') AS pending,
       (SELECT COUNT(*) FROM work WHERE state IN ('queued', 'running') AND state = 'queued')
           AS queued,
       (SELECT COUNT(*) FROM work WHERE state IN ('queued', 'running') AND state = 'running')
           AS running,
       CAST(COALESCE(SUM(c.dead), 0) AS BIGINT)
           + (SELECT COUNT(*) FROM work WHERE mirror_id IS NULL AND state = 'dead') AS dead,
       (SELECT MIN(run_at) FROM work WHERE state || '' = 'pending') AS oldest,
       (SELECT COUNT(*) FROM workers) AS workers
FROM mirror_counts c";

#[derive(sqlx::FromRow)]
struct TotalsRow {
    pending: i64,
    queued: i64,
    running: i64,
    dead: i64,
    oldest: Option<DateTime<Utc>>,
    workers: i64,
}

impl Store {
    /// The deployment in numbers.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn work_totals(&self) -> Result<WorkTotals, StoreError> {
        let row: TotalsRow = self.read(TOTALS).fetch_one().await?;
        let late = row.oldest.map(|oldest| self.now() - oldest);
        Ok(WorkTotals {
            pending: row.pending,
            queued: row.queued,
            running: row.running,
            dead: row.dead,
            oldest_due: late.and_then(|late| late.to_std().ok()).unwrap_or_default(),
            workers: row.workers,
        })
    }
}
