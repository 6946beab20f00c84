//! Tokens with which programs call the API.

use super::{Handle, Role};
use crate::{Store, StoreError, database::PATIENCE, time::micros};
use chrono::{DateTime, TimeDelta, Utc};

/// A token as it is listed. The token itself is nowhere.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct ApiToken {
    /// Ours.
    pub id: i64,
    /// What it is called.
    pub name: String,
    /// What its holder may do.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// Its first characters.
    pub hint: String,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// From when on it is refused; none: never.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when it is refused.
    pub revoked_at: Option<DateTime<Utc>>,
}

impl ApiToken {
    /// Whether it is accepted at this time.
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A token to keep.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    /// What it is called.
    pub name: &'a Handle,
    /// What its holder may do.
    pub role: Role,
    /// SHA-256 of it, in hex.
    pub digest: &'a str,
    /// Its first characters.
    pub hint: &'a str,
    /// Who makes it.
    pub created_by: &'a str,
    /// From when on it is refused; none: never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// How exactly it is known when a token was last used.
const EXACTNESS: TimeDelta = TimeDelta::minutes(1);

macro_rules! token {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            "id, name, role, hint, created_by, created_at, expires_at, last_used_at, revoked_at",
            $after
        )
    };
}

const ALL: &str = token!("SELECT ", " FROM api_tokens ORDER BY id");
const ONE: &str = token!("SELECT ", " FROM api_tokens WHERE id = $1");
pub(crate) const BY_DIGEST: &str = token!("SELECT ", " FROM api_tokens WHERE digest = $1");

const INSERT: &str = token!(
    "INSERT INTO api_tokens (name, role, digest, hint, created_by, created_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ",
    ""
);

const REVOKE: &str = token!(
    "UPDATE api_tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING ",
    ""
);

const USED: &str = "\
UPDATE api_tokens SET last_used_at = $2
WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)";

impl Store {
    /// Keeps a token.
    ///
    /// # Errors
    /// [`StoreError::HandleTaken`] where one of that name is not revoked.
    pub async fn create_token(&self, new: &NewToken<'_>) -> Result<ApiToken, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let query = tx.query(INSERT).bind(new.name.as_str());
        let query = query.bind(new.role.name()).bind(new.digest).bind(new.hint);
        let query = query.bind(new.created_by).bind(self.now());
        let token = query
            .bind(new.expires_at.map(micros))
            .fetch_one()
            .await
            .map_err(|error| StoreError::taken(error, new.name))?;
        tx.commit().await?;
        Ok(token)
    }

    /// All tokens, those that are refused too, oldest first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        Ok(self.read(ALL).fetch_all().await?)
    }

    /// A token by its id.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn token(&self, id: i64) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.read(ONE).bind(id).fetch_optional().await?)
    }

    /// The token of this digest, whether it is [good](ApiToken::is_good) or not.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn token_by_digest(&self, digest: &str) -> Result<Option<ApiToken>, StoreError> {
        Ok(self.read(BY_DIGEST).bind(digest).fetch_optional().await?)
    }

    /// Notes that a token was used, at most once a minute.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn token_used(&self, token: &ApiToken) -> Result<(), StoreError> {
        let now = self.now();
        let before = now - EXACTNESS;
        if token.last_used_at.is_some_and(|last| last > before) {
            return Ok(());
        }
        let query = self.light(USED).await?.bind(token.id).bind(now);
        query.bind(before).execute().await?;
        Ok(())
    }

    /// Refuses a token from now on.
    ///
    /// # Errors
    /// [`StoreError::NoSuchToken`] where there is none that is not refused already.
    pub async fn revoke_token(&self, id: i64) -> Result<ApiToken, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let query = tx.query(REVOKE).bind(id).bind(self.now());
        let token = query.fetch_optional().await?;
        let token = token.ok_or(StoreError::NoSuchToken)?;
        tx.commit().await?;
        Ok(token)
    }
}
