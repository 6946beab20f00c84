//! The one home of names that others may see.

/// Prefix of a worker's name; its number is added.
pub const WORKER: &str = "issue-mirror-worker";
