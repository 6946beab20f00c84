//! Closing an attempt: the row goes on, the try becomes history, and the runs that waited for it
//! are told, all or nothing.

use super::history::{Ending, write_attempt};
use crate::{
    Fence, Store, StoreError,
    database::Database,
    runs::{Settled, Took, settle},
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
    /// `$1` to `$7`.
    fn bind<'c>(&self, query: Query<'c>, fence: &Fence, now: DateTime<Utc>) -> Query<'c> {
        query
            .bind(fence.work.0)
            .bind(fence.ticket.0)
            .bind(now)
            .bind(self.ending.name())
            .bind(self.outcome.map(Json))
            .bind(self.error.map(plain))
            .bind(self.when.map(micros))
    }
}

/// A statement that closes attempts. On SQLite it is the first of a transaction; PostgreSQL does all
/// in one, because there each statement is a round trip, and every job ends.
macro_rules! closing {
    ($update:literal) => {
        crate::sql::Text {
            sqlite: concat!(
                $update,
                " RETURNING EXISTS (SELECT 1 FROM run_memberships m \
                                    WHERE m.work_id = work.id AND m.settled_at IS NULL)"
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
                     UPDATE run_memberships m SET \
                         settled_at = $8, outcome = $9, error = $10, \
                         comments = comments + $11, attachments = attachments + $12, \
                         api_calls = api_calls + $13, waits = waits + $14 \
                     FROM ended e \
                     WHERE m.work_id = e.id AND m.settled_at IS NULL \
                       AND m.generation < e.ticket) \
                 SELECT COUNT(*) FROM ended"
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
        let effort = closing.took.effort;
        if let Database::Postgres { .. } = self.database() {
            let (settled_at, outcome, why) = closing.settled.columns(now);
            let (ended,): (i64,) = closing
                .bind(self.light(text).await?, fence, now)
                .bind(settled_at)
                .bind(outcome)
                .bind(why)
                .bind(effort.comments)
                .bind(effort.attachments)
                .bind(effort.api_calls)
                .bind(effort.waits)
                .bind(requests(closing.took))
                .fetch_one()
                .await?;
            return if ended == 1 {
                Ok(())
            } else {
                Err(StoreError::Fenced)
            };
        }
        let mut tx = self.begin_light(self.lease_left(fence)).await?;
        let ended = closing.bind(tx.query(text), fence, now).fetch_optional();
        let ended: Option<(bool,)> = ended.await?;
        let (somebody_waits,) = ended.ok_or(StoreError::Fenced)?;
        let (outcome, requests) = (closing.outcome, requests(closing.took));
        let told = (outcome, closing.error, requests);
        write_attempt(&mut tx, fence.work, now, closing.ending, told).await?;
        let ticket = (fence.work.0, fence.ticket.0);
        if somebody_waits {
            settle(&mut tx, ticket, closing.settled, effort, now).await?;
        }
        tx.commit().await
    }
}
