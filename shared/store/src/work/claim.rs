//! Claiming: the next rows due, fairly, each with a new ticket.

use crate::{
    Store, StoreError,
    database::PATIENCE,
    sql::{Query, Text},
    time::later,
};
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

// SQLite has no LATERAL, and PostgreSQL without it may walk through all that waits instead of
// probing the index once for each mirror: the probes are spelt differently, the rest reads the same.

// Which mirrors have something due at each priority and room for more, and how much each has out.
macro_rules! waiting {
    ($probe:literal) => {
        concat!(
            "WITH out_now (mirror_id, busy) AS ( \
                 SELECT mirror_id, COUNT(*) FROM work \
                 WHERE state IN ('queued', 'running') GROUP BY mirror_id \
             ), \
             levels (priority) AS (VALUES (0), (1), (2)) \
             SELECT CAST(l.priority AS BIGINT), COALESCE(o.busy, 0) AS busy \
             FROM levels l CROSS JOIN mirrors m LEFT JOIN out_now o ON o.mirror_id = m.id ",
            $probe,
            " ORDER BY l.priority DESC, busy"
        )
    };
}

const WAITING: Text = Text {
    sqlite: waiting!(
        "WHERE m.paused IS NULL AND ($2 IS NULL OR m.id = $2) AND COALESCE(o.busy, 0) < $3 \
         AND EXISTS (SELECT 1 FROM work c \
                     WHERE c.mirror_id = m.id AND c.state = 'pending' \
                       AND c.priority = l.priority AND c.run_at <= $1)"
    ),
    postgres: waiting!(
        "CROSS JOIN LATERAL (SELECT 1 FROM work c \
                             WHERE c.mirror_id = m.id AND c.state = 'pending' \
                               AND c.priority = l.priority AND c.run_at <= $1 LIMIT 1) probe \
         WHERE m.paused IS NULL AND ($2 IS NULL OR m.id = $2) AND COALESCE(o.busy, 0) < $3"
    ),
};

// At one priority ($6), from each mirror its first due rows, found by one probe of the index ($7 at
// most), as far as they fit under the level ($3): the cost is that of the rows claimed, however many
// wait.
macro_rules! claim {
    ($probe:literal, $hold:literal) => {
        concat!(
            "WITH out_now (mirror_id, busy) AS ( \
                 SELECT mirror_id, COUNT(*) FROM work \
                 WHERE state IN ('queued', 'running') GROUP BY mirror_id \
             ), \
             candidates AS ( \
                 SELECT w.id, w.run_at, \
                        COALESCE(o.busy, 0) \
                            + ROW_NUMBER() OVER (PARTITION BY m.id ORDER BY w.run_at, w.id) \
                            AS place \
                 FROM mirrors m ",
            $probe,
            " AND m.paused IS NULL AND ($5 IS NULL OR m.id = $5) \
                   AND NOT EXISTS (SELECT 1 FROM out_now f \
                                   WHERE f.mirror_id = m.id AND f.busy >= $3) \
             ), \
             chosen AS MATERIALIZED ( \
                 SELECT id FROM candidates WHERE place <= $3 ORDER BY place, run_at, id LIMIT $2 \
             )",
            $hold,
            "RETURNING id, ticket, key, mirror_id, priority, run_at"
        )
    };
}

const CLAIM: Text = Text {
    sqlite: claim!(
        "CROSS JOIN work w LEFT JOIN out_now o ON o.mirror_id = w.mirror_id \
         WHERE w.id IN (SELECT c.id FROM work c \
                        WHERE c.mirror_id = m.id AND c.state = 'pending' \
                          AND c.priority = $6 AND c.run_at <= $1 \
                        ORDER BY c.run_at, c.id LIMIT $7)",
        " UPDATE work SET state = 'queued', ticket = ticket + 1, lease_until = $4, owner = NULL, \
                          started_at = NULL, updated_at = $1 \
          WHERE state = 'pending' AND id IN (SELECT id FROM chosen) "
    ),
    // A row that another transaction holds just now is left for the next claim: one that waits for
    // none is in nobody's way.
    postgres: claim!(
        "LEFT JOIN out_now o ON o.mirror_id = m.id \
         CROSS JOIN LATERAL (SELECT c.id, c.run_at FROM work c \
                             WHERE c.mirror_id = m.id AND c.state = 'pending' \
                               AND c.priority = $6 AND c.run_at <= $1 \
                             ORDER BY c.run_at, c.id LIMIT $7) w \
         WHERE true",
        ", held AS MATERIALIZED ( \
             SELECT h.id FROM work h JOIN chosen USING (id) \
             WHERE h.state = 'pending' FOR UPDATE OF h SKIP LOCKED \
         ) \
         UPDATE work SET state = 'queued', ticket = ticket + 1, lease_until = $4, owner = NULL, \
                         started_at = NULL, updated_at = $1 \
         WHERE id IN (SELECT id FROM held) "
    ),
};

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
        let only = only.map(|mirror| mirror.0);
        let per_mirror = i64::try_from(per_mirror).unwrap_or(i64::MAX);
        let mut room = i64::try_from(limit).unwrap_or(i64::MAX);
        let waiting = async |query: Query<'_>| {
            let query = query.bind(now).bind(only).bind(per_mirror);
            query.fetch_all::<(i64, i64)>().await
        };
        // Outside the transaction: most of the time nothing is due, and nobody need wait for that.
        if waiting(self.read(WAITING)).await?.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin_claiming(PATIENCE).await?;
        let mut rows: Vec<ClaimedRow> = Vec::new();
        while room > 0 {
            let waiting = waiting(tx.query(WAITING)).await?;
            let Some((priority, least_busy)) = waiting.first().copied() else {
                break;
            };
            let urgent = waiting.iter().take_while(|(other, _)| *other == priority);
            let level = level(urgent.map(|(_, busy)| *busy), room).min(per_mirror);
            let claimed: Vec<ClaimedRow> = tx
                .query(CLAIM)
                .bind(now)
                .bind(room)
                .bind(level)
                .bind(later(now, lease))
                .bind(only)
                .bind(priority)
                .bind(level - least_busy)
                .fetch_all()
                .await?;
            if claimed.is_empty() {
                break;
            }
            room = room.saturating_sub(i64::try_from(claimed.len()).unwrap_or(i64::MAX));
            rows.extend(claimed);
        }
        tx.commit().await?;
        in_turns(rows).into_iter().map(Claimed::try_from).collect()
    }
}

/// How much each of these mirrors would have out if `room` rows were dealt to those that have
/// least, given how much each has out now, ascending. Where one runs out of rows before, what it
/// leaves is dealt in a further round.
fn level(busy: impl Iterator<Item = i64>, room: i64) -> i64 {
    let (mut sharers, mut out) = (0, 0);
    for busy in busy {
        if sharers > 0 && sharers * busy - out >= room {
            break;
        }
        sharers += 1;
        out += busy;
    }
    let needed = room.saturating_add(out);
    needed / sharers.max(1) + i64::from(needed % sharers.max(1) != 0)
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

#[cfg(test)]
mod tests {
    use super::{CLAIM, WAITING, level};
    use crate::sql::Text;
    use sqlx::{Connection, Row, SqlSafeStr, SqliteConnection};

    /// How SQLite goes about it.
    async fn way_of(text: Text) -> Vec<String> {
        let mut memory = SqliteConnection::connect(":memory:").await.unwrap();
        for migration in crate::open::SCHEMA.iter() {
            let sql = migration.sql.clone().into_sql_str();
            sqlx::raw_sql(sql).execute(&mut memory).await.unwrap();
        }
        let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", text.sqlite));
        let mut query = sqlx::query(explain);
        for _ in 0..7 {
            query = query.bind(0i64);
        }
        let rows = query.fetch_all(&mut memory).await.unwrap();
        rows.iter().map(|row| row.get("detail")).collect()
    }

    #[tokio::test]
    async fn what_waits_is_found_by_its_index_and_never_walked_through() {
        for text in [WAITING, CLAIM] {
            let way = way_of(text).await;
            let rows = |step: &&String| {
                let step = format!("{step} ");
                step.starts_with("SCAN c ") || step.starts_with("SCAN w ")
            };
            assert_eq!(way.iter().find(rows), None, "{way:#?}");
            let probe = |step: &String| {
                step.starts_with("SEARCH c ") && step.contains("COVERING INDEX work_pending")
            };
            assert!(way.iter().any(probe), "{way:#?}");
        }
    }

    #[test]
    fn room_is_dealt_to_those_that_have_least() {
        let cases: [(&[i64], i64, i64); 7] = [
            (&[0], 10, 10),
            (&[0, 0, 0], 10, 4),
            (&[0, 5], 5, 5),
            (&[0, 5], 6, 6),
            (&[0, 100], 20, 20),
            (&[3, 3, 9], 12, 9),
            (&[7], i64::MAX, i64::MAX),
        ];
        for (busy, room, expected) in cases {
            let level = level(busy.iter().copied(), room);
            assert_eq!(level, expected, "{room} among {busy:?}");
        }
    }
}
