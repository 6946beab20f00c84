//! How the first administrator comes in: by a code that the service tells whoever started it.

use super::{NewUser, User, users};
use crate::{
    Store, StoreError,
    database::{Alone, PATIENCE, Tx},
};
use chrono::TimeDelta;

/// A code is good for so long.
const LIFE: TimeDelta = TimeDelta::days(1);

const NOBODY: &str = "\
SELECT NOT EXISTS (SELECT 1 FROM users) AND NOT EXISTS (SELECT 1 FROM api_tokens)";

const TIDY: &str = "DELETE FROM setup_codes WHERE created_at <= $1";

const OFFER: &str = "\
INSERT INTO setup_codes (digest, created_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";

const USE: &str = "\
UPDATE setup_codes SET used_at = $2 WHERE digest = $1 AND used_at IS NULL AND created_at > $3";

const VOID: &str = "DELETE FROM setup_codes WHERE used_at IS NULL";

impl Store {
    /// Whether nobody has been let in yet.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn is_nobodys(&self) -> Result<bool, StoreError> {
        let (nobodys,): (bool,) = self.read(NOBODY).fetch_one().await?;
        Ok(nobodys)
    }

    /// Makes a code good for a day, of which this is the digest; not once somebody was let in.
    /// Several processes may each have one.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn offer_setup(&self, digest: &str) -> Result<bool, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        tx.alone(Alone::LettingIn).await?;
        tx.query(TIDY).bind(now - LIFE).execute().await?;
        let is_open = nobodys(&mut tx).await?;
        if is_open {
            tx.query(OFFER).bind(digest).bind(now).execute().await?;
        }
        tx.commit().await?;
        Ok(is_open)
    }

    /// Lets the first person in, by a code of this digest. All other codes are void then.
    ///
    /// # Errors
    /// [`StoreError::SetupClosed`] where the code is not good (any more), or somebody was let in.
    pub async fn set_up(&self, digest: &str, first: &NewUser<'_>) -> Result<User, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        tx.alone(Alone::LettingIn).await?;
        let query = tx.query(USE).bind(digest).bind(now).bind(now - LIFE);
        if query.execute().await? == 0 || !nobodys(&mut tx).await? {
            return Err(StoreError::SetupClosed);
        }
        tx.query(VOID).execute().await?;
        let user = users::insert(&mut tx, now, first).await?;
        tx.commit().await?;
        Ok(user)
    }
}

async fn nobodys(tx: &mut Tx) -> Result<bool, StoreError> {
    let (nobodys,): (bool,) = tx.query(NOBODY).fetch_one().await?;
    Ok(nobodys)
}
