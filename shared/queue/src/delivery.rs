//! Delivery of tickets, through apalis: within the process, or over Redis.
//!
//! Handlers always succeed as far as apalis knows: what is to become of a job is decided by its
//! verdict and lives in the record. Neither delivery is a record: a lost ticket is owed again when
//! its lease ends, a doubled one finds nothing.
//!
//! **Within the process.** apalis' `MemoryStorage` has a sink that panics or hangs when several
//! push at once, so it is fed from a bounded channel of ours and its sink stays unused.
//!
//! **Over Redis.** apalis-redis' workers fetch and acknowledge. What it does by hosts' clocks,
//! never, or without bound is done by scripts of ours, on the server's clock: pushing within a
//! window, taking up what dead workers left, forgetting what is done. A worker of apalis' ends
//! whenever Redis stumbles; jobs under way do not belong to it and go on, and another worker starts
//! under a new name. Redis may be emptied, restarted or replaced at any moment.

mod codec;
mod consumer;
mod execution;
mod local;
mod producer;
mod remote;
mod tending;
mod ticks;
mod window;

pub use consumer::Consumer;
pub use producer::{NotSent, Producer, Reason};

/// Both ends of a delivery within the process that holds at most `capacity` tickets that no worker
/// has taken yet.
pub fn in_process(capacity: usize) -> (Producer, Consumer) {
    let (sender, receiver) = tokio::sync::mpsc::channel(capacity.max(1));
    (Producer::in_process(sender), Consumer::in_process(receiver))
}
