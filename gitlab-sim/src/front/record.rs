//! What is remembered of each request.

use chrono::{DateTime, Utc};

use crate::model::UserId;

/// A request that arrived, and what became of it.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    /// Counts from 1 over the simulator's life.
    pub number: u64,
    /// Such as `GET`.
    pub method: String,
    /// Path without query, still encoded, without the prefix of a configured sub-path.
    pub path: String,
    /// Query without `?`, still encoded.
    pub query: String,
    /// Status of the answer; `None` where none was sent (yet).
    pub status: Option<u16>,
    /// When it arrived.
    pub at: DateTime<Utc>,
    /// Whose token it carried.
    pub user: Option<UserId>,
    /// Whether it carried any token.
    pub token_sent: bool,
    /// Whether it changed the world (a late landing counts from when it landed).
    pub effect: bool,
    /// Bytes of its body.
    pub body_bytes: u64,
}
