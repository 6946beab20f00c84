//! The server's time of day, told by this process's clock that never jumps.
//!
//! Several machines write times into one record and compare them there (a lease against now). They
//! must mean the same time, so they all go by the server's clock, whatever their own says.

use crate::{
    Store, StoreError,
    database::Database,
    sql::{On, Query},
};
use chrono::{DateTime, Utc};
use mirror_core::ports::Clock;
use sqlx::PgPool;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

/// The one statement that asks a clock.
const SERVER_CLOCK: &str = "SELECT clock_timestamp()";

/// An answer this quick is exact enough; a slower one is asked for again.
const QUICK: Duration = Duration::from_millis(20);
const TRIES: usize = 3;

/// How far the server's time of day is from the clock that never jumps, in microseconds.
#[derive(Debug)]
pub(crate) struct ServerTime(AtomicI64);

impl ServerTime {
    pub(crate) async fn measured(pool: &PgPool, clock: &dyn Clock) -> Result<Self, sqlx::Error> {
        let offset = measure(pool, clock).await?;
        Ok(Self(AtomicI64::new(offset)))
    }

    async fn refresh(&self, pool: &PgPool, clock: &dyn Clock) -> Result<(), sqlx::Error> {
        let offset = measure(pool, clock).await?;
        self.0.store(offset, Ordering::Release);
        Ok(())
    }

    pub(crate) fn now(&self, clock: &dyn Clock) -> DateTime<Utc> {
        let micros = self.0.load(Ordering::Acquire) + monotonic(clock);
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }
}

/// The server's answer is taken to be of the middle of the round trip; of several, the quickest is
/// the most exact.
async fn measure(pool: &PgPool, clock: &dyn Clock) -> Result<i64, sqlx::Error> {
    let mut best: Option<(i64, i64)> = None;
    for _ in 0..TRIES {
        let asked = monotonic(clock);
        let query = Query::on_postgres(SERVER_CLOCK.into(), On::Pool(pool));
        let (there,): (DateTime<Utc>,) = query.fetch_one().await?;
        let took = monotonic(clock) - asked;
        let offset = there.timestamp_micros() - asked - took / 2;
        if best.is_none_or(|(quickest, _)| took < quickest) {
            best = Some((took, offset));
        }
        if u128::try_from(took).is_ok_and(|took| took <= QUICK.as_micros()) {
            break;
        }
    }
    best.map(|(_, offset)| offset)
        .ok_or(sqlx::Error::RowNotFound)
}

fn monotonic(clock: &dyn Clock) -> i64 {
    i64::try_from(clock.monotonic().as_micros()).unwrap_or(i64::MAX)
}

impl Store {
    /// Asks the server for its time again. To be called every 30 seconds or so: two machines'
    /// quartzes drift apart, and a fail-over may lead to another server. Does nothing on SQLite.
    ///
    /// # Errors
    /// Only if the database fails; time then goes on from what was known.
    pub async fn refresh_time(&self) -> Result<(), StoreError> {
        match self.database() {
            Database::Sqlite { .. } => Ok(()),
            Database::Postgres { light, time, .. } => match time {
                Some(time) => Ok(time.refresh(light, self.clock()).await?),
                None => Ok(()),
            },
        }
    }
}
