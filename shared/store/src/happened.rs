//! What happened of late, for whoever watches: derived from the record, so that it is the same
//! whichever process is asked, and nothing that is on record is missed by one who was away.

use crate::{Store, StoreError, time::micros};
use chrono::{DateTime, Utc};
use mirror_core::outcome::Outcome;
use sqlx::types::Json;

/// One thing that happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Happened {
    /// Grows among things of one kind.
    pub id: i64,
    /// When, by the store's clock.
    pub at: DateTime<Utc>,
    /// Of which mirror; none: an errand.
    pub mirror: Option<i64>,
    /// What.
    pub what: Happening,
}

/// A place in what happened, among things of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// When.
    pub at: DateTime<Utc>,
    /// Which, of what happened at that time.
    pub id: i64,
}

impl Place {
    /// Before all that happened at this time.
    pub fn before(at: DateTime<Utc>) -> Self {
        Self { at, id: i64::MIN }
    }
}

impl Happened {
    /// Where it stands.
    pub fn place(&self) -> Place {
        Place {
            at: self.at,
            id: self.id,
        }
    }
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Happening {
    /// A try at a job ended.
    Attempt {
        /// The job.
        work: i64,
        /// `sync_issue/7/123`.
        key: String,
        /// How, as [`Ending::name`](crate::Ending::name) tells.
        ending: String,
        /// What it did.
        outcome: Option<Outcome>,
        /// What went wrong, or what was waited for.
        error: Option<String>,
    },
    /// A run began or ended.
    Run {
        /// The run.
        run: i64,
        /// As [`RunStatus::name`](crate::RunStatus::name) tells.
        status: String,
    },
}

// By the end of its index: what committed late has a time a little older than it was seen.
pub(crate) const ATTEMPTS: &str = "\
SELECT a.id, a.ended_at AS at, w.mirror_id, w.id AS work, w.key, a.ending, a.outcome, a.error
FROM work_attempts a JOIN work w ON w.id = a.work_id
WHERE a.ended_at >= $1 AND (a.ended_at > $1 OR a.id > $2)
ORDER BY a.ended_at, a.id LIMIT $3";

// Two parts, each by the end of its index.
pub(crate) const RUNS: &str = "\
SELECT id, at, mirror_id, status FROM (
    SELECT * FROM (
        SELECT id, completed_at AS at, mirror_id, status FROM issue_sync_jobs
        WHERE completed_at >= $1 AND (completed_at > $1 OR id > $2)
        ORDER BY completed_at, id LIMIT $3) ended
    UNION ALL
    SELECT * FROM (
        SELECT id, started_at AS at, mirror_id, status FROM issue_sync_jobs
        WHERE status = 'running' AND started_at >= $1 AND (started_at > $1 OR id > $2)
        ORDER BY started_at, id LIMIT $3) begun
) happened ORDER BY at, id LIMIT $3";

#[derive(sqlx::FromRow)]
struct AttemptRow {
    id: i64,
    at: DateTime<Utc>,
    mirror_id: Option<i64>,
    work: i64,
    key: String,
    ending: String,
    outcome: Option<Json<Outcome>>,
    error: Option<String>,
}

impl Store {
    /// Tries that ended behind this one, in the order of their ends.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn attempts_since(
        &self,
        behind: Place,
        limit: u32,
    ) -> Result<Vec<Happened>, StoreError> {
        let query = self.read(ATTEMPTS).bind(micros(behind.at)).bind(behind.id);
        let rows: Vec<AttemptRow> = query.bind(i64::from(limit)).fetch_all().await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|row| Happened {
                id: row.id,
                at: row.at,
                mirror: row.mirror_id,
                what: Happening::Attempt {
                    work: row.work,
                    key: row.key,
                    ending: row.ending,
                    outcome: row.outcome.map(|outcome| outcome.0),
                    error: row.error,
                },
            })
            .collect())
    }

    /// Runs that began or ended behind this one, in that order.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn runs_since(&self, behind: Place, limit: u32) -> Result<Vec<Happened>, StoreError> {
        let query = self.read(RUNS).bind(micros(behind.at)).bind(behind.id);
        let rows: Vec<(i64, DateTime<Utc>, Option<i64>, String)> =
            query.bind(i64::from(limit)).fetch_all().await?;
        let rows = rows.into_iter();
        Ok(rows
            .map(|(id, at, mirror, status)| Happened {
                id,
                at,
                mirror,
                what: Happening::Run { run: id, status },
            })
            .collect())
    }
}
