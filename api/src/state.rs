//! What the routes need.

use crate::{Metrics, TrustedProxies};
use mirror_core::ports::{Clock, Entropy};
use mirror_queue::{budget::Budget, connection::Redis, signals::Signals};
use mirror_store::{Cipher, Store};
use std::sync::Arc;

/// What the routes need, put together by the binary. Cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    /// The record.
    pub store: Store,
    /// Seals the tokens of instances.
    pub cipher: Cipher,
    /// Where tickets travel; none: within the process.
    pub redis: Option<Redis>,
    /// Wakes those who wait for work.
    pub signals: Signals,
    /// What may still be sent to which instance.
    pub budget: Arc<Budget>,
    /// Time, for giving up on a part that does not answer.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for tokens and ids of requests.
    pub entropy: Arc<dyn Entropy>,
    /// What this process counts.
    pub metrics: Arc<Metrics>,
    /// Whose word is taken for where a request comes from.
    pub proxies: TrustedProxies,
}
