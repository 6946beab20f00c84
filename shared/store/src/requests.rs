//! Requests that carry a key of their sender's: sent again they are answered as the first time.

use crate::{Store, StoreError, database::PATIENCE, time::micros};
use chrono::{DateTime, Utc};

/// What is known of a request with this key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answered {
    /// It was answered like this.
    Before(String),
    /// The key was used for something else.
    Otherwise,
    /// It is new.
    Never,
}

const FIND: &str = "SELECT digest, answer FROM requests WHERE scope = $1 AND key = $2";

const KEEP: &str = "\
INSERT INTO requests (scope, key, digest, answer, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (scope, key) DO NOTHING";

const PRUNE: &str = "\
DELETE FROM requests WHERE id IN (
    SELECT id FROM requests WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

impl Store {
    /// How a request was answered; `digest` tells its body from another under the same key.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn answered(
        &self,
        scope: &str,
        key: &str,
        digest: &str,
    ) -> Result<Answered, StoreError> {
        let row: Option<(String, String)> = self
            .read(FIND)
            .bind(scope)
            .bind(key)
            .fetch_optional()
            .await?;
        Ok(match row {
            Some((kept, answer)) if kept == digest => Answered::Before(answer),
            Some(_) => Answered::Otherwise,
            None => Answered::Never,
        })
    }

    /// Keeps how a request was answered; what is kept already stays.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn keep_answer(
        &self,
        scope: &str,
        key: &str,
        digest: &str,
        answer: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        tx.query(KEEP)
            .bind(scope)
            .bind(key)
            .bind(digest)
            .bind(answer)
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await
    }

    /// Forgets up to `batch` answers from before this time; returns how many.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn prune_requests(
        &self,
        before: DateTime<Utc>,
        batch: u32,
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin_light(PATIENCE).await?;
        let prune = tx.query(PRUNE).bind(micros(before)).bind(i64::from(batch));
        let pruned = prune.execute().await?;
        tx.commit().await?;
        Ok(pruned)
    }
}
