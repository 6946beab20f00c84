use redis::{ErrorKind, RedisError as Raw};

/// Redis did not do what was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RedisError {
    /// It does not answer, or not in time.
    #[error("redis cannot be reached")]
    Unreachable(#[source] Raw),
    /// It does not know us.
    #[error("redis refuses user or password")]
    Login(#[source] Raw),
    /// It knows us and does not let us do this.
    #[error(
        "redis does not allow its user to do this: see the rights listed in docs/operations.md"
    )]
    Rights(#[source] Raw),
    /// `maxmemory` is reached.
    #[error("redis refuses writes because its memory is full")]
    Full(#[source] Raw),
    /// A replica, a server that cannot save, or one that is still loading.
    #[error("redis takes no writes at the moment")]
    ReadOnly(#[source] Raw),
    /// A node of a cluster.
    #[error("this redis is a cluster's node, which is not supported: give a single server")]
    Cluster,
    /// The connection cannot even be tried.
    #[error("the connection to redis cannot be set up")]
    Setup(#[source] Raw),
    /// Anything else that it answered.
    #[error("redis answered with an error")]
    Other(#[source] Raw),
}

impl RedisError {
    /// Whether it may work later without anybody changing our configuration.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Full(_) | Self::ReadOnly(_) | Self::Other(_) => true,
            Self::Login(_) | Self::Rights(_) | Self::Cluster | Self::Setup(_) => false,
        }
    }
}

impl From<Raw> for RedisError {
    fn from(error: Raw) -> Self {
        match error.code() {
            Some("OOM") => Self::Full(error),
            Some("NOAUTH" | "WRONGPASS") => Self::Login(error),
            Some("NOPERM") => Self::Rights(error),
            Some("MISCONF" | "READONLY" | "LOADING" | "MASTERDOWN") => Self::ReadOnly(error),
            Some("MOVED" | "ASK" | "CROSSSLOT" | "CLUSTERDOWN") => Self::Cluster,
            Some(_) | None if error.kind() == ErrorKind::AuthenticationFailed => Self::Login(error),
            Some(_) | None if error.kind() == ErrorKind::Io => Self::Unreachable(error),
            Some(_) | None if error.kind() == ErrorKind::InvalidClientConfig => Self::Setup(error),
            Some(_) | None => Self::Other(error),
        }
    }
}
