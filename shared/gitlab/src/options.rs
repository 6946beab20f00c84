//! How patient a client is, and by which way it leaves.

use std::{path::PathBuf, time::Duration};

/// How patient a client is, and by which way it leaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// For name look-up, TCP and TLS together.
    pub connect_timeout: Duration,
    /// Waiting for the head of an answer, from the moment of sending; while a body is being sent,
    /// from its last piece.
    pub read_timeout: Duration,
    /// Between two pieces of an answer's body.
    pub body_timeout: Duration,
    /// Certificates (PEM) trusted besides the system's own.
    pub ca_file: Option<PathBuf>,
    /// The same, as text: for an instance whose certificates are kept with its record.
    pub ca: Option<String>,
    /// A proxy for everything, `http://proxy:3128`; without one the environment's is used.
    pub proxy: Option<String>,
    /// The longest JSON answer accepted, in bytes.
    pub body_cap: u64,
    /// `User-Agent`.
    pub user_agent: String,
    /// The longest wait in place, for a slot or for a limit to pass; a longer one becomes
    /// [`ErrorKind::Throttled`](crate::ErrorKind::Throttled).
    pub spacing_patience: Duration,
    /// How often a read is sent again after a failure that may pass.
    pub read_retries: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(30),
            ca_file: None,
            ca: None,
            proxy: None,
            body_cap: 32 * 1024 * 1024,
            user_agent: concat!("issue-mirror/", env!("CARGO_PKG_VERSION")).to_owned(),
            spacing_patience: Duration::from_secs(30),
            read_retries: 3,
        }
    }
}
