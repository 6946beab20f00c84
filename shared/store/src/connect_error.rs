//! Why a database could not be used.

use crate::{
    OpenError,
    fault::{Fault, fault},
};

/// A database that could not be used. Each text names the database, without its password, and ends
/// with the mend.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A state file that is unfit.
    #[error(transparent)]
    File(#[from] OpenError),
    /// No answer, or one that is no PostgreSQL's, or none that TLS lets through.
    #[error(
        "{server} cannot be reached; check address, network and TLS settings, and that it runs"
    )]
    Unreachable {
        /// The database.
        server: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The server refused user or password.
    #[error("{server} refused the user or its password; check both, and the server's pg_hba.conf")]
    WrongPassword {
        /// The database.
        server: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The server has no such database.
    #[error(
        "{server}: there is no such database; create it (CREATE DATABASE), then run issue-mirror migrate"
    )]
    NoDatabase {
        /// The database.
        server: String,
    },
    /// The database holds no table of ours.
    #[error("{server} holds no schema yet; run issue-mirror migrate")]
    NoSchema {
        /// The database.
        server: String,
    },
    /// The schema is older than this version.
    #[error(
        "{server} has the schema of an older version ({found}, this one needs {known}); run \
         issue-mirror migrate"
    )]
    Older {
        /// The database.
        server: String,
        /// The schema's number there.
        found: i64,
        /// The one this version needs.
        known: i64,
    },
    /// The schema is newer than this version.
    #[error(
        "{server} has the schema of a newer version ({found}, this one knows {known}); update \
         issue-mirror"
    )]
    Newer {
        /// The database.
        server: String,
        /// The schema's number there.
        found: i64,
        /// The newest this version knows.
        known: i64,
    },
    /// The database is another program's.
    #[error("{server} is the database of another program; name one of its own")]
    Foreign {
        /// The database.
        server: String,
    },
    /// The user lacks rights.
    #[error(
        "{server}: the user lacks rights; grant it SELECT, INSERT, UPDATE and DELETE on all \
         tables, and for issue-mirror migrate CREATE on the schema"
    )]
    Denied {
        /// The database.
        server: String,
    },
    /// The server accepts no writing.
    #[error(
        "{server} is read-only; name the primary server, or lift default_transaction_read_only"
    )]
    ReadOnly {
        /// The database.
        server: String,
    },
    /// A step to the newest schema failed.
    #[error("cannot bring the schema of {server} up to date; it was left as it was")]
    Schema {
        /// The database.
        server: String,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// The database failed.
    #[error("{server} failed; see the server's log")]
    Database {
        /// The database.
        server: String,
        /// Why.
        source: sqlx::Error,
    },
}

impl ConnectError {
    /// Whether waiting may mend it, so that a service had better try again than end.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::ReadOnly { .. } | Self::Database { .. } => true,
            Self::File(OpenError::Locked { .. }) => true,
            Self::File(_)
            | Self::WrongPassword { .. }
            | Self::NoDatabase { .. }
            | Self::NoSchema { .. }
            | Self::Older { .. }
            | Self::Newer { .. }
            | Self::Foreign { .. }
            | Self::Denied { .. }
            | Self::Schema { .. } => false,
        }
    }

    pub(crate) fn of(server: &str, source: sqlx::Error) -> Self {
        let server = server.to_owned();
        match fault(&source) {
            Fault::Unreachable | Fault::Busy => Self::Unreachable { server, source },
            Fault::WrongPassword => Self::WrongPassword { server, source },
            Fault::NoDatabase => Self::NoDatabase { server },
            Fault::Denied => Self::Denied { server },
            Fault::ReadOnly => Self::ReadOnly { server },
            Fault::Full | Fault::Schema | Fault::Unreadable | Fault::Damaged | Fault::Other => {
                Self::Database { server, source }
            }
        }
    }
}
