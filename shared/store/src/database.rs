//! The connections: one that writes, a few that read.

use crate::{
    connect::{self, may_begin_again},
    error::StoreError,
    server_time::ServerTime,
    sql::{On, Query, Text},
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::ports::Clock;
use sqlx::{PgPool, Postgres, Sqlite, SqlitePool, Transaction};
use std::{fmt, future::Future, sync::Arc, time::Duration};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long a write that hangs on no lease waits for a database locked by another process, on top
/// of what SQLite itself waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// The record. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Store {
    database: Database,
    clock: Arc<dyn Clock>,
}

/// The connections to either kind of database.
#[derive(Clone)]
pub(crate) enum Database {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        /// Whose turn it is on the one writing connection, and how durably it commits just now.
        turn: Arc<Mutex<Durability>>,
    },
    Postgres {
        /// Whose commits are on disk when they return.
        durable: PgPool,
        /// Whose commits follow within a moment; and for reading.
        light: PgPool,
        /// The server's time of day; `None`: the clock's is good enough.
        time: Option<Arc<ServerTime>>,
    },
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// When a commit is safe from a power failure. (From a killed process it is safe at once.)
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Durability {
    /// When the commit returns. For everything that says what happened on a GitLab, or will.
    AtOnce,
    /// With the next commit of the other kind, or a moment later; order is kept. For the going
    /// round of tickets alone, where it saves two thirds of the disk's flushes. A power failure
    /// that forgets a start leaves the row queued, and every record of that job is refused; one
    /// that forgets an end costs one more look at an issue. On SQLite a claim may be forgotten too,
    /// because all who hold a ticket of that file end with it; on PostgreSQL they may go on, and a
    /// forgotten claim could give the same ticket out twice: there it is durable at once.
    WithTheNext,
}

impl Durability {
    fn pragma(self) -> &'static str {
        match self {
            Self::AtOnce => "PRAGMA synchronous = FULL",
            Self::WithTheNext => "PRAGMA synchronous = NORMAL",
        }
    }
}

/// What one transaction does at a time, because it decides by more than the rows it then locks.
/// The numbers are as good as any that nobody else takes for advisory locks.
#[derive(Clone, Copy)]
pub(crate) enum Alone {
    /// Dealing out work by what is out already.
    Claiming = 0x4973_4d01,
    /// Giving names to instances.
    Naming = 0x4973_4d02,
    /// Letting people in, and sending them away.
    LettingIn = 0x4973_4d03,
    /// Counting who tries to log in.
    LoggingIn = 0x4973_4d04,
}

const ALONE: &str = "SELECT pg_advisory_xact_lock($1)";

/// A writing transaction; rolled back unless committed.
pub(crate) enum Tx {
    Sqlite {
        // First, so that it ends before the turn does.
        inner: Transaction<'static, Sqlite>,
        _turn: OwnedMutexGuard<Durability>,
    },
    Postgres(Transaction<'static, Postgres>),
}

impl Tx {
    pub(crate) fn query(&mut self, text: impl Into<Text>) -> Query<'_> {
        match self {
            Self::Sqlite { inner, .. } => Query::on_sqlite(text.into(), On::Within(inner)),
            Self::Postgres(inner) => Query::on_postgres(text.into(), On::Within(inner)),
        }
    }

    /// Waits until no other transaction is alone with this, until the end of this one. (On SQLite
    /// every writing transaction is alone.)
    pub(crate) async fn alone(&mut self, with: Alone) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self {
            self.query(ALONE).bind(with as i64).execute().await?;
        }
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { inner, _turn } => inner.commit().await?,
            Self::Postgres(inner) => inner.commit().await?,
        }
        Ok(())
    }
}

impl Store {
    pub(crate) fn on_sqlite(
        writer: SqlitePool,
        readers: SqlitePool,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let turn = Arc::new(Mutex::new(Durability::AtOnce));
        let database = Database::Sqlite {
            writer,
            readers,
            turn,
        };
        Self::on(database, clock)
    }

    pub(crate) fn on(database: Database, clock: Arc<dyn Clock>) -> Self {
        Self { database, clock }
    }

    /// The time of day that every statement is given, cut to microseconds.
    pub fn now(&self) -> DateTime<Utc> {
        match &self.database {
            Database::Postgres {
                time: Some(time), ..
            } => time.now(&*self.clock),
            Database::Postgres { time: None, .. } | Database::Sqlite { .. } => {
                micros(self.clock.now())
            }
        }
    }

    /// Closes the connections, after what is under way has ended, and tidies files up. Without it
    /// nothing is lost; the next opening tidies up.
    pub async fn close(&self) {
        match &self.database {
            Database::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Database::Postgres { durable, light, .. } => {
                light.close().await;
                durable.close().await;
            }
        }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn shared_clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// A query that sees the last commit. Not to be run while a transaction is open: in memory
    /// there is one connection for both.
    pub(crate) fn read(&self, text: impl Into<Text>) -> Query<'_> {
        match &self.database {
            Database::Sqlite { readers, .. } => Query::on_sqlite(text.into(), On::Pool(readers)),
            Database::Postgres { light, .. } => Query::on_postgres(text.into(), On::Pool(light)),
        }
    }

    /// A transaction that is durable when its commit returns.
    pub(crate) async fn begin(&self, patience: Duration) -> Result<Tx, StoreError> {
        self.begin_as(Durability::AtOnce, patience).await
    }

    /// A transaction about the going round of tickets alone.
    pub(crate) async fn begin_light(&self, patience: Duration) -> Result<Tx, StoreError> {
        self.begin_as(Durability::WithTheNext, patience).await
    }

    /// A transaction that gives out tickets. Where workers outlive the database, a ticket given
    /// out twice would be two workers at one issue.
    pub(crate) async fn begin_claiming(&self, patience: Duration) -> Result<Tx, StoreError> {
        let durability = match &self.database {
            Database::Sqlite { .. } => Durability::WithTheNext,
            Database::Postgres { .. } => Durability::AtOnce,
        };
        let mut tx = self.begin_as(durability, patience).await?;
        tx.alone(Alone::Claiming).await?;
        Ok(tx)
    }

    async fn begin_as(&self, durability: Durability, patience: Duration) -> Result<Tx, StoreError> {
        let until = self.clock.monotonic().saturating_add(patience);
        match &self.database {
            Database::Sqlite { writer, turn, .. } => {
                let turn = turn_as(durability, writer, turn).await?;
                // Begun as a writing one: one that reads first and then wants to write is refused
                // at once by SQLite, whatever the time-out.
                let begin = || writer.begin_with("BEGIN IMMEDIATE");
                let inner = self.patiently(until, begin).await?;
                Ok(Tx::Sqlite { inner, _turn: turn })
            }
            Database::Postgres { durable, light, .. } => {
                let pool = match durability {
                    Durability::AtOnce => durable,
                    Durability::WithTheNext => light,
                };
                Ok(Tx::Postgres(
                    self.patiently(until, || connect::begin(pool)).await?,
                ))
            }
        }
    }

    async fn patiently<T, F>(&self, until: Duration, begin: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, sqlx::Error>>,
    {
        loop {
            match begin().await {
                Err(error) if may_begin_again(&error) && self.clock.monotonic() < until => {
                    self.clock.sleep(PAUSE).await;
                }
                done => return Ok(done?),
            }
        }
    }

    /// One statement that is a transaction of its own, about the going round of tickets alone.
    pub(crate) async fn light(&self, text: impl Into<Text>) -> Result<Query<'_>, StoreError> {
        Ok(match &self.database {
            Database::Sqlite { writer, turn, .. } => {
                let turn = turn_as(Durability::WithTheNext, writer, turn).await?;
                Query::on_sqlite(text.into(), On::Turn(writer, turn))
            }
            Database::Postgres { light, .. } => Query::on_postgres(text.into(), On::Pool(light)),
        })
    }
}

async fn turn_as(
    durability: Durability,
    writer: &SqlitePool,
    turn: &Arc<Mutex<Durability>>,
) -> Result<OwnedMutexGuard<Durability>, StoreError> {
    let mut turn = Arc::clone(turn).lock_owned().await;
    if *turn != durability {
        // Recorded on the safe side of the change, in case it is cut short: then the next durable
        // transaction asks again.
        *turn = Durability::WithTheNext;
        sqlx::raw_sql(durability.pragma()).execute(writer).await?;
        *turn = durability;
    }
    Ok(turn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Still;

    const SYNCHRONOUS: &str = "SELECT synchronous FROM pragma_synchronous";
    const NORMAL: (i64,) = (1,);
    const FULL: (i64,) = (2,);

    #[tokio::test]
    async fn what_touches_a_gitlab_is_durable_at_once_whatever_came_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite3");
        let store = Store::open(&path, Arc::new(Still)).await.unwrap();
        for _ in 0..3 {
            let mut tx = store.begin(PATIENCE).await.unwrap();
            let how: (i64,) = tx.query(SYNCHRONOUS).fetch_one().await.unwrap();
            assert_eq!(how, FULL);
            tx.commit().await.unwrap();
            // Given up half-way, which must not leave its mode behind either.
            drop(store.begin(PATIENCE).await.unwrap());
            let light = store.light(SYNCHRONOUS).await.unwrap();
            assert_eq!(light.fetch_one::<(i64,)>().await.unwrap(), NORMAL);
            drop(store.begin_light(PATIENCE).await.unwrap());
        }
    }
}
