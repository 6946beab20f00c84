//! Levels of urgency as queues: how much waits in each, and which of them rest.

use crate::{Store, StoreError, database::PATIENCE, work::read_priority};
use chrono::{DateTime, Utc};
use mirror_core::job::Priority;
use std::time::Duration;

/// A level of urgency, and what waits in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Queue {
    /// The level.
    pub priority: Priority,
    /// Rows that wait for their time or their turn.
    pub pending: i64,
    /// Handed out, not started.
    pub queued: i64,
    /// Run.
    pub running: i64,
    /// How long the row that is due longest has been due; none: nothing is due.
    pub oldest_due: Option<Duration>,
    /// Why it rests, if it does.
    pub paused: Option<String>,
}

// What waits is kept count of, but for what is of no mirror, of which there is little. Of the rest
// what is out is counted.
pub(crate) const QUEUES: &str = "\
WITH levels (priority) AS (VALUES (0), (1), (2))
SELECT CAST(l.priority AS BIGINT) AS priority, q.paused,
       CASE l.priority WHEN 0 THEN k.backfill WHEN 1 THEN k.incremental ELSE k.by_hand END AS kept,
       (SELECT COUNT(*) FROM work w WHERE w.state IN ('queued', 'running')
        AND w.mirror_id IS NOT NULL AND w.priority = l.priority) AS taken,
       (SELECT COUNT(*) FROM work w WHERE w.state IN ('queued', 'running') AND w.state = 'queued'
        AND w.priority = l.priority) AS queued,
       (SELECT COUNT(*) FROM work w WHERE w.state IN ('queued', 'running') AND w.state = 'running'
        AND w.priority = l.priority) AS running,
       (SELECT COUNT(*) FROM work w WHERE w.mirror_id IS NULL AND w.priority = l.priority
        AND w.state = 'pending') AS loose,
       (SELECT MIN((SELECT MIN(w.run_at) FROM work w WHERE w.mirror_id = m.id
                    AND w.priority = l.priority AND w.state = 'pending'))
        FROM mirrors m) AS oldest,
       (SELECT MIN(w.run_at) FROM work w WHERE w.mirror_id IS NULL AND w.priority = l.priority
        AND w.state = 'pending')
           AS oldest_loose
FROM levels l
CROSS JOIN (SELECT CAST(COALESCE(SUM(backfill), 0) AS BIGINT) AS backfill,
                   CAST(COALESCE(SUM(incremental), 0) AS BIGINT) AS incremental,
                   CAST(COALESCE(SUM(by_hand), 0) AS BIGINT) AS by_hand
            FROM mirror_counts) k
LEFT JOIN queues q ON q.priority = l.priority
ORDER BY l.priority DESC";

const ONE: &str = "SELECT paused FROM queues WHERE priority = $1";

const SET: &str = "\
INSERT INTO queues (priority, paused, updated_at) VALUES ($1, $2, $3)
ON CONFLICT (priority) DO UPDATE SET paused = excluded.paused, updated_at = excluded.updated_at";

#[derive(sqlx::FromRow)]
struct QueueRow {
    priority: i64,
    paused: Option<String>,
    kept: i64,
    taken: i64,
    queued: i64,
    running: i64,
    loose: i64,
    oldest: Option<DateTime<Utc>>,
    oldest_loose: Option<DateTime<Utc>>,
}

impl Store {
    /// All levels of urgency, the most urgent first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn queues(&self) -> Result<Vec<Queue>, StoreError> {
        let now = self.now();
        let rows: Vec<QueueRow> = self.read(QUEUES).fetch_all().await?;
        rows.into_iter()
            .map(|row| {
                let oldest = row.oldest.into_iter().chain(row.oldest_loose).min();
                Ok(Queue {
                    priority: read_priority(row.priority)?,
                    pending: row.kept - row.taken + row.loose,
                    queued: row.queued,
                    running: row.running,
                    oldest_due: oldest.and_then(|oldest| (now - oldest).to_std().ok()),
                    paused: row.paused,
                })
            })
            .collect()
    }

    /// Why the level of this number rests, if it does.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn queue_rests(&self, priority: i64) -> Result<Option<String>, StoreError> {
        let row: Option<(Option<String>,)> = self.read(ONE).bind(priority).fetch_optional().await?;
        Ok(row.and_then(|(paused,)| paused))
    }

    /// Hands nothing more out of a level (`None`: again). What is out already may end.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn pause_queue(
        &self,
        priority: Priority,
        reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        tx.query(SET)
            .bind(priority as i64)
            .bind(reason)
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await
    }
}
