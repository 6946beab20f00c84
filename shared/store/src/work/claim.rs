//! Claiming: the next rows due, fairly, each with a new ticket.

use crate::{Store, StoreError, time::later};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{MirrorId, TicketNumber, WorkId},
    job::{Priority, Ticket},
};
use std::{collections::HashMap, time::Duration};

/// A row that was claimed, ready to be delivered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// What travels.
    pub ticket: Ticket,
    /// The row's key, `sync_issue/7/123`.
    pub key: String,
    /// The mirror it belongs to.
    pub mirror: MirrorId,
    /// How urgent it is.
    pub priority: Priority,
}

// From each mirror and priority only as many rows are looked at as one mirror may have out, each
// found by one probe of the index: the cost depends on the number of mirrors, not on how much
// waits. (PostgreSQL will want the probe as CROSS JOIN LATERAL, which SQLite does not have; the
// rest reads the same.)
const CLAIM: &str = "\
WITH out_now (mirror_id, busy) AS (
    SELECT mirror_id, COUNT(*) FROM work
    WHERE state IN ('queued', 'running') GROUP BY mirror_id
),
levels (priority) AS (VALUES (0), (1), (2)),
candidates AS (
    SELECT w.id, w.priority, w.run_at,
           COALESCE(o.busy, 0) + ROW_NUMBER() OVER (
               PARTITION BY w.mirror_id ORDER BY w.priority DESC, w.run_at, w.id) AS place
    FROM mirrors m CROSS JOIN levels l CROSS JOIN work w
    LEFT JOIN out_now o ON o.mirror_id = w.mirror_id
    WHERE m.paused IS NULL AND ($5 IS NULL OR m.id = $5)
      AND w.id IN (SELECT c.id FROM work c
                   WHERE c.mirror_id = m.id AND c.state = 'pending'
                     AND c.priority = l.priority AND c.run_at <= $1
                   ORDER BY c.run_at, c.id LIMIT $3)
)
UPDATE work SET state = 'queued', ticket = ticket + 1, lease_until = $4, owner = NULL,
                started_at = NULL, updated_at = $1
WHERE state = 'pending' AND id IN (
    SELECT id FROM candidates WHERE place <= $3
    ORDER BY priority DESC, place, run_at, id LIMIT $2)
RETURNING id, ticket, key, mirror_id, priority, run_at";

#[derive(sqlx::FromRow)]
struct ClaimedRow {
    id: i64,
    ticket: i64,
    key: String,
    mirror_id: i64,
    priority: i64,
    run_at: DateTime<Utc>,
}

impl Store {
    /// Claims up to `limit` rows that are due, of all mirrors that do not rest: the urgent before
    /// the less urgent, among equals the mirror that has least out, and never more than
    /// `per_mirror` of one mirror out at once. Each gets a new ticket, which is void unless
    /// started within `lease`. In the order in which they had better be delivered.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn claim(
        &self,
        limit: usize,
        per_mirror: usize,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.claim_from(None, limit, per_mirror, lease).await
    }

    /// As [`Store::claim`], of one mirror alone: for a process that has only its tokens.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn claim_of(
        &self,
        mirror: MirrorId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.claim_from(Some(mirror), limit, limit, lease).await
    }

    async fn claim_from(
        &self,
        only: Option<MirrorId>,
        limit: usize,
        per_mirror: usize,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        let now = self.now();
        let turn = self.light().await?;
        let rows: Vec<ClaimedRow> = sqlx::query_as(CLAIM)
            .bind(now)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(i64::try_from(per_mirror).unwrap_or(i64::MAX))
            .bind(later(now, lease))
            .bind(only.map(|mirror| mirror.0))
            .fetch_all(turn.writer)
            .await?;
        drop(turn);
        in_turns(rows).into_iter().map(Claimed::try_from).collect()
    }
}

/// An update returns rows in no order: within a priority, the mirrors take turns.
fn in_turns(mut rows: Vec<ClaimedRow>) -> Vec<ClaimedRow> {
    rows.sort_by(|a, b| (b.priority, a.run_at, a.id).cmp(&(a.priority, b.run_at, b.id)));
    let mut taken: HashMap<i64, u64> = HashMap::new();
    let mut placed: Vec<(u64, ClaimedRow)> = rows
        .into_iter()
        .map(|row| {
            let place = taken.entry(row.mirror_id).or_default();
            *place += 1;
            (*place, row)
        })
        .collect();
    placed.sort_by_key(|(place, row)| (-row.priority, *place));
    placed.into_iter().map(|(_, row)| row).collect()
}

impl TryFrom<ClaimedRow> for Claimed {
    type Error = StoreError;

    fn try_from(row: ClaimedRow) -> Result<Self, StoreError> {
        Ok(Self {
            ticket: Ticket {
                work: WorkId(row.id),
                ticket: TicketNumber(row.ticket),
            },
            key: row.key,
            mirror: MirrorId(row.mirror_id),
            priority: read_priority(row.priority)?,
        })
    }
}

pub(super) fn read_priority(number: i64) -> Result<Priority, StoreError> {
    [Priority::Backfill, Priority::Incremental, Priority::ByHand]
        .into_iter()
        .find(|priority| *priority as i64 == number)
        .ok_or(StoreError::Unreadable { what: "a priority" })
}
