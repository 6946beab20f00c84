//! Opening a state file: telling apart what it may turn out to be, and bringing it up to date.

use crate::{
    Migrated, Store,
    database::Database,
    error::OpenError,
    fault::{is_busy, is_damaged},
    schema::number_of,
};
use mirror_core::ports::Clock;
use sqlx::{
    Connection, Row, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{fs, io, io::Read, path::Path, sync::Arc, time::Duration};

pub(crate) static SCHEMA: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// "IsMi": tells our files from other programs' (SQLite's `application_id`).
const APPLICATION_ID: i64 = 0x4973_4d69;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
const OPEN_PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);
const READERS: u32 = 4;

impl Store {
    /// Opens the state file, making it (readable by its owner alone) if it is not there; the
    /// folder must be. Checks that the file is ours and whole, and brings its schema up to date.
    ///
    /// # Errors
    /// Each way in which a file can be unfit is a variant of its own, and names its mend. A file
    /// that is refused is left as it was.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Self::prepare_file(path, &*clock).await?;
        Self::open_file(path, clock).await
    }

    /// As [`Store::open`], but the file must be there and have this version's schema.
    pub(crate) async fn open_prepared(
        path: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        check_magic(path)?;
        let (_, found) = probe(path).await?;
        let known = newest();
        if found < known {
            return Err(OpenError::Older {
                path: path.to_owned(),
                found,
                known,
            });
        }
        if found > known {
            return Err(newer(path, found));
        }
        Self::open_file(path, clock).await
    }

    pub(crate) async fn prepare_file(
        path: &Path,
        clock: &dyn Clock,
    ) -> Result<Migrated, OpenError> {
        make_private(path).map_err(|source| OpenError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let until = clock.monotonic().saturating_add(OPEN_PATIENCE);
        loop {
            match prepare(path).await {
                Ok(from) => return Ok(Migrated { from, to: newest() }),
                // Two processes that make the same file at once collide where SQLite does not wait.
                Err(OpenError::Locked { .. }) if clock.monotonic() < until => {
                    clock.sleep(PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn open_file(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let writer = pool(1)
            .connect_with(writing(path))
            .await
            .map_err(|error| failed(path, error))?;
        let readers = pool(READERS).connect_lazy_with(reading(path));
        Ok(Self::on_sqlite(writer, readers, clock))
    }

    /// A record that lives in memory and ends with the last clone of the store: for `plan` without
    /// a state file, and for tests.
    ///
    /// # Errors
    /// As [`Store::open`], which for memory means a defect of ours.
    pub async fn in_memory(clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new().in_memory(true);
        Self::on_one_connection(Path::new(":memory:"), options, clock).await
    }

    /// A record in a file without a name, which nobody else can open and which ends with the last
    /// clone of the store.
    pub(crate) async fn without_a_name(clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new().filename("");
        let options = options.create_if_missing(true);
        Self::on_one_connection(Path::new("a temporary file"), options, clock).await
    }

    async fn on_one_connection(
        path: &Path,
        options: SqliteConnectOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let options = common(options);
        let both = pool(1)
            .min_connections(1)
            .connect_with(options)
            .await
            .map_err(|error| failed(path, error))?;
        let mut connection = both.acquire().await.map_err(|error| failed(path, error))?;
        // Its copies in files are to be known as ours.
        mark(path, &mut connection).await?;
        migrate(path, &mut connection).await?;
        drop(connection);
        Ok(Self::on_sqlite(both.clone(), both, clock))
    }

    /// Writes a copy of everything committed to a new file (readable by its owner alone), without
    /// holding up anybody.
    ///
    /// # Errors
    /// [`OpenError::Unreadable`] if the file is there already or cannot be made;
    /// [`OpenError::Database`] if it cannot be written; [`OpenError::NotAFile`] if the record is
    /// on a server.
    pub async fn copy_to(&self, path: &Path) -> Result<(), OpenError> {
        let Database::Sqlite { readers, .. } = self.database() else {
            return Err(OpenError::NotAFile {
                path: path.to_owned(),
            });
        };
        let unreadable = |source| OpenError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let whole = std::path::absolute(path).map_err(unreadable)?;
        let mut address = url::Url::from_file_path(&whole).map_err(|()| {
            unreadable(io::Error::new(io::ErrorKind::InvalidFilename, "not a path"))
        })?;
        // A connection whose own record is in memory would make the copy in memory too, and say
        // that all went well.
        address.set_query(Some("mode=rwc"));
        create_private(path).map_err(unreadable)?;
        sqlx::query("VACUUM INTO $1")
            .bind(address.as_str())
            .execute(readers)
            .await
            .map_err(|error| failed(path, error))?;
        Ok(())
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        // These end connections by age, which a file does not need and memory would not survive.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

fn common(options: SqliteConnectOptions) -> SqliteConnectOptions {
    use sqlx::ConnectOptions;
    options
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true)
        .statement_cache_capacity(200)
        .disable_statement_logging()
}

fn writing(path: &Path) -> SqliteConnectOptions {
    common(SqliteConnectOptions::new().filename(path))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
}

fn reading(path: &Path) -> SqliteConnectOptions {
    common(SqliteConnectOptions::new().filename(path)).read_only(true)
}

/// Makes an empty file that only its owner may read; SQLite gives its side files the same
/// permissions.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// As [`create_private`]; an existing file stays as it is.
fn make_private(path: &Path) -> io::Result<()> {
    match create_private(path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Returns the schema's number before.
async fn prepare(path: &Path) -> Result<i64, OpenError> {
    check_magic(path)?;
    let (fresh, found) = probe(path).await?;
    let mut connection = SqliteConnection::connect_with(&writing(path))
        .await
        .map_err(|error| failed(path, error))?;
    if fresh {
        mark(path, &mut connection).await?;
    }
    migrate(path, &mut connection).await?;
    let closed = connection.close().await;
    closed.map_err(|error| failed(path, error))?;
    Ok(found)
}

/// Told apart before SQLite sees the file, because SQLite's own words for it are the same as for a
/// damaged one.
fn check_magic(path: &Path) -> Result<(), OpenError> {
    let unreadable = |source| OpenError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut start = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start))
        .map_err(unreadable)?;
    if start.is_empty() || start == MAGIC {
        Ok(())
    } else {
        Err(OpenError::Corrupt {
            path: path.to_owned(),
            detail: "it does not begin like one".to_owned(),
        })
    }
}

/// Looks without writing: whose the file is, and whether it is whole. Whether it is new, and its
/// schema's number.
async fn probe(path: &Path) -> Result<(bool, i64), OpenError> {
    let wrap = |error| failed(path, error);
    let mut connection = SqliteConnection::connect_with(&reading(path))
        .await
        .map_err(wrap)?;
    let application: i64 = sqlx::query("PRAGMA application_id")
        .fetch_one(&mut connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(wrap)?;
    let tables: i64 = sqlx::query("SELECT COUNT(*) FROM sqlite_master")
        .fetch_one(&mut connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(wrap)?;
    let fresh = application == 0 && tables == 0;
    if !fresh && application != APPLICATION_ID {
        return Err(OpenError::Foreign {
            path: path.to_owned(),
        });
    }
    if !fresh {
        check_whole(path, &mut connection).await?;
    }
    let found = number(&mut connection).await.map_err(wrap)?;
    connection.close().await.map_err(wrap)?;
    Ok((fresh, found))
}

/// The schema's number; 0 if there is none.
async fn number(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let table: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&mut *connection)
            .await?;
    if table == 0 {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success")
        .fetch_one(connection)
        .await
}

fn newest() -> i64 {
    number_of(&SCHEMA)
}

fn newer(path: &Path, found: i64) -> OpenError {
    OpenError::Newer {
        path: path.to_owned(),
        found,
        known: newest(),
    }
}

/// Makes the file known as ours.
async fn mark(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let text = format!("PRAGMA application_id = {APPLICATION_ID}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(text))
        .execute(connection)
        .await
        .map(drop)
        .map_err(|error| failed(path, error))
}

async fn check_whole(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let found: String = sqlx::query("PRAGMA quick_check(1)")
        .fetch_one(connection)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(|error| failed(path, error))?;
    if found == "ok" {
        Ok(())
    } else {
        Err(OpenError::Corrupt {
            path: path.to_owned(),
            detail: found,
        })
    }
}

/// All in one transaction: of two processes that open a new file at once, the second finds the
/// work done.
async fn migrate(path: &Path, connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let wrap = |error| failed(path, error);
    let mut tx = connection
        .begin_with("BEGIN IMMEDIATE")
        .await
        .map_err(wrap)?;
    // Its plain `run` makes this future impossible to spawn.
    match SCHEMA.run_direct(None, &mut *tx, false).await {
        Ok(()) => tx.commit().await.map_err(wrap),
        Err(MigrateError::VersionMissing(found)) => Err(newer(path, found)),
        Err(source) => Err(OpenError::Schema {
            path: path.to_owned(),
            source,
        }),
    }
}

fn failed(path: &Path, error: sqlx::Error) -> OpenError {
    let path = path.to_owned();
    if is_busy(&error) {
        return OpenError::Locked { path };
    }
    if is_damaged(&error) {
        return OpenError::Corrupt {
            path,
            detail: error.to_string(),
        };
    }
    OpenError::Database {
        path,
        source: error,
    }
}
