//! The schema on PostgreSQL: whose the tables are, how old, and bringing them up to date.

use crate::ConnectError;
use sqlx::{
    PgConnection,
    migrate::{MigrateError, Migrator},
};

pub(crate) static SCHEMA: Migrator = sqlx::migrate!("../../migrations/postgres");

/// What bringing a schema up to date did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Migrated {
    /// The schema's number before; 0 if there was none.
    pub from: i64,
    /// And after.
    pub to: i64,
}

const IS_THERE: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";

const APPLIED: &str =
    "SELECT version, checksum FROM _sqlx_migrations WHERE success ORDER BY version";

const MAY_WRITE: &str = "\
SELECT has_table_privilege('work', 'SELECT') AND has_table_privilege('work', 'INSERT')
   AND has_table_privilege('work', 'UPDATE') AND has_table_privilege('work', 'DELETE')";

const READ_ONLY: &str = "SELECT current_setting('transaction_read_only') = 'on'";

/// Refuses a schema that is not this version's, and a server or a user that cannot write.
pub(crate) async fn check(connection: &mut PgConnection, server: &str) -> Result<(), ConnectError> {
    let (found, known) = (number(connection, server).await?, newest());
    let server = server.to_owned();
    if found == 0 {
        return Err(ConnectError::NoSchema { server });
    }
    if found < known {
        return Err(ConnectError::Older {
            server,
            found,
            known,
        });
    }
    if !says(connection, &server, MAY_WRITE).await? {
        return Err(ConnectError::Denied { server });
    }
    if says(connection, &server, READ_ONLY).await? {
        return Err(ConnectError::ReadOnly { server });
    }
    Ok(())
}

/// Brings the schema up to date; of several who do so at once, the others find the work done.
pub(crate) async fn migrate(
    connection: &mut PgConnection,
    server: &str,
) -> Result<Migrated, ConnectError> {
    let from = number(connection, server).await?;
    // Takes an advisory lock; each step is a transaction. (Its plain `run` makes this future
    // impossible to spawn.)
    match SCHEMA.run_direct(None, connection, false).await {
        Ok(()) => Ok(Migrated { from, to: newest() }),
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            let told = ConnectError::of(server, error);
            let ConnectError::Database { server, source } = told else {
                return Err(told);
            };
            Err(ConnectError::Schema {
                server,
                source: MigrateError::Execute(source),
            })
        }
        Err(source) => Err(ConnectError::Schema {
            server: server.to_owned(),
            source,
        }),
    }
}

/// The schema's number; 0 if there is none.
async fn number(connection: &mut PgConnection, server: &str) -> Result<i64, ConnectError> {
    let wrap = |error| ConnectError::of(server, error);
    if !says(connection, server, IS_THERE).await? {
        return Ok(0);
    }
    let applied: Vec<(i64, Vec<u8>)> = sqlx::query_as(APPLIED)
        .fetch_all(connection)
        .await
        .map_err(wrap)?;
    let server = server.to_owned();
    let is_ours = SCHEMA
        .iter()
        .zip(&applied)
        .all(|(ours, (version, checksum))| {
            ours.version == *version && ours.checksum.as_ref() == checksum.as_slice()
        });
    if !is_ours {
        return Err(ConnectError::Foreign { server });
    }
    let (found, known) = (applied.last().map_or(0, |(version, _)| *version), newest());
    if found > known {
        return Err(ConnectError::Newer {
            server,
            found,
            known,
        });
    }
    Ok(found)
}

fn newest() -> i64 {
    number_of(&SCHEMA)
}

/// The number that a schema has with all of these steps.
pub(crate) fn number_of(steps: &Migrator) -> i64 {
    steps.iter().map(|step| step.version).max().unwrap_or(0)
}

async fn says(
    connection: &mut PgConnection,
    server: &str,
    text: &'static str,
) -> Result<bool, ConnectError> {
    sqlx::query_scalar(text)
        .fetch_one(connection)
        .await
        .map_err(|error| ConnectError::of(server, error))
}
