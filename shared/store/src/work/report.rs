//! Looking at what is owed, and at how it went.

use crate::{
    Store, StoreError,
    database::PATIENCE,
    sql::{Text, on_work},
};
use chrono::{DateTime, Utc};
use mirror_core::ids::{MirrorId, WorkId};

/// What is owed to a mirror, in numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DueSummary {
    /// Waits for its time or its turn; none of a mirror that rests.
    pub pending: u64,
    /// Waits because the mirror rests.
    pub paused: u64,
    /// Claimed, not started.
    pub queued: u64,
    /// Runs.
    pub running: u64,
    /// Dead letters.
    pub dead: u64,
    /// When the first pending row is due; may be past.
    pub next_run_at: Option<DateTime<Utc>>,
}

/// A row that is not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WorkRow {
    /// The row.
    pub work: WorkId,
    /// Its key, `sync_issue/7/123`.
    pub key: String,
    /// How it stands.
    pub state: WorkState,
    /// When it is or was due.
    pub run_at: DateTime<Utc>,
    /// Failures since it last succeeded.
    pub attempts: i64,
    /// What last went wrong.
    pub last_error: Option<String>,
}

/// How a row stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WorkState {
    /// Waits for its time or its turn.
    Pending,
    /// As pending, but its mirror rests.
    Paused,
    /// Claimed, not started.
    Queued,
    /// Runs.
    Running,
    /// A dead letter.
    Dead,
}

// Each part repeats the condition of the small index that serves it.
const DUE: &str = "\
SELECT 'pending', COUNT(*), MIN(run_at) FROM work WHERE mirror_id = $1 AND state = 'pending'
UNION ALL
SELECT state, COUNT(*), NULL FROM work
WHERE mirror_id = $1 AND state IN ('queued', 'running') GROUP BY state
UNION ALL
SELECT 'dead', COUNT(*), NULL FROM work WHERE mirror_id = $1 AND state = 'dead'";

const PAUSED: &str = "SELECT paused IS NOT NULL FROM mirrors WHERE id = $1";

const UNFINISHED: &str = "\
SELECT w.id, w.key,
       CASE WHEN w.state = 'pending' AND m.paused IS NOT NULL THEN 'paused' ELSE w.state END
           AS state,
       w.run_at, w.attempts, w.last_error
FROM work w JOIN mirrors m ON m.id = w.mirror_id
WHERE w.mirror_id = $1 AND w.state <> 'done'
ORDER BY CASE w.state WHEN 'dead' THEN 0 ELSE 1 END, w.run_at, w.id LIMIT $2";

const RETRY_DEAD: Text = on_work!(
    "mirror_id = $1 AND state = 'dead'",
    in_turn,
    "UPDATE work SET state = 'pending', run_at = $2, not_before = NULL, priority = 2, attempts = 0,
                     crashes = 0, rerun_at = NULL, rerun_changed = false, updated_at = $2
     WHERE id IN (SELECT id FROM held)"
);

#[derive(sqlx::FromRow)]
struct UnfinishedRow {
    id: i64,
    key: String,
    state: String,
    run_at: DateTime<Utc>,
    attempts: i64,
    last_error: Option<String>,
}

impl Store {
    /// What is owed to a mirror, in numbers.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn due(&self, mirror: MirrorId) -> Result<DueSummary, StoreError> {
        let paused: Option<(bool,)> = self.read(PAUSED).bind(mirror.0).fetch_optional().await?;
        let rows: Vec<(String, i64, Option<DateTime<Utc>>)> =
            self.read(DUE).bind(mirror.0).fetch_all().await?;
        let mut due = DueSummary::default();
        for (state, count, first) in rows {
            let count = u64::try_from(count).unwrap_or_default();
            match read_state(&state)? {
                WorkState::Pending if paused == Some((true,)) => due.paused = count,
                WorkState::Pending => {
                    due.pending = count;
                    due.next_run_at = first;
                }
                WorkState::Paused => due.paused = count,
                WorkState::Queued => due.queued = count,
                WorkState::Running => due.running = count,
                WorkState::Dead => due.dead = count,
            }
        }
        Ok(due)
    }

    /// Up to `limit` rows of a mirror that are not done: dead letters first, then by time.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn unfinished(
        &self,
        mirror: MirrorId,
        limit: u32,
    ) -> Result<Vec<WorkRow>, StoreError> {
        let rows: Vec<UnfinishedRow> = self
            .read(UNFINISHED)
            .bind(mirror.0)
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(WorkRow {
                    work: WorkId(row.id),
                    key: row.key,
                    state: read_state(&row.state)?,
                    run_at: row.run_at,
                    attempts: row.attempts,
                    last_error: row.last_error,
                })
            })
            .collect()
    }

    /// Gives all dead letters of a mirror another chance, by hand; returns how many.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn retry_dead(&self, mirror: MirrorId) -> Result<u64, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let revived = tx
            .query(RETRY_DEAD)
            .bind(mirror.0)
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await?;
        Ok(revived)
    }
}

fn read_state(name: &str) -> Result<WorkState, StoreError> {
    match name {
        "pending" => Ok(WorkState::Pending),
        "paused" => Ok(WorkState::Paused),
        "queued" => Ok(WorkState::Queued),
        "running" => Ok(WorkState::Running),
        "dead" => Ok(WorkState::Dead),
        _ => Err(StoreError::Unreadable {
            what: "the state of work",
        }),
    }
}
