//! What the routes need.

use crate::Metrics;
use mirror_core::ports::Clock;
use mirror_queue::connection::Redis;
use mirror_store::Store;
use std::sync::Arc;

/// What the routes need, put together by the binary. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// The record.
    pub store: Store,
    /// Where tickets travel; none: within the process.
    pub redis: Option<Redis>,
    /// Time, for giving up on a part that does not answer.
    pub clock: Arc<dyn Clock>,
    /// What this process counts.
    pub metrics: Arc<Metrics>,
}
