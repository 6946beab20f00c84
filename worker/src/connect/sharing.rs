//! What of several who want the same at once, one does for all.

use crate::SyncError;
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Tells which of two things came first where a clock may stand still.
#[derive(Default)]
pub(super) struct Order(AtomicU64);

impl Order {
    pub(super) fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// When something was read, taken before the request went.
#[derive(Clone, Copy)]
pub(super) struct Read {
    pub(super) order: u64,
    /// By the clock that never jumps.
    pub(super) at: Duration,
}

impl Read {
    pub(super) fn is_good(self, now: Duration, life: Duration, doubted: u64) -> bool {
        self.order > doubted && now.saturating_sub(self.at) < life
    }
}

/// How the last try failed, for those who waited for it: a crowd must not find out one after the
/// other, each with a time-out of its own, that an instance is away.
#[derive(Default)]
pub(super) struct Failed(Option<(u64, SyncError)>);

impl Failed {
    pub(super) fn note(&mut self, error: &SyncError, order: &Order) {
        self.0 = error.again().map(|error| (order.next(), error));
    }

    /// The failure that happened while one waited who began to wait then.
    pub(super) fn since(&self, began: u64) -> Option<SyncError> {
        let (order, error) = self.0.as_ref()?;
        (*order > began).then(|| error.again()).flatten()
    }
}
