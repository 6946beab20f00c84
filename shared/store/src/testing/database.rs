//! A PostgreSQL database of a test's own, prepared, dropped at the end.

use crate::{
    ConnectError, DatabaseUrl, DatabaseUrlError,
    schema::{SCHEMA, migrate},
    url::{Kind, server},
};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use std::{
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Names the server to test on: a URL under which databases may be created. `./test` sets it.
pub const VARIABLE: &str = "ISSUE_MIRROR_TEST_POSTGRES";

/// A test without a database.
#[derive(Debug, thiserror::Error)]
pub enum TestDatabaseError {
    /// No server is named.
    #[error(
        "{VARIABLE} is not set: run ./test, which starts a PostgreSQL server, or name one under \
         which databases may be created (`. .ci/postgres && postgres_start` starts one)"
    )]
    NotNamed,
    /// It does not name a server.
    #[error("{VARIABLE} names no PostgreSQL server")]
    NoServer(#[source] DatabaseUrlError),
    /// The server is not reached or not prepared.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

/// An empty database with the newest schema, dropped with this value, whoever still uses it.
#[derive(Debug)]
pub struct TestDatabase {
    url: DatabaseUrl,
    name: String,
    server: PgConnectOptions,
}

impl TestDatabase {
    /// Creates it, on the server that [`VARIABLE`] names.
    ///
    /// # Errors
    /// If none is named, or it does not do as told.
    pub async fn create() -> Result<Self, TestDatabaseError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let server = named_server()?;
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("issue_mirror_test_{}_{count}", process::id());
        let template = template();
        let mut connection = connect(&server).await?;
        prepare(&mut connection, &server, &template).await?;
        for text in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} TEMPLATE {template}"),
        ] {
            run(&mut connection, &server, text).await?;
        }
        let url = DatabaseUrl::of_server(server.clone().database(&name));
        Ok(Self { url, name, server })
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Owes work of the first mirror by hand, as a newer version does: of a kind that this one does
    /// not know.
    ///
    /// # Errors
    /// If the server does not do as told.
    pub async fn owe_unknown(&self) -> Result<(), TestDatabaseError> {
        self.execute(
            "INSERT INTO work (kind, key, mirror_id, priority, state, run_at, attempts, crashes, \
             ticket, rerun_changed, created_at, updated_at) \
             VALUES ('polish_issue', 'polish_issue/1/1', 1, 2, 'pending', '2000-01-01Z', 0, 0, 0, \
             false, '2000-01-01Z', '2000-01-01Z')",
        )
        .await
    }

    /// The newer version has done that.
    ///
    /// # Errors
    /// If the server does not do as told.
    pub async fn forget_unknown(&self) -> Result<(), TestDatabaseError> {
        self.execute("DELETE FROM work WHERE kind = 'polish_issue'")
            .await
    }

    /// How many jobs have come to a good end in it: a row that was owed again counts again.
    ///
    /// # Errors
    /// If the server does not do as told.
    pub async fn jobs_done(&self) -> Result<i64, TestDatabaseError> {
        let mut connection = connect(&self.server.clone().database(&self.name)).await?;
        let counted =
            sqlx::query_scalar("SELECT COUNT(*) FROM work_attempts WHERE ending = 'done'");
        let counted = counted.fetch_one(&mut connection).await;
        Ok(counted.map_err(|error| ConnectError::of(&server(&self.server), error))?)
    }

    /// Tells the server how much there is, as it finds out by itself after a while.
    ///
    /// # Errors
    /// If the server does not do as told.
    pub async fn gather_statistics(&self) -> Result<(), TestDatabaseError> {
        self.execute("VACUUM (ANALYZE)").await
    }

    /// Has the server write out what is not on its disk yet, so that it does not do so while something is
    /// measured.
    ///
    /// # Errors
    /// If the server does not do as told.
    pub async fn write_out(&self) -> Result<(), TestDatabaseError> {
        self.execute("CHECKPOINT").await
    }

    async fn execute(&self, text: &str) -> Result<(), TestDatabaseError> {
        let mut connection = connect(&self.server.clone().database(&self.name)).await?;
        run(&mut connection, &self.server, text.to_owned()).await
    }

    /// How many bytes it takes.
    ///
    /// # Errors
    /// If the server does not do as told.
    pub async fn size(&self) -> Result<u64, TestDatabaseError> {
        let mut connection = connect(&self.server).await?;
        let size: i64 = sqlx::query_scalar("SELECT pg_database_size($1)")
            .bind(&self.name)
            .fetch_one(&mut connection)
            .await
            .map_err(|error| ConnectError::of(&server(&self.server), error))?;
        Ok(u64::try_from(size).unwrap_or(0))
    }

    /// Breaks every connection to it, as a restart of the server does.
    ///
    /// # Errors
    /// If the server does not do as told.
    pub async fn disconnect_all(&self) -> Result<(), TestDatabaseError> {
        let mut connection = connect(&self.server).await?;
        let text = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        );
        run(&mut connection, &self.server, text).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A test may end on a runtime that must not be waited for, so it is done on another.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                runtime.block_on(async {
                    let mut connection = connect(&server).await?;
                    let text = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    run(&mut connection, &server, text).await
                })
            } else {
                Ok(())
            }
        });
        // What is left over is found by its name, and by the next test of the same.
        let _ = dropping.join();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests have no arguments of their own to be given a server by"
)]
fn named_server() -> Result<PgConnectOptions, TestDatabaseError> {
    let named = std::env::var(VARIABLE).map_err(|_| TestDatabaseError::NotNamed)?;
    let url: DatabaseUrl = named.parse().map_err(TestDatabaseError::NoServer)?;
    match url.kind() {
        Kind::Postgres(options) => Ok((**options).clone()),
        Kind::Sqlite(_) => Err(TestDatabaseError::NoServer(DatabaseUrlError::Unknown)),
    }
}

/// Of these migrations and no others.
fn template() -> String {
    let hash = SCHEMA
        .iter()
        .flat_map(|step| step.checksum.iter())
        .fold(0u64, |hash, byte| {
            hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte)
        });
    format!("issue_mirror_template_{hash:016x}")
}

/// Makes the template, unless another test has.
async fn prepare(
    connection: &mut PgConnection,
    server: &PgConnectOptions,
    template: &str,
) -> Result<(), TestDatabaseError> {
    run(
        connection,
        server,
        "SELECT pg_advisory_lock(4919)".to_owned(),
    )
    .await?;
    let wrap = |error| ConnectError::of(&self::server(server), error);
    let there: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM pg_database WHERE datname = $1")
        .bind(template)
        .fetch_one(&mut *connection)
        .await
        .map_err(wrap)?;
    if there == 0 {
        let half = format!("{template}_making");
        for text in [
            format!("DROP DATABASE IF EXISTS {half} WITH (FORCE)"),
            format!("CREATE DATABASE {half}"),
        ] {
            run(connection, server, text).await?;
        }
        let mut inside = connect(&server.clone().database(&half)).await?;
        migrate(&mut inside, &half).await?;
        inside.close().await.map_err(wrap)?;
        let rename = format!("ALTER DATABASE {half} RENAME TO {template}");
        run(connection, server, rename).await?;
    }
    run(
        connection,
        server,
        "SELECT pg_advisory_unlock(4919)".to_owned(),
    )
    .await
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, TestDatabaseError> {
    let connected = PgConnection::connect_with(options).await;
    Ok(connected.map_err(|error| ConnectError::of(&server(options), error))?)
}

async fn run(
    connection: &mut PgConnection,
    options: &PgConnectOptions,
    text: String,
) -> Result<(), TestDatabaseError> {
    let done = sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await;
    done.map_err(|error| ConnectError::of(&server(options), error))?;
    Ok(())
}
