//! Claiming: the next rows due, fairly, each with a new ticket.

use super::{
    claim_errands::claim_errands,
    deal::{Out, Rules, Table, Waiting},
    hands::Hands,
};
use crate::{
    Store, StoreError,
    database::PATIENCE,
    sql::{Text, on_work},
    time::later,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{InstanceId, MirrorId, TicketNumber, WorkId},
    job::{Priority, Ticket},
};
use sqlx::types::Json;
use std::{collections::BTreeSet, time::Duration};

/// What may be claimed.
#[derive(Clone, Copy, Debug)]
pub struct Claiming<'a> {
    /// At most so many rows now.
    pub limit: usize,
    /// At most so many rows of one mirror out at once, delivered or running.
    pub per_mirror: usize,
    /// A ticket that was not started in this time is void.
    pub lease: Duration,
    /// Of this mirror alone.
    pub only: Option<MirrorId>,
    /// No instance, on either side, has more out at once than its
    /// [`concurrency`](crate::InstanceAccess::concurrency).
    pub within_instances: bool,
    /// Nothing of these instances: they take no requests just now. (But looks at mirrors that are
    /// at fault are few, and find that out for themselves.)
    pub closed: &'a BTreeSet<InstanceId>,
    /// Of mirrors that have the same claim, those after this one come first: the one that was
    /// served last ([`Dealt::last`]), so that they take turns.
    pub after: Option<MirrorId>,
}

/// What a claim brought.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dealt {
    /// The rows, in the order in which they had better be delivered.
    pub claimed: Vec<Claimed>,
    /// The mirror that was served last.
    pub last: Option<MirrorId>,
    /// More is due that waits for others of its mirror or its instance to end.
    pub held_back: bool,
}

/// A row that was claimed, ready to be delivered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claimed {
    /// What travels.
    pub ticket: Ticket,
    /// The row's key, `sync_issue/7/123`.
    pub key: String,
    /// The mirror it belongs to; an errand belongs to none.
    pub mirror: Option<MirrorId>,
    /// How urgent it is.
    pub priority: Priority,
}

/// So many rows are dealt out in one go. What is dealt is not yet known to be there.
const ROUND: usize = 500;

// Most of the time nothing is due at all: one probe tells, of an index that is spelt like this.
// Others tell of the looks and the errands.
pub(super) const ANYTHING: &str = "\
SELECT EXISTS (SELECT 1 FROM work
               WHERE state = 'pending' AND kind = 'check_instance' AND run_at <= $1),
       EXISTS (SELECT 1 FROM work
               WHERE state = 'pending' AND kind = 'errand' AND run_at <= $1)
FROM work WHERE state || '' = 'pending' AND run_at <= $1 LIMIT 1";

// These are what a mirror's rest ends by, and go out although it rests. The sign keeps SQLite from
// the index by mirrors, which would walk through all that waits.
pub(super) const LOOKS: Text = on_work!(
    "state = 'pending' AND kind = 'check_instance' AND run_at <= $1
     AND +mirror_id BETWEEN $2 AND $3 ORDER BY run_at LIMIT $4",
    free,
    "UPDATE work SET state = 'queued', ticket = ticket + 1, lease_until = $5, owner = NULL,
                     started_at = NULL, updated_at = $1
     WHERE state = 'pending' AND id IN (SELECT id FROM held)
     RETURNING id, ticket, key, mirror_id, priority, run_at"
);

// From one mirror that has something pending to the next, by one probe of the index each, and from
// each at every priority its first: however many rows wait, and however many mirrors do not.
pub(super) const WAITING: &str = "\
WITH RECURSIVE pending (mirror_id) AS (
    SELECT (SELECT c.mirror_id FROM work c
            WHERE c.state = 'pending' AND c.mirror_id BETWEEN $2 AND $3
            ORDER BY c.mirror_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.mirror_id FROM work c
            WHERE c.state = 'pending' AND c.mirror_id > p.mirror_id AND c.mirror_id <= $3
            ORDER BY c.mirror_id LIMIT 1)
    FROM pending p WHERE p.mirror_id IS NOT NULL
),
levels (priority) AS (VALUES (0), (1), (2)),
heads AS (
    SELECT m.id AS mirror, CAST(l.priority AS BIGINT) AS priority,
           m.source_instance_id AS source, m.target_instance_id AS target,
           (SELECT c.run_at FROM work c
            WHERE c.mirror_id = m.id AND c.state = 'pending' AND c.priority = l.priority
            ORDER BY c.run_at LIMIT 1) AS due_at
    FROM pending p JOIN mirrors m ON m.id = p.mirror_id CROSS JOIN levels l
    WHERE m.paused IS NULL
)
SELECT h.mirror, h.priority, h.due_at, h.source, h.target,
       s.concurrency AS source_window, t.concurrency AS target_window
FROM heads h JOIN instances s ON s.id = h.source JOIN instances t ON t.id = h.target
WHERE h.due_at <= $1";

const RESTING: &str = "SELECT priority FROM queues WHERE paused IS NOT NULL";

pub(super) const OUT: &str = "\
SELECT o.mirror_id AS mirror, m.source_instance_id AS source, m.target_instance_id AS target, o.busy
FROM (SELECT mirror_id, COUNT(*) AS busy FROM work
      WHERE state IN ('queued', 'running') GROUP BY mirror_id) o
     JOIN mirrors m ON m.id = o.mirror_id";

// SQLite has no LATERAL, and takes no number of rows from another table: there each probe fetches
// as many rows ($5) as the one that was dealt most needs. The rest reads the same.
macro_rules! claim {
    ($dealt:literal, $chosen:literal, $hold:literal) => {
        concat!(
            "WITH dealt (mirror_id, priority, rows) AS ( ",
            $dealt,
            " FROM ",
            $chosen,
            ")",
            $hold,
            "RETURNING id, ticket, key, mirror_id, priority, run_at"
        )
    };
}

// $2: the mirrors, priorities and numbers of rows, as JSON.
pub(super) const CLAIM: Text = Text {
    sqlite: claim!(
        "SELECT value ->> 0, value ->> 1, value ->> 2",
        "json_each($2)), \
         placed AS ( \
             SELECT w.id, d.rows, \
                    ROW_NUMBER() OVER (PARTITION BY d.mirror_id, d.priority \
                                       ORDER BY w.run_at, w.id) AS place \
             FROM dealt d CROSS JOIN work w \
             WHERE w.id IN (SELECT c.id FROM work c \
                            WHERE c.mirror_id = d.mirror_id AND c.state = 'pending' \
                              AND c.priority = d.priority AND c.run_at <= $1 \
                            ORDER BY c.run_at, c.id LIMIT $4) \
         ), \
         chosen AS MATERIALIZED (SELECT id FROM placed WHERE place <= rows",
        " UPDATE work SET state = 'queued', ticket = ticket + 1, lease_until = $3, owner = NULL, \
                          started_at = NULL, updated_at = $1 \
          WHERE state = 'pending' AND id IN (SELECT id FROM chosen) "
    ),
    // Each row is held where it is found, and known by its id from then on. One that another
    // transaction holds just now is passed by: who waits for none is in nobody's way.
    postgres: claim!(
        "SELECT (e ->> 0)::bigint, (e ->> 1)::bigint, (e ->> 2)::bigint",
        "jsonb_array_elements($2::jsonb) e), \
         chosen AS MATERIALIZED ( \
             SELECT w.id FROM dealt d \
             CROSS JOIN LATERAL (SELECT c.id FROM work c \
                                 WHERE c.mirror_id = d.mirror_id AND c.state = 'pending' \
                                   AND c.priority = d.priority AND c.run_at <= $1 \
                                 ORDER BY c.run_at, c.id LIMIT LEAST(d.rows, $4) \
                                 FOR UPDATE SKIP LOCKED) w",
        " UPDATE work SET state = 'queued', ticket = ticket + 1, lease_until = $3, owner = NULL, \
                          started_at = NULL, updated_at = $1 \
          WHERE id IN (SELECT id FROM chosen) "
    ),
};

#[derive(sqlx::FromRow)]
pub(super) struct ClaimedRow {
    pub(super) id: i64,
    ticket: i64,
    key: String,
    pub(super) mirror_id: Option<i64>,
    pub(super) priority: i64,
    pub(super) run_at: DateTime<Utc>,
}

impl Store {
    /// Claims up to `limit` rows that are due, of all mirrors that do not rest, without regard to
    /// the windows of instances; as [`Store::claim_within`] in all else.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn claim(
        &self,
        limit: usize,
        per_mirror: usize,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.claim_freely(None, limit, per_mirror, lease).await
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
        self.claim_freely(Some(mirror), limit, limit, lease).await
    }

    async fn claim_freely(
        &self,
        only: Option<MirrorId>,
        limit: usize,
        per_mirror: usize,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        let claiming = Claiming {
            limit,
            per_mirror,
            lease,
            only,
            within_instances: false,
            closed: &BTreeSet::new(),
            after: None,
        };
        Ok(self.claim_within(&claiming).await?.claimed)
    }

    /// Claims rows that are due, of mirrors that do not rest: the urgent before the less urgent,
    /// where a backfill that has been due for ten minutes counts as incremental; among equals that
    /// of the instance which has least out for its window, then that of the mirror which has
    /// least out; then in turns. Before all of them the looks at mirrors that are at fault, which
    /// rest. Each gets a new ticket, which is void unless started in time.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn claim_within(&self, claiming: &Claiming<'_>) -> Result<Dealt, StoreError> {
        let now = self.now();
        // Outside the transaction, because nobody need wait for the answer that nothing is due.
        let anything = self.read(ANYTHING).bind(now).fetch_optional();
        let anything: Option<(bool, bool)> = anything.await?;
        let Some((looks, errands)) = anything.filter(|_| claiming.limit > 0) else {
            return Ok(Dealt::default());
        };
        let (first, last) = match claiming.only {
            Some(mirror) => (mirror.0, mirror.0),
            None => (i64::MIN, i64::MAX),
        };
        let mut tx = self.begin_claiming(PATIENCE).await?;
        let lease_until = later(now, claiming.lease);
        let mut claimed: Vec<ClaimedRow> = Vec::new();
        if looks {
            let limit = i64::try_from(claiming.limit).unwrap_or(i64::MAX);
            let looks = tx.query(LOOKS).bind(now).bind(first).bind(last);
            claimed = looks.bind(limit).bind(lease_until).fetch_all().await?;
        }
        if errands && claiming.only.is_none() {
            let left = claiming.limit.saturating_sub(claimed.len());
            claimed.extend(claim_errands(&mut tx, left, now, lease_until).await?);
        }
        let waiting = tx
            .query(WAITING)
            .planned_anew()
            .bind(now)
            .bind(first)
            .bind(last);
        let mut waiting: Vec<Waiting> = waiting.fetch_all().await?;
        let resting: Vec<(i64,)> = match claiming.only {
            None => tx.query(RESTING).fetch_all().await?,
            // Of this process alone, and of no queue.
            Some(_) => Vec::new(),
        };
        waiting.retain(|waiting| {
            let closed = |instance| claiming.closed.contains(&InstanceId(instance));
            let open = !closed(waiting.source) && !closed(waiting.target);
            open && !resting.contains(&(waiting.priority,))
        });
        if waiting.is_empty() && claimed.is_empty() {
            return Ok(Dealt::default());
        }
        let out: Vec<Out> = tx.query(OUT).fetch_all().await?;
        let rules = Rules {
            now,
            per_mirror: i64::try_from(claiming.per_mirror).unwrap_or(i64::MAX),
            windows: claiming.within_instances,
            after: claiming.after.map_or(i64::MIN, |mirror| mirror.0),
        };
        let mut table = Table::new(rules, waiting, &out);
        let mut last_served = None;
        loop {
            let dealt = table.deal(ROUND.min(claiming.limit.saturating_sub(claimed.len())));
            if dealt.is_empty() {
                break;
            }
            let hands = Hands::of(&dealt);
            let rows: Vec<ClaimedRow> = tx
                .query(CLAIM)
                .planned_anew()
                .bind(now)
                .bind(Json(hands.as_columns()))
                .bind(lease_until)
                .bind(hands.largest())
                .fetch_all()
                .await?;
            claimed.extend(hands.play(rows, &dealt, &mut table));
            let last = claimed.last().and_then(|row| row.mirror_id);
            last_served = last.map(MirrorId);
        }
        if !claimed.is_empty() {
            tx.commit().await?;
        }
        Ok(Dealt {
            last: last_served,
            held_back: table.is_held_back(),
            claimed: claimed
                .into_iter()
                .map(Claimed::try_from)
                .collect::<Result<_, _>>()?,
        })
    }
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
            mirror: row.mirror_id.map(MirrorId),
            priority: read_priority(row.priority)?,
        })
    }
}

pub(crate) fn read_priority(number: i64) -> Result<Priority, StoreError> {
    [Priority::Backfill, Priority::Incremental, Priority::ByHand]
        .into_iter()
        .find(|priority| *priority as i64 == number)
        .ok_or(StoreError::Unreadable { what: "a priority" })
}
