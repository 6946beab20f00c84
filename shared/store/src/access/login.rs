//! How often somebody may try to log in. An attempt counts from its beginning until it has
//! succeeded, so that many at once are no way around.

use crate::{
    Store, StoreError,
    database::{Alone, PATIENCE, Tx},
};
use chrono::{DateTime, TimeDelta, Utc};

/// Whether somebody may try.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoginGate {
    /// They may; it is counted.
    Open,
    /// Not before this time.
    ClosedUntil(DateTime<Utc>),
}

/// Attempts count together for so long.
const WINDOW: TimeDelta = TimeDelta::minutes(15);
/// As one person.
const PER_NAME: i64 = 5;
/// From one address.
const PER_ADDRESS: i64 = 20;
/// What is kept of a name or address, however long the one that was sent is.
const KEPT: usize = 64;

const TIDY: &str = "DELETE FROM login_attempts WHERE began_at <= $1";

const COUNT: &str = "\
INSERT INTO login_attempts (kind, subject, failures, began_at) VALUES ($1, $2, 1, $3)
ON CONFLICT (kind, subject) DO UPDATE SET failures = login_attempts.failures + 1
RETURNING failures, began_at";

const FORGET: &str = "DELETE FROM login_attempts WHERE kind = 'name' AND subject = $1";

const LET_OFF: &str = "\
UPDATE login_attempts SET failures = failures - 1
WHERE kind = 'address' AND subject = $1 AND failures > 0";

impl Store {
    /// Counts an attempt to log in, unless there were too many as this person or from this address.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn begin_login(&self, name: &str, address: &str) -> Result<LoginGate, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        tx.alone(Alone::LoggingIn).await?;
        tx.query(TIDY).bind(now - WINDOW).execute().await?;
        let mut until = None;
        for (kind, subject, most) in [("name", name, PER_NAME), ("address", address, PER_ADDRESS)] {
            let (failures, began_at) = count(&mut tx, kind, subject, now).await?;
            if failures > most {
                until = until.max(Some(began_at + WINDOW));
            }
        }
        match until {
            // Refused attempts count for nothing: who waits gets in.
            Some(until) => Ok(LoginGate::ClosedUntil(until)),
            None => {
                tx.commit().await?;
                Ok(LoginGate::Open)
            }
        }
    }

    /// The attempt has succeeded, and those before it as the same person are forgotten.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn login_succeeded(&self, name: &str, address: &str) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        tx.alone(Alone::LoggingIn).await?;
        tx.query(FORGET).bind(kept(name)).execute().await?;
        tx.query(LET_OFF).bind(kept(address)).execute().await?;
        tx.commit().await
    }
}

async fn count(
    tx: &mut Tx,
    kind: &str,
    subject: &str,
    now: DateTime<Utc>,
) -> Result<(i64, DateTime<Utc>), StoreError> {
    let query = tx.query(COUNT).bind(kind).bind(kept(subject)).bind(now);
    Ok(query.fetch_one().await?)
}

fn kept(subject: &str) -> String {
    crate::sql::plain(subject).chars().take(KEPT).collect()
}
