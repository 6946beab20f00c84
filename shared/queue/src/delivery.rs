//! In-process delivery of tickets, through apalis.
//!
//! apalis' `MemoryStorage` has a sink that panics or hangs when several push at once, so it is fed
//! from a bounded channel of ours and its sink stays unused. Handlers always succeed as far as
//! apalis knows: what is to become of a job is decided by its verdict and lives in the record.

mod consumer;
mod producer;

pub use consumer::Consumer;
pub use producer::{DeliveryClosed, Producer};

/// Both ends of a delivery that holds at most `capacity` tickets that no worker has taken yet.
pub fn in_process(capacity: usize) -> (Producer, Consumer) {
    let (sender, receiver) = tokio::sync::mpsc::channel(capacity.max(1));
    (Producer::new(sender), Consumer::new(receiver))
}
