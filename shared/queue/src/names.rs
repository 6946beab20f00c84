//! The one home of names that others may see: workers, Redis keys and channels.
//!
//! Everything of ours in Redis begins with the deployment's [`Prefix`], so that two deployments
//! can share a server. The one exception is apalis': its `core:apalis:queues:list` holds one entry
//! a queue, and the entry carries our prefix.

use std::{fmt, str::FromStr};

/// Prefix of a worker's name; its number is added.
pub const WORKER: &str = "issue-mirror-worker";

/// The longest prefix; keys are stored and sent again and again.
const LONGEST: usize = 64;

/// What the names of one deployment begin with.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Prefix(String);

/// A prefix that cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{0}` is not a prefix for Redis: write 1 to {LONGEST} letters, digits or `-_.:`, for example `issue-mirror:`"
)]
pub struct PrefixError(String);

impl Default for Prefix {
    fn default() -> Self {
        Self("issue-mirror:".into())
    }
}

impl FromStr for Prefix {
    type Err = PrefixError;

    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        if (1..=LONGEST).contains(&text.len()) && text.bytes().all(known) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PrefixError(text.to_owned()))
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The keys and channels of one deployment.
///
/// Those of the queue are apalis-redis' own scheme, pinned by its version; a test compares.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    prefix: Prefix,
}

impl Names {
    pub(crate) fn new(prefix: Prefix) -> Self {
        Self { prefix }
    }

    fn of(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The queue as apalis calls it; its keys begin with this.
    pub(crate) fn queue(&self) -> String {
        self.of("tickets")
    }

    /// List: ids of the tickets that no worker has taken.
    pub(crate) fn waiting(&self) -> String {
        self.of("tickets:active")
    }

    /// Hash: id → ticket.
    pub(crate) fn data(&self) -> String {
        self.of("tickets:data")
    }

    /// With `:` and an id behind it a hash: what apalis notes about a ticket. With `:result` the
    /// hash of what became of them.
    pub(crate) fn notes(&self) -> String {
        self.of("tickets:meta")
    }

    /// Set: ids of those that a worker has acknowledged.
    pub(crate) fn done(&self) -> String {
        self.of("tickets:done")
    }

    /// With `:` and a worker's name behind it a set: ids of those that the worker has taken.
    pub(crate) fn taken(&self) -> String {
        self.of("tickets:inflight")
    }

    /// Sorted set: the names of workers.
    pub(crate) fn workers(&self) -> String {
        self.of("tickets:workers")
    }

    /// With `:` and a worker's name behind it a hash: what apalis notes about a worker.
    pub(crate) fn worker_notes(&self) -> String {
        self.of("tickets:workers:metadata")
    }

    /// With `:` and a worker's name behind it: exists while that worker lives.
    pub(crate) fn alive(&self) -> String {
        self.of("alive")
    }

    /// A random number, new after each loss of everything.
    pub(crate) fn generation(&self) -> String {
        self.of("generation")
    }

    /// Channel: tickets have been pushed.
    pub(crate) fn tickets_channel(&self) -> String {
        self.of("signal:tickets")
    }

    /// Channel: somebody owed something.
    pub(crate) fn owed_channel(&self) -> String {
        self.of("signal:owed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use apalis_redis::Config;

    #[test]
    fn the_queues_names_are_those_of_apalis() {
        let names = Names::new("two:".parse().unwrap());
        let config = Config::default().queue(names.queue());
        assert_eq!(names.waiting(), config.active_jobs_list());
        assert_eq!(names.data(), config.job_data_hash());
        assert_eq!(names.notes(), config.job_meta_hash());
        assert_eq!(names.done(), config.done_jobs_set());
        assert_eq!(names.taken(), config.inflight_jobs_set());
        assert_eq!(names.workers(), config.workers_set());
    }

    #[test]
    fn a_prefix_is_short_and_plain() {
        for good in ["issue-mirror:", "a", "team_1.mirror:"] {
            assert_eq!(good.parse::<Prefix>().unwrap().to_string(), good);
        }
        let long = "x".repeat(65);
        for bad in ["", " ", "a b", "a*", "{a}", "ä", long.as_str()] {
            let error = bad.parse::<Prefix>().unwrap_err().to_string();
            assert!(error.contains("1 to 64 letters"), "{error}");
        }
    }
}
