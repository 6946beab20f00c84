use std::time::Duration;

/// How Redis and the delivery are, for readiness and metrics.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Health {
    /// How long it took to answer.
    pub round_trip: Duration,
    /// Tickets that no worker has taken.
    pub waiting: u64,
    /// Tickets that workers have taken and not yet acknowledged.
    pub taken: u64,
    /// Workers that live.
    pub workers: u64,
    /// Bytes that Redis uses in all, if it tells.
    pub memory: Option<u64>,
    /// What is wrong with its configuration, in words for a person; `None` if nothing is, or if
    /// Redis does not let its user ask.
    pub warning: Option<String>,
}
