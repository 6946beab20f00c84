use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use std::{fmt, str::FromStr};

/// Where Redis is and who we are there. Never prints its password.
///
/// `redis://[USER[:PASSWORD]@]HOST[:PORT][/DB]`, `rediss://…` for TLS, and
/// `unix:///PATH[?db=N&user=USER&pass=PASSWORD]`.
#[derive(Clone)]
pub struct RedisUrl {
    info: ConnectionInfo,
    authority: Option<Vec<u8>>,
}

/// A URL that does not say where Redis is. Holds nothing of the URL: it may contain a password.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RedisUrlError {
    /// Another scheme, or none.
    #[error(
        "the URL of Redis begins with none of redis://, rediss:// (TLS) and unix:// (a socket's path)"
    )]
    Scheme,
    /// `#insecure`.
    #[error(
        "the URL of Redis asks for TLS without checking certificates: name the authority's certificate instead"
    )]
    Insecure,
    /// The database is not a number.
    #[error("the database in the URL of Redis is not a number: write redis://HOST/0")]
    Database,
    /// Anything else.
    #[error(
        "the URL of Redis cannot be read: write redis://USER:PASSWORD@HOST:PORT/DB, special characters percent-encoded"
    )]
    Form,
}

impl FromStr for RedisUrl {
    type Err = RedisUrlError;

    fn from_str(text: &str) -> Result<Self, RedisUrlError> {
        let text = text.trim();
        let known = ["redis://", "rediss://", "unix://", "redis+unix://"];
        if !known.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(RedisUrlError::Scheme);
        }
        if text.ends_with("#insecure") {
            return Err(RedisUrlError::Insecure);
        }
        let info = text.into_connection_info().map_err(|error| {
            if error.to_string().contains("database number") {
                RedisUrlError::Database
            } else {
                RedisUrlError::Form
            }
        })?;
        if info.redis_settings().db() < 0 {
            return Err(RedisUrlError::Database);
        }
        Ok(Self {
            info,
            authority: None,
        })
    }
}

impl RedisUrl {
    /// With TLS, trusts the authority of this certificate (PEM) in place of the system's.
    #[must_use]
    pub fn trusting(mut self, certificate: Vec<u8>) -> Self {
        self.authority = Some(certificate);
        self
    }

    /// Whether the connection is encrypted.
    pub fn is_tls(&self) -> bool {
        matches!(self.info.addr(), ConnectionAddr::TcpTls { .. })
    }

    pub(super) fn info(&self) -> &ConnectionInfo {
        &self.info
    }

    pub(super) fn authority(&self) -> Option<&[u8]> {
        self.authority.as_deref()
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings = self.info.redis_settings();
        let user = settings.username().unwrap_or_default();
        let login = match settings.password() {
            Some(_) => format!("{user}:***@"),
            None if user.is_empty() => String::new(),
            None => format!("{user}@"),
        };
        let db = settings.db();
        let bracketed = |host: &str| match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        match self.info.addr() {
            ConnectionAddr::Tcp(host, port) => {
                write!(f, "redis://{login}{}:{port}/{db}", bracketed(host))
            }
            ConnectionAddr::TcpTls { host, port, .. } => {
                write!(f, "rediss://{login}{}:{port}/{db}", bracketed(host))
            }
            ConnectionAddr::Unix(path) => write!(f, "unix://{}?db={db}", path.display()),
            _ => f.write_str("redis://…"),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_it_is_read_and_shown_without_its_password() {
        for (text, shown) in [
            ("redis://localhost", "redis://localhost:6379/0"),
            ("redis://[::1]:7000/3", "redis://[::1]:7000/3"),
            ("redis://:hush@h:1/2", "redis://:***@h:1/2"),
            ("rediss://me:hush%40x@h", "rediss://me:***@h:6379/0"),
            (
                "unix:///run/r.sock?db=4&pass=hush",
                "unix:///run/r.sock?db=4",
            ),
        ] {
            let url: RedisUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown, "{text}");
            assert!(!format!("{url:?}{url:#?}").contains("hush"), "{text}");
            assert_eq!(url.is_tls(), text.starts_with("rediss"));
        }
    }

    #[test]
    fn each_mistake_is_told_without_the_password() {
        for (text, error) in [
            ("", RedisUrlError::Scheme),
            ("localhost:6379", RedisUrlError::Scheme),
            ("http://:hush@localhost", RedisUrlError::Scheme),
            ("redis://", RedisUrlError::Form),
            ("redis://:hush@h:port", RedisUrlError::Form),
            ("redis://:hush@h/first", RedisUrlError::Database),
            ("redis://:hush@h/-1", RedisUrlError::Database),
            ("rediss://:hush@h/#insecure", RedisUrlError::Insecure),
        ] {
            let told = text.parse::<RedisUrl>().unwrap_err();
            assert_eq!(told, error, "{text}");
            assert!(!told.to_string().contains("hush"));
        }
    }
}
