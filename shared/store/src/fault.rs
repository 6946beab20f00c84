//! What a database means by its errors, whichever it is.

use sqlx::{error::DatabaseError, postgres::PgDatabaseError, sqlite::SqliteError};

/// What is wrong, as far as it makes a difference to us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Others were in the way; another try may find them gone.
    Busy,
    /// No connection, or it broke off.
    Unreachable,
    /// No writing.
    ReadOnly,
    /// No space.
    Full,
    /// Name or password are wrong, or the address may not come in.
    WrongPassword,
    /// A right is lacking.
    Denied,
    /// There is no such database.
    NoDatabase,
    /// A table, a column or a type is not as expected.
    Schema,
    /// A value is not as expected.
    Unreadable,
    /// No later try will find it whole.
    Damaged,
    /// Anything else.
    Other,
}

pub(crate) fn fault(error: &sqlx::Error) -> Fault {
    if let sqlx::Error::Database(error) = error {
        return of_database(&**error);
    }
    // On SQLite: our own queue for the one writing connection. (On PostgreSQL it is turned into an
    // I/O error where it arises.)
    if matches!(error, sqlx::Error::PoolTimedOut) {
        return Fault::Busy;
    }
    if matches!(
        error,
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_)
    ) {
        return Fault::Unreadable;
    }
    let no_connection = matches!(
        error,
        sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
    );
    if no_connection {
        Fault::Unreachable
    } else {
        Fault::Other
    }
}

fn of_database(error: &dyn DatabaseError) -> Fault {
    if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
        return of_postgres(error.code());
    }
    match error.try_downcast_ref::<SqliteError>() {
        Some(error) => of_sqlite(error),
        None => Fault::Other,
    }
}

/// By PostgreSQL's appendix on error codes.
fn of_postgres(code: &str) -> Fault {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available, query_canceled (a limit on
        // statements' time), idle_in_transaction_session_timeout
        "40001" | "40P01" | "55P03" | "57014" | "25P03" => Fault::Busy,
        // admin_shutdown, crash_shutdown, cannot_connect_now, idle_session_timeout,
        // too_many_connections
        "57P01" | "57P02" | "57P03" | "57P05" | "53300" => Fault::Unreachable,
        // read_only_sql_transaction
        "25006" => Fault::ReadOnly,
        // disk_full
        "53100" => Fault::Full,
        // invalid_authorization_specification, invalid_password
        "28000" | "28P01" => Fault::WrongPassword,
        // insufficient_privilege
        "42501" => Fault::Denied,
        // invalid_catalog_name, database_dropped
        "3D000" | "57P04" => Fault::NoDatabase,
        // undefined_table, undefined_column, undefined_object, invalid_schema_name,
        // datatype_mismatch, "cached plan must not change result type"
        "42P01" | "42703" | "42704" | "3F000" | "42804" | "0A000" => Fault::Schema,
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => Fault::Damaged,
        // connection exceptions
        _ if code.starts_with("08") => Fault::Unreachable,
        _ => Fault::Other,
    }
}

/// By SQLite's primary result codes; the extended ones keep them in their low byte.
fn of_sqlite(error: &SqliteError) -> Fault {
    let code = DatabaseError::code(error).and_then(|code| code.parse::<i32>().ok());
    match code.map(|code| code & 0xff) {
        // SQLITE_BUSY, SQLITE_LOCKED
        Some(5 | 6) => Fault::Busy,
        // SQLITE_READONLY
        Some(8) => Fault::ReadOnly,
        // SQLITE_CORRUPT, SQLITE_NOTADB
        Some(11 | 26) => Fault::Damaged,
        // SQLITE_FULL
        Some(13) => Fault::Full,
        _ => Fault::Other,
    }
}

pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    fault(error) == Fault::Busy
}

pub(crate) fn is_damaged(error: &sqlx::Error) -> bool {
    fault(error) == Fault::Damaged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_a_deadlock_and_a_standby_are_told_apart() {
        for (code, expected) in [
            ("57P01", Fault::Unreachable),
            ("57P03", Fault::Unreachable),
            ("08006", Fault::Unreachable),
            ("40P01", Fault::Busy),
            ("40001", Fault::Busy),
            ("25006", Fault::ReadOnly),
            ("28P01", Fault::WrongPassword),
            ("3D000", Fault::NoDatabase),
            ("23505", Fault::Other),
        ] {
            assert_eq!(of_postgres(code), expected, "{code}");
        }
    }

    #[test]
    fn a_broken_connection_is_none_of_the_jobs_fault() {
        let broken = sqlx::Error::Io(std::io::ErrorKind::UnexpectedEof.into());
        assert!(crate::StoreError::from(broken).is_transient());
    }
}
