//! What the pure core, the client and the engine need of the outside: time, randomness, permission
//! to send. The implementations live elsewhere.

use crate::ids::InstanceId;
use chrono::{DateTime, Utc};
use std::{future::Future, pin::Pin, time::Duration};

/// A boxed future, so that the ports can be used as trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The only source of time, and the only way to wait.
pub trait Clock: Send + Sync + 'static {
    /// The time of day, UTC. May jump.
    fn now(&self) -> DateTime<Utc>;

    /// Time since an arbitrary start. Never jumps, never goes back.
    fn monotonic(&self) -> Duration;

    /// Waits.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// The only source of randomness.
pub trait Entropy: Send + Sync + 'static {
    /// 64 evenly distributed random bits.
    fn next_u64(&self) -> u64;
}

/// What a request is charged to. Every request charges [`Class::Api`]; some charge another class
/// as well, because GitLab counts them twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Class {
    /// Any request.
    Api,
    /// Creating a note.
    Notes,
    /// Creating an issue.
    Issues,
    /// A list with `search=`.
    Search,
    /// Uploading or downloading a file.
    Uploads,
}

impl Class {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 5] = [
        Self::Api,
        Self::Notes,
        Self::Issues,
        Self::Search,
        Self::Uploads,
    ];

    /// The name in `--limit` and in the budget's report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Notes => "notes",
            Self::Issues => "issues",
            Self::Search => "search",
            Self::Uploads => "uploads",
        }
    }
}

/// Who is going to be charged: GitLab counts by the token's user.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Account {
    /// The instance.
    pub instance: InstanceId,
    /// Tells the token's users apart (the user's id once known, else a digest of the token);
    /// never the token itself.
    pub user: String,
}

/// One request asking to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Charge {
    /// Whose limits count.
    pub account: Account,
    /// The class besides [`Class::Api`].
    pub class: Class,
    /// Asked for by a person, who may use the reserved share.
    pub by_hand: bool,
    /// May change something on the instance: anything but a read. Whether an instance is back is
    /// tried out with reads alone.
    pub changes: bool,
}

/// The answer to a [`Charge`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Send; it has been counted.
    Go,
    /// Ask again after this time: short enough to wait in place.
    In(Duration),
    /// Nothing goes before this time: hand the work back until then.
    NotBefore(DateTime<Utc>),
}

/// What an answer told about the limits.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Observation {
    /// The instance's own clock (`Date`).
    pub instance_clock: Option<DateTime<Utc>>,
    /// `RateLimit-Limit`: requests in a window.
    pub limit: Option<u64>,
    /// `RateLimit-Remaining`.
    pub remaining: Option<u64>,
    /// `RateLimit-Reset`: when the window ends.
    pub reset: Option<DateTime<Utc>>,
    /// The request was refused for its rate (429, or a 503 that names a time); how long to wait if
    /// the answer said so.
    pub refused: Option<Refusal>,
    /// A 5xx or a time-out: the instance struggles.
    pub struggling: bool,
}

/// A refusal for the rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Refused by the application limiter of this one class, not by the throttle of all requests.
    pub application: bool,
}

/// Permission to send, asked before each request.
pub trait Pace: Send + Sync + 'static {
    /// May this request go?
    fn admit<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Admission>;

    /// What the answer to it told.
    fn learn(&self, charge: &Charge, observation: &Observation);
}
