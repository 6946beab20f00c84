//! When each mirror's turn comes, and how it is to be mirrored.

use crate::{
    Requested, RunKind, RunRequest, Store, StoreError, database::PATIENCE, runs::TAKE_TURN,
    time::micros,
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::MirrorId,
    job::{Job, Priority},
    preserve::Preserve,
};

/// How a mirror is mirrored, and how often.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Schedule {
    /// From the beginning of one scan to that of the next.
    pub interval: TimeDelta,
    /// How often everything is compared; `None`: never by itself.
    pub full_interval: Option<TimeDelta>,
    /// Mirror issues too that were closed before they were first seen.
    pub include_closed: bool,
    /// The label that tells people that an issue is a mirror; empty: none.
    pub mirrored_label: String,
    /// Files above this many bytes stay links to the source.
    pub max_attachment_size: i64,
    /// Whether copies keep number and times.
    pub preserve: Preserve,
    /// When the next scan is due; `None`: it is not scheduled.
    pub next_scan_at: Option<DateTime<Utc>>,
    /// When everything is compared next.
    pub next_full_at: Option<DateTime<Utc>>,
}

/// A mirror whose turn has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DueMirror {
    /// The mirror.
    pub mirror: MirrorId,
    /// When it was due.
    pub due_at: DateTime<Utc>,
    /// From scan to scan.
    pub interval: TimeDelta,
    /// From one comparison of everything to the next.
    pub full_interval: Option<TimeDelta>,
    /// When everything was to be compared.
    pub next_full_at: Option<DateTime<Utc>>,
}

/// A turn taken: what is owed now, and when the next one comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// The mirror, as it was found due.
    pub due: DueMirror,
    /// Everything is compared this time.
    pub full: bool,
    /// When the next scan is due.
    pub next_scan_at: DateTime<Utc>,
    /// When everything is compared next.
    pub next_full_at: Option<DateTime<Utc>>,
}

const SAVE: &str = "\
UPDATE mirror_issue_configs SET
    interval_seconds = $2, full_interval_seconds = $3, include_closed = $4, mirrored_label = $5,
    max_attachment_size = $6, preserve = $7, next_scan_at = $8, next_full_at = $9,
    revision = revision + 1, updated_at = $10
WHERE mirror_id = $1";

const ONE: &str = "\
SELECT interval_seconds, full_interval_seconds, include_closed, mirrored_label,
       max_attachment_size, preserve, next_scan_at, next_full_at
FROM mirror_issue_configs WHERE mirror_id = $1";

const DUE: &str = "\
SELECT c.mirror_id, c.next_scan_at, c.interval_seconds, c.full_interval_seconds, c.next_full_at
FROM mirror_issue_configs c JOIN mirrors m ON m.id = c.mirror_id
WHERE c.next_scan_at <= $1 AND m.paused IS NULL
ORDER BY c.next_scan_at, c.mirror_id LIMIT $2";

const STILL_DUE: &str = "\
SELECT mirror_id FROM mirror_issue_configs WHERE mirror_id = $1 AND next_scan_at = $2";

// Whoever changes it first has the turn.
const TAKE: &str = "\
UPDATE mirror_issue_configs SET next_scan_at = $3, next_full_at = $4, updated_at = $5
WHERE mirror_id = $1 AND next_scan_at = $2";

const NEXT: &str = "\
SELECT MIN(c.next_scan_at) FROM mirror_issue_configs c JOIN mirrors m ON m.id = c.mirror_id
WHERE c.next_scan_at IS NOT NULL AND m.paused IS NULL";

#[derive(sqlx::FromRow)]
pub(crate) struct ScheduleRow {
    interval_seconds: i64,
    full_interval_seconds: Option<i64>,
    include_closed: bool,
    mirrored_label: String,
    max_attachment_size: i64,
    preserve: String,
    next_scan_at: Option<DateTime<Utc>>,
    next_full_at: Option<DateTime<Utc>>,
}

impl From<ScheduleRow> for Schedule {
    fn from(row: ScheduleRow) -> Self {
        Self {
            interval: TimeDelta::seconds(row.interval_seconds),
            full_interval: row.full_interval_seconds.map(TimeDelta::seconds),
            include_closed: row.include_closed,
            mirrored_label: row.mirrored_label,
            max_attachment_size: row.max_attachment_size,
            // The table admits no other word.
            preserve: row.preserve.parse().unwrap_or_default(),
            next_scan_at: row.next_scan_at,
            next_full_at: row.next_full_at,
        }
    }
}

#[derive(sqlx::FromRow)]
struct DueRow {
    mirror_id: i64,
    next_scan_at: DateTime<Utc>,
    interval_seconds: i64,
    full_interval_seconds: Option<i64>,
    next_full_at: Option<DateTime<Utc>>,
}

impl Store {
    /// Sets how and how often a mirror is mirrored.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn set_schedule(
        &self,
        mirror: MirrorId,
        schedule: &Schedule,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let saved = tx
            .query(SAVE)
            .bind(mirror.0)
            .bind(schedule.interval.num_seconds())
            .bind(schedule.full_interval.map(|every| every.num_seconds()))
            .bind(schedule.include_closed)
            .bind(&schedule.mirrored_label)
            .bind(schedule.max_attachment_size)
            .bind(schedule.preserve.name())
            .bind(schedule.next_scan_at.map(micros))
            .bind(schedule.next_full_at.map(micros))
            .bind(self.now())
            .execute()
            .await?;
        if saved == 0 {
            return Err(StoreError::NoSuchMirror(mirror));
        }
        tx.commit().await
    }

    /// How and how often a mirror is mirrored.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn schedule(&self, mirror: MirrorId) -> Result<Schedule, StoreError> {
        let row: Option<ScheduleRow> = self.read(ONE).bind(mirror.0).fetch_optional().await?;
        row.map(Schedule::from)
            .ok_or(StoreError::NoSuchMirror(mirror))
    }

    /// Up to `limit` mirrors whose turn has come and that do not rest, longest due first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn due_mirrors(&self, limit: u32) -> Result<Vec<DueMirror>, StoreError> {
        let rows: Vec<DueRow> = self
            .read(DUE)
            .bind(self.now())
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| DueMirror {
                mirror: MirrorId(row.mirror_id),
                due_at: row.next_scan_at,
                interval: TimeDelta::seconds(row.interval_seconds),
                full_interval: row.full_interval_seconds.map(TimeDelta::seconds),
                next_full_at: row.next_full_at,
            })
            .collect())
    }

    /// When the next turn comes, of any mirror that does not rest; may be past.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn next_turn(&self) -> Result<Option<DateTime<Utc>>, StoreError> {
        let (next,): (Option<DateTime<Utc>>,) = self.read(NEXT).fetch_one().await?;
        Ok(next)
    }

    /// Takes a mirror's turn: owes its scan, begins its run and sets the next turn, in one
    /// transaction. Of several schedulers that found it due, one takes it; the others get `None`.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn take_turn(&self, turn: &Turn) -> Result<Option<Requested>, StoreError> {
        let mirror = turn.due.mirror;
        // A turn that a power failure forgets is due still, with all that was owed by it.
        let mut tx = self.begin_light(PATIENCE).await?;
        let due_at = micros(turn.due.due_at);
        let one_by_one = tx.query(TAKE_TURN).bind(mirror.0).bind(self.now());
        one_by_one.execute().await?;
        let still = tx.query(STILL_DUE).bind(mirror.0).bind(due_at);
        if still.fetch_optional::<(i64,)>().await?.is_none() {
            return Ok(None);
        }
        let (kind, priority) = if turn.full {
            (RunKind::Full, Priority::Backfill)
        } else {
            (RunKind::Incremental, Priority::Incremental)
        };
        let request = RunRequest {
            mirror,
            kind,
            jobs: &[Job::ScanMirror { mirror }],
            priority,
            by: "schedule",
        };
        let requested = self.request_run_in(&mut tx, &request).await?;
        // Last, because a scan that ends holds its work before it comes to this row.
        let taken = tx
            .query(TAKE)
            .bind(mirror.0)
            .bind(due_at)
            .bind(micros(turn.next_scan_at))
            .bind(turn.next_full_at.map(micros))
            .bind(self.now())
            .execute()
            .await?;
        if taken == 0 {
            return Ok(None);
        }
        tx.commit().await?;
        Ok(Some(requested))
    }
}
