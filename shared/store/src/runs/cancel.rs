//! Cancelling a run: it ends, and what it alone had asked for waits for its mirror's next turn.

use super::request::TAKE_TURN;
use crate::{
    Store, StoreError,
    database::PATIENCE,
    sql::{Text, on_work},
};
use chrono::{DateTime, Utc};
use mirror_core::ids::RunId;

const MIRROR_OF: &str = "SELECT mirror_id FROM issue_sync_jobs WHERE id = $1";

const CANCEL: &str = "\
UPDATE issue_sync_jobs SET status = 'cancelled', completed_at = $2
WHERE id = $1 AND status = 'running'";

// Where nobody else waits for a row, it waits until its mirror's turn comes anyway; a ticket that
// is out is void, and who runs it is asked to stop before the next write.
const PUT_OFF: Text = on_work!(
    "state IN ('pending', 'queued', 'running')
     AND id IN (SELECT m.work_id FROM run_memberships m
                WHERE m.run_id = $1 AND m.settled_at IS NULL)
     AND NOT EXISTS (SELECT 1 FROM run_memberships o
                     WHERE o.work_id = work.id AND o.run_id <> $1 AND o.settled_at IS NULL)",
    in_turn,
    "UPDATE work SET
        run_at = CASE WHEN run_at < $2 THEN $2 ELSE run_at END,
        lease_until = CASE WHEN state = 'queued' THEN NULL ELSE lease_until END,
        stop_asked = (state = 'running'),
        state = CASE WHEN state = 'queued' THEN 'pending' ELSE state END,
        updated_at = $3
     WHERE id IN (SELECT id FROM held)"
);

const LEAVE: &str = "DELETE FROM run_memberships WHERE run_id = $1 AND settled_at IS NULL";

const NEXT_TURN: &str = "\
SELECT next_scan_at, interval_seconds FROM mirror_issue_configs WHERE mirror_id = $1";

impl Store {
    /// Ends a run that is under way. What it had found is owed still, and waits for the mirror's
    /// next turn unless another run waits for it; jobs that run for it alone stop before their
    /// next write ([`Store::stops_asked`]).
    ///
    /// # Errors
    /// [`StoreError::NoSuchRun`] if it is not under way.
    pub async fn cancel_run(&self, run: RunId) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let mirror: Option<(i64,)> = tx.query(MIRROR_OF).bind(run.0).fetch_optional().await?;
        let (mirror,) = mirror.ok_or(StoreError::NoSuchRun(run))?;
        tx.query(TAKE_TURN).bind(mirror).bind(now).execute().await?;
        if tx.query(CANCEL).bind(run.0).bind(now).execute().await? == 0 {
            return Err(StoreError::NoSuchRun(run));
        }
        let turn: Option<(Option<DateTime<Utc>>, i64)> =
            tx.query(NEXT_TURN).bind(mirror).fetch_optional().await?;
        let (next, interval) = turn.unwrap_or((None, 0));
        let next = next.unwrap_or(now + chrono::TimeDelta::seconds(interval));
        tx.query(PUT_OFF)
            .bind(run.0)
            .bind(next)
            .bind(now)
            .execute()
            .await?;
        tx.query(LEAVE).bind(run.0).execute().await?;
        tx.commit().await
    }
}
