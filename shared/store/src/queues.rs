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
    /// Of these, those that are due by now.
    pub due: i64,
    /// Handed out, not started.
    pub queued: i64,
    /// Run.
    pub running: i64,
    /// How long the row that is due longest has been due.
    pub oldest_due: Duration,
    /// Why it rests, if it does.
    pub paused: Option<String>,
}

// Depths are counted in indexes of what is not done alone.
const QUEUES: &str = "\
WITH levels (priority) AS (VALUES (0), (1), (2))
SELECT CAST(l.priority AS BIGINT) AS priority,
       COALESCE(p.pending, 0) AS pending, COALESCE(p.due, 0) AS due, p.oldest,
       COALESCE(o.queued, 0) AS queued, COALESCE(o.running, 0) AS running, q.paused
FROM levels l
LEFT JOIN (SELECT priority, COUNT(*) AS pending, COUNT(CASE WHEN run_at <= $1 THEN 1 END) AS due,
                  MIN(run_at) AS oldest
           FROM work WHERE state = 'pending' GROUP BY priority) p ON p.priority = l.priority
LEFT JOIN (SELECT priority, COUNT(CASE WHEN state = 'queued' THEN 1 END) AS queued,
                  COUNT(CASE WHEN state = 'running' THEN 1 END) AS running
           FROM work WHERE state IN ('queued', 'running') GROUP BY priority) o
     ON o.priority = l.priority
LEFT JOIN queues q ON q.priority = l.priority
ORDER BY l.priority DESC";

const ONE: &str = "SELECT paused FROM queues WHERE priority = $1";

const SET: &str = "\
INSERT INTO queues (priority, paused, updated_at) VALUES ($1, $2, $3)
ON CONFLICT (priority) DO UPDATE SET paused = excluded.paused, updated_at = excluded.updated_at";

#[derive(sqlx::FromRow)]
struct QueueRow {
    priority: i64,
    pending: i64,
    due: i64,
    queued: i64,
    running: i64,
    oldest: Option<DateTime<Utc>>,
    paused: Option<String>,
}

impl Store {
    /// All levels of urgency, the most urgent first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn queues(&self) -> Result<Vec<Queue>, StoreError> {
        let now = self.now();
        let rows: Vec<QueueRow> = self.read(QUEUES).bind(now).fetch_all().await?;
        rows.into_iter()
            .map(|row| {
                let late = row.oldest.and_then(|oldest| (now - oldest).to_std().ok());
                Ok(Queue {
                    priority: read_priority(row.priority)?,
                    pending: row.pending,
                    due: row.due,
                    queued: row.queued,
                    running: row.running,
                    oldest_due: late.unwrap_or_default(),
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
