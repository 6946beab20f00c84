//! Who is logged in.

use super::User;
use crate::{Store, StoreError, database::PATIENCE};
use chrono::{DateTime, TimeDelta, Utc};

/// Somebody who is logged in.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct Session {
    /// Who.
    #[sqlx(flatten)]
    pub user: User,
    /// When they did something last, to the minute.
    pub last_seen_at: DateTime<Utc>,
    /// When they have to log in again, whatever they do.
    pub expires_at: DateTime<Utc>,
}

/// Who does nothing for so long is logged out.
const IDLE: TimeDelta = TimeDelta::hours(12);
/// Everybody logs in again after so long.
const LIFE: TimeDelta = TimeDelta::days(7);
const EXACTNESS: TimeDelta = TimeDelta::minutes(1);

const TIDY: &str = "DELETE FROM sessions WHERE expires_at <= $1";

// Not for a password that was changed, or a person who was disabled, since it was looked at.
const START: &str = "\
INSERT INTO sessions (digest, user_id, created_at, last_seen_at, expires_at)
SELECT $1, id, $4, $4, $5 FROM users WHERE id = $2 AND password = $3 AND NOT disabled";

const ONE: &str = "\
SELECT u.id, u.name, u.role, u.disabled, u.created_at, u.updated_at, s.last_seen_at, s.expires_at
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.digest = $1 AND s.expires_at > $2 AND s.last_seen_at > $3 AND NOT u.disabled";

const SEEN: &str = "UPDATE sessions SET last_seen_at = $2 WHERE digest = $1 AND last_seen_at <= $3";

const END: &str = "DELETE FROM sessions WHERE digest = $1";

impl Store {
    /// Logs somebody in, whose password was found to be right; not if it has changed since.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn start_session(
        &self,
        digest: &str,
        user: i64,
        password: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        tx.query(TIDY).bind(now).execute().await?;
        let query = tx.query(START).bind(digest).bind(user).bind(password);
        let started = query.bind(now).bind(now + LIFE).execute().await?;
        tx.commit().await?;
        Ok(started > 0)
    }

    /// Whoever has this session, if it still holds.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn session(&self, digest: &str) -> Result<Option<Session>, StoreError> {
        let now = self.now();
        let query = self.read(ONE).bind(digest).bind(now).bind(now - IDLE);
        Ok(query.fetch_optional().await?)
    }

    /// Notes that somebody did something, at most once a minute.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn session_seen(&self, digest: &str, session: &Session) -> Result<(), StoreError> {
        let now = self.now();
        let before = now - EXACTNESS;
        if session.last_seen_at > before {
            return Ok(());
        }
        let query = self.light(SEEN).await?.bind(digest).bind(now);
        query.bind(before).execute().await?;
        Ok(())
    }

    /// Logs somebody out; whether they were in.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn end_session(&self, digest: &str) -> Result<bool, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let ended = tx.query(END).bind(digest).execute().await?;
        tx.commit().await?;
        Ok(ended > 0)
    }
}
