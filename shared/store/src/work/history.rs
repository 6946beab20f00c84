//! How each try at a row of work went, kept until it is pruned.

use crate::{Store, StoreError, database::Tx};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{TicketNumber, WorkId},
    outcome::Outcome,
    sent::SentRequests,
};
use sqlx::types::Json;

/// One try at a row, kept as history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The dispatch.
    pub ticket: TicketNumber,
    /// Who ran it.
    pub owner: Option<String>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// How.
    pub ending: Ending,
    /// What it did.
    pub outcome: Option<Outcome>,
    /// What went wrong, or what was waited for.
    pub error: Option<String>,
    /// The requests it sent. Of a try whose worker was lost none is known.
    pub requests: SentRequests,
}

/// How a try ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Ending {
    /// Finished.
    Done,
    /// Again at a set time.
    Snoozed,
    /// Failed; tried again.
    Retried,
    /// Failed for good.
    GivenUp,
    /// The worker was lost.
    Crashed,
    /// The worker stopped in good order.
    HandedBack,
}

impl Ending {
    const ALL: [Self; 6] = [
        Self::Done,
        Self::Snoozed,
        Self::Retried,
        Self::GivenUp,
        Self::Crashed,
        Self::HandedBack,
    ];

    /// As people and the database call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Snoozed => "snoozed",
            Self::Retried => "retried",
            Self::GivenUp => "given_up",
            Self::Crashed => "crashed",
            Self::HandedBack => "handed_back",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        Self::ALL
            .into_iter()
            .find(|ending| ending.name() == name)
            .ok_or(StoreError::Unreadable {
                what: "the end of an attempt",
            })
    }
}

const WRITE_LOST: &str = "\
INSERT INTO work_attempts (work_id, ticket, owner, started_at, ended_at, ending, error)
SELECT id, ticket, owner, started_at, $2, $3, $4 FROM work WHERE id = $1";

pub(crate) const ATTEMPTS: &str = "\
SELECT ticket, owner, started_at, ended_at, ending, outcome, error, requests
FROM work_attempts WHERE work_id = $1 ORDER BY id DESC LIMIT $2";

#[derive(sqlx::FromRow)]
struct AttemptRow {
    ticket: i64,
    owner: Option<String>,
    started_at: Option<DateTime<Utc>>,
    ended_at: DateTime<Utc>,
    ending: String,
    outcome: Option<Json<Outcome>>,
    error: Option<String>,
    requests: Option<Json<SentRequests>>,
}

impl Store {
    /// How a row's latest tries went, latest first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn attempts(&self, work: WorkId, limit: u32) -> Result<Vec<Attempt>, StoreError> {
        let rows: Vec<AttemptRow> = self
            .read(ATTEMPTS)
            .bind(work.0)
            .bind(i64::from(limit))
            .fetch_all()
            .await?;
        rows.into_iter()
            .map(|row| {
                Ok(Attempt {
                    ticket: TicketNumber(row.ticket),
                    owner: row.owner,
                    started_at: row.started_at,
                    ended_at: row.ended_at,
                    ending: Ending::read(&row.ending)?,
                    outcome: row.outcome.map(|outcome| outcome.0),
                    error: row.error,
                    requests: row.requests.map(|requests| requests.0).unwrap_or_default(),
                })
            })
            .collect()
    }
}

/// Keeps the try that the row holds as history, which told nothing of itself.
pub(super) async fn write_lost(
    tx: &mut Tx,
    work: WorkId,
    now: DateTime<Utc>,
    error: &str,
) -> Result<(), StoreError> {
    tx.query(WRITE_LOST)
        .bind(work.0)
        .bind(now)
        .bind(Ending::Crashed.name())
        .bind(error)
        .execute()
        .await?;
    Ok(())
}
