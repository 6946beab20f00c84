//! Closing an attempt: the row goes on, the try becomes history, and the runs that waited for it
//! are told, all or nothing.

use super::{alike::fingerprint, history::Ending};
use crate::{
    Fence, Store, StoreError,
    database::Database,
    runs::{Settled, Took},
    sql::{Query, Text, plain},
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::{outcome::Outcome, sent::SentRequests};
use sqlx::types::Json;

/// What is kept of the try, and told to whom.
pub(super) struct Closing<'a> {
    pub(super) ending: Ending,
    pub(super) outcome: Option<&'a Outcome>,
    pub(super) error: Option<&'a str>,
    pub(super) when: Option<DateTime<Utc>>,
    pub(super) settled: Settled<'a>,
    pub(super) took: &'a Took,
}

impl Closing<'_> {
    /// `$1` to `$17`.
    fn bind<'c>(&self, query: Query<'c>, fence: &Fence, now: DateTime<Utc>) -> Query<'c> {
        let told = self.settled.kept(now);
        let effort = self.took.effort;
        query
            .bind(fence.work.0)
            .bind(fence.ticket.0)
            .bind(now)
            .bind(self.ending.name())
            .bind(self.outcome.map(Json))
            .bind(self.error.map(plain))
            .bind(self.when.map(micros))
            .bind(told.at)
            .bind(told.outcome)
            .bind(told.why)
            .bind(effort.comments)
            .bind(effort.attachments)
            .bind(effort.api_calls)
            .bind(effort.waits)
            .bind(requests(self.took))
            .bind(self.error.map(fingerprint))
            .bind(told.fingerprint)
    }
}

/// What a closed attempt tells the runs that wait for its row.
macro_rules! told {
    () => {
        "settled_at = $8, outcome = $9, error = $10, fingerprint = $17, \
         comments = comments + $11, attachments = attachments + $12, \
         api_calls = api_calls + $13, waits = waits + $14"
    };
}
pub(super) use told;

/// What closes attempts, in one call, because every job ends, and each call waits: for the server, or
/// for the thread that writes the file. One statement on PostgreSQL, three on SQLite. Answers with a
/// row if the lease was held.
macro_rules! closing {
    ($update:literal) => {
        crate::sql::Text {
            // changes(): of the statement before, without what its triggers did.
            sqlite: concat!(
                $update,
                " RETURNING 1; \
                 INSERT INTO work_attempts \
                     (work_id, ticket, owner, started_at, ended_at, ending, outcome, error, requests) \
                 SELECT id, ticket, owner, started_at, $3, $4, $5, $6, $15 FROM work \
                 WHERE id = $1 AND changes() = 1; \
                 UPDATE run_memberships SET ",
                $crate::work::close::told!(),
                " WHERE work_id = $1 AND settled_at IS NULL AND generation < $2 AND changes() = 1"
            ),
            postgres: concat!(
                "WITH ended AS (",
                $update,
                " RETURNING id, ticket, owner, started_at), \
                 kept AS ( \
                     INSERT INTO work_attempts \
                         (work_id, ticket, owner, started_at, ended_at, ending, outcome, error, \
                          requests) \
                     SELECT id, ticket, owner, started_at, $3, $4, $5, $6, $15 FROM ended), \
                 told AS ( \
                     UPDATE run_memberships m SET ",
                $crate::work::close::told!(),
                " FROM ended e \
                     WHERE m.work_id = e.id AND m.settled_at IS NULL \
                       AND m.generation < e.ticket) \
                 SELECT 1::bigint FROM ended"
            ),
        }
    };
}
pub(super) use closing;

/// As they are kept with the try; nothing where there was none.
fn requests(took: &Took) -> Option<Json<&SentRequests>> {
    (!took.requests.is_empty()).then_some(Json(&took.requests))
}

impl Store {
    /// # Errors
    /// [`StoreError::Fenced`] if the lease was lost.
    pub(super) async fn close_attempt(
        &self,
        fence: &Fence,
        text: Text,
        closing: Closing<'_>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let ended: Vec<(i64,)> = if let Database::Postgres { .. } = self.database() {
            let query = self.light(text).await?;
            closing.bind(query, fence, now).fetch_all().await?
        } else {
            let mut tx = self.begin_light(self.lease_left(fence)).await?;
            let ended = closing.bind(tx.query(text), fence, now).fetch_all();
            let ended = ended.await?;
            tx.commit().await?;
            ended
        };
        if ended.is_empty() {
            return Err(StoreError::Fenced);
        }
        Ok(())
    }
}
