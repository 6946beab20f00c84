//! Opening the record wherever it is kept: roles connect, `migrate` prepares.

use crate::{
    ConnectError, DatabaseUrl, Store,
    database::Database,
    fault::{Fault, fault},
    open,
    schema::{self, Migrated},
    server_time::ServerTime,
    url::{Kind, server},
};
use mirror_core::ports::Clock;
use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{sync::Arc, time::Duration};

/// How long a call waits for a connection: for its turn, and for a server that restarts.
const CONNECTING: Duration = Duration::from_secs(10);
/// A connection unused for this long may have died without a sign; it is asked before it is used.
const STALE: Duration = Duration::from_secs(1);

/// How to use a PostgreSQL server.
#[derive(Clone, Copy, Debug)]
pub struct ConnectOptions {
    /// Connections at most, in all; at least 2. A statement holds one for a moment only, so some
    /// more than there are cores suffice for any number of jobs.
    pub connections: u32,
    /// Whose time the statements are given.
    pub time: TimeSource,
}

/// Whose time of day a store on PostgreSQL goes by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeSource {
    /// The server's: the only one that several machines agree upon.
    Server,
    /// The given clock's: for tests that move time, where all who use the database share it.
    Clock,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            connections: 10,
            time: TimeSource::Server,
        }
    }
}

impl Store {
    /// Opens the record as it is; its schema must be this version's.
    ///
    /// # Errors
    /// [`ConnectError`], each with its mend; a schema that is not this version's among them.
    pub async fn connect(url: &DatabaseUrl, clock: Arc<dyn Clock>) -> Result<Self, ConnectError> {
        Self::connect_with(url, clock, ConnectOptions::default()).await
    }

    /// As [`Store::connect`], with other options than the usual. They mean nothing to SQLite.
    ///
    /// # Errors
    /// As [`Store::connect`].
    pub async fn connect_with(
        url: &DatabaseUrl,
        clock: Arc<dyn Clock>,
        options: ConnectOptions,
    ) -> Result<Self, ConnectError> {
        match url.kind() {
            Kind::Sqlite(path) => Ok(Self::open_prepared(path, clock).await?),
            Kind::Postgres(address) => {
                let server = &server(address);
                let wrap = |error| ConnectError::of(server, error);
                let mut connection = reach(address, server).await?;
                schema::check(&mut connection, server).await?;
                connection.close().await.map_err(wrap)?;
                let light = options.connections.div_ceil(2).max(1);
                let durable = (options.connections / 2).max(1);
                let durable = pool(durable, "on").connect_lazy_with((**address).clone());
                let light = pool(light, "off").connect_lazy_with((**address).clone());
                let time = match options.time {
                    TimeSource::Clock => None,
                    TimeSource::Server => {
                        let measured = ServerTime::measured(&light, &*clock).await;
                        Some(Arc::new(measured.map_err(wrap)?))
                    }
                };
                let database = Database::Postgres {
                    durable,
                    light,
                    time,
                };
                Ok(Self::on(database, clock))
            }
        }
    }

    /// Makes the schema, or brings it up to date; safe to be called by several at once. An SQLite
    /// file is made if it is not there.
    ///
    /// # Errors
    /// [`ConnectError`], each with its mend. A step that fails leaves the schema as it was before
    /// that step.
    pub async fn migrate(
        url: &DatabaseUrl,
        clock: Arc<dyn Clock>,
    ) -> Result<Migrated, ConnectError> {
        match url.kind() {
            Kind::Sqlite(path) => Ok(Self::prepare_file(path, &*clock).await?),
            Kind::Postgres(address) => {
                let server = &server(address);
                let mut connection = reach(address, server).await?;
                let migrated = schema::migrate(&mut connection, server).await?;
                let closed = connection.close().await;
                closed.map_err(|error| ConnectError::of(server, error))?;
                Ok(migrated)
            }
        }
    }

    /// Whether the record can be read and written at this moment: for readiness probes.
    ///
    /// # Errors
    /// What is wrong; [`StoreError::ReadOnly`](crate::StoreError::ReadOnly) for a standby.
    pub async fn check(&self) -> Result<(), crate::StoreError> {
        match self.database() {
            Database::Sqlite { .. } => {
                let _: (i64,) = self.read("SELECT 1").fetch_one().await?;
            }
            // Writes nothing, and is refused by a server that would refuse any writing.
            Database::Postgres { .. } => {
                self.light("UPDATE work SET id = DEFAULT WHERE false")
                    .await?
                    .execute()
                    .await?;
            }
        }
        Ok(())
    }

    /// The number of the record's schema, and that of this program's: for readiness probes.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn schema_numbers(&self) -> Result<(i64, i64), crate::StoreError> {
        let steps = match self.database() {
            Database::Sqlite { .. } => &open::SCHEMA,
            Database::Postgres { .. } => &schema::SCHEMA,
        };
        let (found,): (i64,) = self.read(SCHEMA_NUMBER).fetch_one().await?;
        Ok((found, schema::number_of(steps)))
    }
}

const SCHEMA_NUMBER: &str =
    "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations WHERE success";

/// One connection, to tell apart what may be wrong. (A pool would try again until its time is out
/// and then know no cause.)
#[expect(
    clippy::disallowed_methods,
    reason = "like the pool's own limits: a silent server is waited for in real time"
)]
async fn reach(address: &PgConnectOptions, server: &str) -> Result<PgConnection, ConnectError> {
    let connecting = PgConnection::connect_with(address);
    let connected = match tokio::time::timeout(CONNECTING, connecting).await {
        Ok(connected) => connected,
        Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
    };
    connected.map_err(|error| ConnectError::of(server, error))
}

fn pool(connections: u32, synchronous_commit: &'static str) -> PgPoolOptions {
    // A process that stops in the middle of a transaction must not hold up the others; short
    // statements are not worth compiling. A bitmap scan visits every dead entry of an index again
    // and again until the next vacuum, where a plain one marks them: rows of work that come and go
    // leave tens of thousands a minute.
    let settings = format!(
        "SET synchronous_commit = {synchronous_commit}; SET lock_timeout = '5s'; \
         SET idle_in_transaction_session_timeout = '10s'; SET jit = off; \
         SET enable_bitmapscan = off"
    );
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(CONNECTING)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for > STALE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let settings = sqlx::AssertSqlSafe(settings.clone());
            Box::pin(async move { connection.execute(settings).await.map(drop) })
        })
}

/// A pool that found no connection in time says so as what it is: a server that did not answer.
pub(crate) fn unreached(error: sqlx::Error) -> sqlx::Error {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    }
    error
}

pub(crate) async fn begin(
    pool: &PgPool,
) -> Result<sqlx::Transaction<'static, sqlx::Postgres>, sqlx::Error> {
    pool.begin().await.map_err(unreached)
}

/// Whether a transaction that could not even begin may be begun again: nothing was sent yet.
pub(crate) fn may_begin_again(error: &sqlx::Error) -> bool {
    matches!(fault(error), Fault::Busy | Fault::Unreachable)
}
