//! Jobs page by page, by what they are filtered by.

use super::{
    jobs::{JobEntry, JobRow, job_row},
    report::WorkState,
};
use crate::{Store, StoreError, sql::Text, time::micros};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ids::{InstanceId, MirrorId, WorkId};

/// Which jobs are looked for. What is not given does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct JobFilter {
    /// In this state; not given: all that are not done.
    pub state: Option<WorkState>,
    /// Of this kind, as [`Job::kind`](mirror_core::job::Job::kind) names it.
    pub kind: Option<String>,
    /// Of this mirror.
    pub mirror: Option<MirrorId>,
    /// Of mirrors that have this instance as an end.
    pub instance: Option<InstanceId>,
    /// First owed before this time.
    pub before: Option<DateTime<Utc>>,
    /// Whose last error has this fingerprint.
    pub fingerprint: Option<String>,
    /// Behind this one, in the order of the list.
    pub after: Option<WorkId>,
    /// So many are passed over.
    pub offset: i64,
}

/// The texts for jobs in a state. Each is served by an index of its own, whatever else there is;
/// PostgreSQL is given no other way to keep the order.
#[derive(Clone, Copy)]
pub(crate) struct Lists {
    /// Of all mirrors.
    pub(crate) all: Text,
    /// Of one mirror, of an instance's, or of those that rest or do not: a page of each, in order.
    pub(crate) of_mirrors: Text,
    /// Of the kinds of which there is little.
    pub(crate) unusual: Text,
    /// With a like error.
    pub(crate) alike: Text,
}

/// What is asked of each row, however it was found: `$1` its kind, `$2` its mirror, `$3` whether that
/// rests, `$5` an instance, `$6` its age, `$7` its error's fingerprint.
macro_rules! asked {
    () => {
        " AND (CAST($1 AS TEXT) IS NULL OR w.kind = $1) \
          AND (CAST($2 AS BIGINT) IS NULL OR w.mirror_id = $2) \
          AND ($3 = (m.paused IS NOT NULL AND w.kind <> 'check_instance') OR $3 IS NULL) \
          AND (CAST($5 AS BIGINT) IS NULL OR m.source_instance_id = $5 OR m.target_instance_id = $5) \
          AND ($6 IS NULL OR w.created_at < $6) \
          AND (CAST($7 AS TEXT) IS NULL OR w.error_fingerprint = $7) "
    };
}

/// Behind `$4`, up to `$10`; `$8` rows behind `$9` others.
macro_rules! list {
    ($($place:literal),* ; $order:literal) => {
        job_row!(
            "FROM work w JOIN mirrors m ON m.id = w.mirror_id WHERE ",
            $($place,)*
            asked!(),
            "ORDER BY ",
            $order,
            " LIMIT $8 OFFSET $9"
        )
    };
}

/// A page of each mirror: one row more, because of those that rest one may be looked at all the same. Of
/// one that rests, that is what is found where those that do not rest are wanted.
macro_rules! of_mirrors {
    ($state:literal) => {
        Text {
            sqlite: job_row!(
                "FROM mirrors m CROSS JOIN work w WHERE w.id IN ( \
                     SELECT id FROM (SELECT c.id FROM work c WHERE c.mirror_id = m.id AND ",
                $state,
                " AND c.id > $4 AND c.id <= $10 \
                      AND ($3 = (m.paused IS NOT NULL) OR $3 IS NULL) \
                      AND (CAST($1 AS TEXT) IS NULL OR c.kind = $1) \
                      AND ($6 IS NULL OR c.created_at < $6) \
                      ORDER BY c.id LIMIT $8 + $9 + 1) \
                     UNION ALL \
                     SELECT c.id FROM work c WHERE c.key = 'check_instance/' || m.id AND ",
                $state,
                " AND c.id > $4 AND c.id <= $10 AND NOT $3 AND m.paused IS NOT NULL)",
                asked!(),
                "AND (CAST($2 AS BIGINT) IS NULL OR m.id = $2) ORDER BY w.id LIMIT $8 OFFSET $9"
            ),
            postgres: job_row!(
                "FROM mirrors m CROSS JOIN LATERAL ( \
                     (SELECT c.* FROM work c WHERE ",
                $state,
                " AND (c.mirror_id, c.id) > (m.id, $4) AND (c.mirror_id, c.id) <= (m.id, $10) \
                      AND ($3 = (m.paused IS NOT NULL) OR $3 IS NULL) \
                      AND (CAST($1 AS TEXT) IS NULL OR c.kind = $1) \
                      AND ($6 IS NULL OR c.created_at < $6) \
                      ORDER BY c.mirror_id, c.id LIMIT $8 + $9 + 1) \
                     UNION ALL \
                     SELECT c.* FROM work c WHERE c.key = 'check_instance/' || m.id AND ",
                $state,
                " AND c.id > $4 AND c.id <= $10 AND NOT $3 AND m.paused IS NOT NULL) w \
                 WHERE (CAST($2 AS BIGINT) IS NULL OR m.id = $2)",
                asked!(),
                "ORDER BY w.id LIMIT $8 OFFSET $9"
            ),
        }
    };
}

/// The state is spelt as the index of each list has it, and elsewhere so that none has.
macro_rules! lists {
    // Little is out at a time: that is looked through, and put in order.
    (out $state:literal) => {{
        const OUT: &str = list!(
            $state,
            " AND w.state IN ('queued', 'running') AND w.id + 0 > $4 AND w.id + 0 <= $10";
            "w.id + 0"
        );
        let out = Text { sqlite: OUT, postgres: OUT };
        Lists { all: out, of_mirrors: out, unusual: out, alike: out }
    }};
    ($state:literal, of_mirrors $of_mirrors:literal, elsewhere $elsewhere:literal) => {{
        const ALL: &str = list!(
            $state, " AND w.id > $4 AND w.id <= $10 AND CAST($2 AS BIGINT) IS NULL"; "w.id"
        );
        const UNUSUAL: &str = list!(
            "w.state || '' <> 'done' AND ",
            $elsewhere,
            " AND w.kind <> 'sync_issue' AND w.id > $4 AND w.id <= $10";
            "w.id"
        );
        Lists {
            all: Text { sqlite: ALL, postgres: ALL },
            of_mirrors: of_mirrors!($of_mirrors),
            unusual: Text { sqlite: UNUSUAL, postgres: UNUSUAL },
            alike: Text {
                sqlite: list!(
                    $elsewhere, " AND w.error_fingerprint = $7 AND w.id > $4 AND w.id <= $10"; "w.id"
                ),
                postgres: list!(
                    $elsewhere,
                    " AND w.error_fingerprint IS NOT NULL \
                      AND (w.error_fingerprint, w.id) > ($7, $4) \
                      AND (w.error_fingerprint, w.id) <= ($7, $10)";
                    "w.error_fingerprint, w.id"
                ),
            },
        }
    }};
}

pub(crate) const UNFINISHED: Lists = lists!(
    "w.state || '' <> 'done'",
    of_mirrors "'' || c.state <> 'done'",
    elsewhere "'' || w.state || '' <> 'done'"
);
pub(crate) const PENDING: Lists = lists!(
    "w.state || '' <> 'done' AND w.state = 'pending'",
    of_mirrors "'' || c.state <> 'done' AND '' || c.state || '' = 'pending'",
    elsewhere "'' || w.state || '' = 'pending'"
);
pub(crate) const QUEUED: Lists = lists!(out "w.state = 'queued'");
pub(crate) const RUNNING: Lists = lists!(out "w.state = 'running'");
pub(crate) const DEAD: Lists = lists!(
    "w.state || '' = 'dead'",
    of_mirrors "'' || c.state = 'dead'",
    elsewhere "'' || w.state || '' = 'dead'"
);

/// Nearly all jobs are of this kind.
const USUAL: &str = "sync_issue";

const ANY_RESTS: &str = "SELECT 1 FROM mirrors WHERE paused IS NOT NULL LIMIT 1";

// Ids grow as rows are first owed, so that halving finds the place.
pub(crate) const LAST_OWED_BEFORE: &str = "\
WITH RECURSIVE halving (last, step) AS (
    SELECT CAST(0 AS BIGINT), CAST(4611686018427387904 AS BIGINT)
    UNION ALL
    SELECT last + CASE WHEN COALESCE((SELECT w.created_at < $1 FROM work w WHERE w.id <= last + step
                                      ORDER BY w.id DESC LIMIT 1), 1 > 0)
                       THEN step ELSE 0 END,
           step / 2
    FROM halving WHERE step > 0)
SELECT MAX(last) FROM halving";

/// So far a row's time may be behind that of one that was owed before it: clocks differ, and a
/// transaction may take its time.
const DISORDER: TimeDelta = TimeDelta::minutes(1);

impl Store {
    /// Up to `limit` jobs, in the order in which they were first owed.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn jobs(&self, filter: &JobFilter, limit: u32) -> Result<Vec<JobEntry>, StoreError> {
        let (lists, rests) = match filter.state {
            None => (UNFINISHED, None),
            Some(WorkState::Paused) => (PENDING, Some(true)),
            Some(WorkState::Pending) => (PENDING, Some(false)),
            Some(WorkState::Queued) => (QUEUED, None),
            Some(WorkState::Running) => (RUNNING, None),
            Some(WorkState::Dead) => (DEAD, None),
        };
        let text = self.text_for(lists, rests, filter).await?;
        let last = match filter.before {
            Some(before) => self.last_owed_before(before + DISORDER).await?,
            None => i64::MAX,
        };
        let rows: Vec<JobRow> = self
            .read(text)
            .bind(filter.kind.as_deref())
            .bind(filter.mirror.map(|mirror| mirror.0))
            .bind(rests)
            .bind(filter.after.map_or(0, |after| after.0))
            .bind(filter.instance.map(|instance| instance.0))
            .bind(filter.before.map(micros))
            .bind(filter.fingerprint.as_deref())
            .bind(i64::from(limit))
            .bind(filter.offset)
            .bind(last)
            .fetch_all()
            .await?;
        rows.into_iter().map(JobEntry::try_from).collect()
    }

    /// By what is rarest of that which is asked for.
    async fn text_for(
        &self,
        lists: Lists,
        rests: Option<bool>,
        filter: &JobFilter,
    ) -> Result<Text, StoreError> {
        if filter.fingerprint.is_some() {
            return Ok(lists.alike);
        }
        if filter.kind.as_deref().is_some_and(|kind| kind != USUAL) {
            return Ok(lists.unusual);
        }
        let of_some = match rests {
            Some(true) => true,
            Some(false) => self.any_rests().await?,
            None => false,
        };
        let of_some = of_some || filter.mirror.is_some() || filter.instance.is_some();
        Ok(if of_some { lists.of_mirrors } else { lists.all })
    }

    async fn any_rests(&self) -> Result<bool, StoreError> {
        let any: Option<(i32,)> = self.read(ANY_RESTS).fetch_optional().await?;
        Ok(any.is_some())
    }

    /// The last row, in the order of the list, that was first owed before this time.
    async fn last_owed_before(&self, time: DateTime<Utc>) -> Result<i64, StoreError> {
        let found = self.read(LAST_OWED_BEFORE).bind(micros(time));
        let (last,): (i64,) = found.fetch_one().await?;
        Ok(last)
    }
}
