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

// Rows that are not done are kept count of; what is out is little, and what is due first is one probe
// for each level of urgency.
pub(crate) const DUE: &str = "\
SELECT CAST(COALESCE(SUM(c.backfill + c.incremental + c.by_hand), 0) AS BIGINT) AS unfinished,
       CAST(COALESCE(SUM(c.dead), 0) AS BIGINT) AS dead,
       (SELECT COUNT(*) FROM work
        WHERE mirror_id = $1 AND state IN ('queued', 'running') AND state = 'queued') AS queued,
       (SELECT COUNT(*) FROM work
        WHERE mirror_id = $1 AND state IN ('queued', 'running') AND state = 'running') AS running,
       (SELECT MIN(run_at) FROM work
        WHERE mirror_id = $1 AND priority = 0 AND state = 'pending') AS backfill,
       (SELECT MIN(run_at) FROM work
        WHERE mirror_id = $1 AND priority = 1 AND state = 'pending') AS incremental,
       (SELECT MIN(run_at) FROM work
        WHERE mirror_id = $1 AND priority = 2 AND state = 'pending') AS by_hand,
       COALESCE((SELECT paused IS NOT NULL FROM mirrors WHERE id = $1), false) AS rests
FROM mirror_counts c WHERE c.mirror_id = $1";

const UNFINISHED: &str = "\
SELECT w.id, w.key,
       CASE WHEN w.state = 'pending' AND m.paused IS NOT NULL AND w.kind <> 'check_instance'
            THEN 'paused' ELSE w.state END AS state,
       w.run_at, w.attempts, w.last_error
FROM work w JOIN mirrors m ON m.id = w.mirror_id
WHERE w.mirror_id = $1 AND w.state <> 'done'
ORDER BY CASE w.state WHEN 'dead' THEN 0 ELSE 1 END, w.run_at, w.id LIMIT $2";

// Some at a time: who else works on the mirror is not held up by them all. What dies again
// meanwhile stays dead.
const RETRY_DEAD: Text = on_work!(
    "id IN (SELECT id FROM work
            WHERE mirror_id = $1 AND state = 'dead' AND updated_at <= $2 LIMIT $3)
     AND state = 'dead'",
    in_turn,
    "UPDATE work SET state = 'pending', run_at = $2, not_before = NULL, priority = 2, attempts = 0,
                     crashes = 0, rerun_at = NULL, rerun_changed = false, updated_at = $2
     WHERE id IN (SELECT id FROM held)"
);

/// Dead letters that are revived in one transaction.
const AT_ONCE: i64 = 500;

#[derive(sqlx::FromRow)]
struct DueRow {
    unfinished: i64,
    dead: i64,
    queued: i64,
    running: i64,
    backfill: Option<DateTime<Utc>>,
    incremental: Option<DateTime<Utc>>,
    by_hand: Option<DateTime<Utc>>,
    rests: bool,
}

impl From<DueRow> for DueSummary {
    fn from(row: DueRow) -> Self {
        let waiting = row.unfinished - row.queued - row.running;
        let number = |count: i64| u64::try_from(count).unwrap_or_default();
        let first = [row.backfill, row.incremental, row.by_hand];
        Self {
            pending: if row.rests { 0 } else { number(waiting) },
            paused: if row.rests { number(waiting) } else { 0 },
            queued: number(row.queued),
            running: number(row.running),
            dead: number(row.dead),
            next_run_at: first.into_iter().flatten().min().filter(|_| !row.rests),
        }
    }
}

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
        let row: DueRow = self.read(DUE).bind(mirror.0).fetch_one().await?;
        Ok(row.into())
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
        let (now, mut revived) = (self.now(), 0);
        loop {
            let mut tx = self.begin(PATIENCE).await?;
            let query = tx.query(RETRY_DEAD).bind(mirror.0).bind(now);
            let some = query.bind(AT_ONCE).execute().await?;
            tx.commit().await?;
            revived += some;
            if some == 0 {
                return Ok(revived);
            }
        }
    }
}

pub(super) fn read_state(name: &str) -> Result<WorkState, StoreError> {
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
