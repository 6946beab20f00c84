//! Where the record is kept, as a person writes it.

use sqlx::postgres::PgConnectOptions;
use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Where the record is kept: `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
///
/// For PostgreSQL, `?sslmode=` (`disable`, `prefer` by default, `require`, `verify-ca`,
/// `verify-full`), `sslrootcert=`, `sslcert=`, `sslkey=`, `application_name=` and `options=` are
/// understood, and no others; what is left out is taken from libpq's environment variables and password file.
/// Certificates are checked against the system's unless `sslrootcert` names a file.
///
/// Printed, it holds no password.
#[derive(Clone)]
pub struct DatabaseUrl(Kind);

#[derive(Clone)]
pub(crate) enum Kind {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

/// A text that names no database. Never repeats the text: it may hold a password.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DatabaseUrlError {
    /// Another kind of database, or no URL at all.
    #[error("not a database URL; give sqlite:PATH or postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Unknown,
    /// `sqlite:` without a path, with parameters, or in memory.
    #[error("not a file; give sqlite:PATH, without parameters")]
    NotAFile,
    /// PostgreSQL's, but malformed.
    #[error(
        "not a PostgreSQL URL ({0}); give postgres://USER:PASSWORD@HOST:PORT/DATABASE, special \
         characters of the password as %XX"
    )]
    Malformed(&'static str),
}

impl DatabaseUrl {
    /// A file on this machine.
    pub fn sqlite(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Sqlite(path.into()))
    }

    /// Whether several machines can share it.
    pub fn is_shared(&self) -> bool {
        match &self.0 {
            Kind::Sqlite(_) => false,
            Kind::Postgres(_) => true,
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Sqlite(path) => Some(path),
            Kind::Postgres(_) => None,
        }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn of_server(options: PgConnectOptions) -> Self {
        Self(Kind::Postgres(Box::new(options)))
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0
    }
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once(':').ok_or(DatabaseUrlError::Unknown)?;
        match scheme {
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() || path == ":memory:" || path.contains('?') {
                    return Err(DatabaseUrlError::NotAFile);
                }
                Ok(Self::sqlite(path))
            }
            "postgres" | "postgresql" => {
                check_shape(rest).map_err(DatabaseUrlError::Malformed)?;
                // Its own words may quote the text.
                let options = PgConnectOptions::from_str(text)
                    .map_err(|_| DatabaseUrlError::Malformed("it cannot be read"))?;
                Ok(Self(Kind::Postgres(Box::new(options))))
            }
            _ => Err(DatabaseUrlError::Unknown),
        }
    }
}

const PARAMETERS: [&str; 13] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "statement-cache-capacity",
];

/// What a password with bare special characters would be taken for is refused here: elsewhere it
/// would be shown or logged as a database's or a parameter's name.
fn check_shape(rest: &str) -> Result<(), &'static str> {
    let rest = rest.strip_prefix("//").ok_or("no // after the scheme")?;
    let (address, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    if address.contains('#') || parameters.contains('#') {
        return Err("a bare #");
    }
    if address
        .split_once('/')
        .is_some_and(|(_, database)| database.contains(['@', '/']))
    {
        return Err("a bare @ or / after the host");
    }
    let unknown = |parameter: &str| {
        let name = parameter
            .split_once('=')
            .map_or(parameter, |(name, _)| name);
        !PARAMETERS.contains(&name)
    };
    if !parameters.is_empty() && parameters.split('&').any(unknown) {
        return Err("a parameter that is not known");
    }
    Ok(())
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Kind::Postgres(options) => f.write_str(&server(options)),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A server's database as it may be shown.
pub(crate) fn server(options: &PgConnectOptions) -> String {
    let user = options.get_username();
    let database = options.get_database().unwrap_or(user);
    match options.get_socket() {
        Some(socket) => format!("postgres://{user}@/{database}?host={}", socket.display()),
        None => {
            let (host, port) = (options.get_host(), options.get_port());
            format!("postgres://{user}@{host}:{port}/{database}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        text.parse::<DatabaseUrl>().unwrap().to_string()
    }

    #[test]
    fn a_file_is_named_by_its_path() {
        assert_eq!(read("sqlite:state.sqlite3"), "sqlite:state.sqlite3");
        assert_eq!(read("sqlite:/var/lib/a.db"), "sqlite:/var/lib/a.db");
        assert_eq!(read("sqlite:///var/lib/a.db"), "sqlite:/var/lib/a.db");
    }

    #[test]
    fn a_server_is_shown_without_its_password() {
        for scheme in ["postgres", "postgresql"] {
            let url =
                format!("{scheme}://mirror:s3cret@db.example:6432/issues?sslmode=verify-full");
            let url: DatabaseUrl = url.parse().unwrap();
            assert_eq!(url.to_string(), "postgres://mirror@db.example:6432/issues");
            assert!(!format!("{url:?}").contains("s3cret"));
            assert!(url.is_shared());
        }
        let hidden = read("postgres://db/issues?user=mirror&password=s3cret");
        assert_eq!(hidden, "postgres://mirror@db:5432/issues");
    }

    #[test]
    fn what_is_refused_is_not_repeated() {
        for text in [
            "",
            "s3cret",
            "mysql://mirror:s3cret@db/issues",
            "host=db password=s3cret",
            "sqlite:",
            "sqlite::memory:",
            "sqlite:a.db?mode=s3cret",
            "postgres:mirror:s3cret@db",
            "postgres://mirror:s3cret@db:port/issues",
            "postgres://mirror:s3cret@db/issues?sslmode=s3cret",
            "postgres://mirror:1/s3cret@db/issues",
            "postgres://mirror:1?s3cret@db/issues",
            "postgres://mirror:1#s3cret@db/issues",
        ] {
            let refused = text.parse::<DatabaseUrl>().unwrap_err();
            assert!(
                !format!("{refused} {refused:?}").contains("s3cret"),
                "{refused}"
            );
        }
    }
}
