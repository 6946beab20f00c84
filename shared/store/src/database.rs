//! The connections: one that writes, a few that read.

use crate::{
    error::{StoreError, is_busy},
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::ports::Clock;
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long a write that hangs on no lease waits for a database locked by another process, on top
/// of what SQLite itself waits.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// The record. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Whose turn it is on the one writing connection, and how durably it commits just now.
    turn: Arc<Mutex<Durability>>,
    clock: Arc<dyn Clock>,
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
    /// With the next commit of the other kind; order is kept. For the going round of tickets
    /// alone: a power failure that forgets a start or an end also ends every worker of this file,
    /// and costs one more look at an issue. It saves two thirds of the disk's flushes. (With
    /// workers on other machines, as PostgreSQL will have, a forgotten ticket could be issued
    /// twice: there a claim must be durable at once.)
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

/// A writing transaction; rolled back unless committed.
pub(crate) struct Tx {
    // First, so that it ends before the turn does.
    inner: Transaction<'static, Sqlite>,
    _turn: OwnedMutexGuard<Durability>,
}

impl Tx {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit().await?)
    }
}

impl Deref for Tx {
    type Target = Transaction<'static, Sqlite>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

impl Store {
    pub(crate) fn new(writer: SqlitePool, readers: SqlitePool, clock: Arc<dyn Clock>) -> Self {
        Self {
            writer,
            readers,
            turn: Arc::new(Mutex::new(Durability::AtOnce)),
            clock,
        }
    }

    /// The time of day that every statement is given, cut to microseconds.
    pub fn now(&self) -> DateTime<Utc> {
        micros(self.clock.now())
    }

    /// Closes the connections, after what is under way has ended, and tidies the files up. Without
    /// it nothing is lost; the next opening tidies up.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Reads see the last commit. Not to be used while a transaction is open: in memory there is
    /// one connection for both.
    pub(crate) fn reader(&self) -> &SqlitePool {
        &self.readers
    }

    /// A transaction that is durable when its commit returns, begun as a writing one: one that
    /// reads first and then wants to write is refused at once by SQLite, whatever the time-out.
    pub(crate) async fn begin(&self, patience: Duration) -> Result<Tx, StoreError> {
        self.begin_as(Durability::AtOnce, patience).await
    }

    /// A transaction about the going round of tickets alone.
    pub(crate) async fn begin_light(&self, patience: Duration) -> Result<Tx, StoreError> {
        self.begin_as(Durability::WithTheNext, patience).await
    }

    async fn begin_as(&self, durability: Durability, patience: Duration) -> Result<Tx, StoreError> {
        let until = self.clock.monotonic().saturating_add(patience);
        let turn = self.turn_as(durability).await?;
        loop {
            match self.writer.begin_with("BEGIN IMMEDIATE").await {
                Ok(inner) => return Ok(Tx { inner, _turn: turn }),
                Err(error) if is_busy(&error) && self.clock.monotonic() < until => {
                    self.clock.sleep(PAUSE).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The turn for one light statement on [`Turn::writer`].
    pub(crate) async fn light(&self) -> Result<Turn<'_>, StoreError> {
        Ok(Turn {
            _turn: self.turn_as(Durability::WithTheNext).await?,
            writer: &self.writer,
        })
    }

    async fn turn_as(
        &self,
        durability: Durability,
    ) -> Result<OwnedMutexGuard<Durability>, StoreError> {
        let mut turn = Arc::clone(&self.turn).lock_owned().await;
        if *turn != durability {
            // Recorded on the safe side of the change, in case it is cut short: then the next
            // durable transaction asks again.
            *turn = Durability::WithTheNext;
            sqlx::raw_sql(durability.pragma())
                .execute(&self.writer)
                .await?;
            *turn = durability;
        }
        Ok(turn)
    }
}

/// Leave to run one statement that is a transaction of its own.
pub(crate) struct Turn<'a> {
    _turn: OwnedMutexGuard<Durability>,
    pub(crate) writer: &'a SqlitePool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use mirror_core::ports::BoxFuture;
    use sqlx::Row;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> DateTime<Utc> {
            DateTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    /// 1 is NORMAL, 2 is FULL.
    async fn synchronous(executor: impl sqlx::SqliteExecutor<'_>) -> i64 {
        let query = sqlx::query("PRAGMA synchronous").persistent(false);
        query.fetch_one(executor).await.unwrap().get(0)
    }

    #[tokio::test]
    async fn what_touches_a_gitlab_is_durable_at_once_whatever_came_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite3");
        let store = Store::open(&path, Arc::new(Still)).await.unwrap();
        for _ in 0..3 {
            let mut tx = store.begin(PATIENCE).await.unwrap();
            assert_eq!(synchronous(&mut **tx).await, 2);
            tx.commit().await.unwrap();
            // Given up half-way, which must not leave its mode behind either.
            drop(store.begin(PATIENCE).await.unwrap());
            let turn = store.light().await.unwrap();
            assert_eq!(synchronous(turn.writer).await, 1);
            drop(turn);
            drop(store.begin_light(PATIENCE).await.unwrap());
        }
    }
}
