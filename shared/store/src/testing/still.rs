//! A clock for what is not about time.

use chrono::{DateTime, Utc};
use mirror_core::ports::{BoxFuture, Clock};
use std::time::Duration;

/// Time stands still, and nobody waits.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
