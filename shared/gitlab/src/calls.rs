//! What a client has done so far, for summaries and budgets.

use mirror_core::ports::Class;
use std::{
    future::Future,
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
};

tokio::task_local! {
    static SENT: Arc<AtomicU64>;
}

/// Runs something and counts, besides all else, the requests that it sends itself, through
/// whichever clients: what one of many jobs has cost.
pub async fn counting<T>(sent: Arc<AtomicU64>, what: impl Future<Output = T>) -> T {
    SENT.scope(sent, what).await
}

/// Requests sent and waits taken, since the client was made. Clones of a client count together.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Calls {
    /// All requests, retries included.
    pub sent: u64,
    /// Those that created notes.
    pub notes: u64,
    /// Those that created issues.
    pub issues: u64,
    /// Lists with `search=`.
    pub search: u64,
    /// Uploads and downloads.
    pub uploads: u64,
    /// Requests that were sent once more after a failure.
    pub retries: u64,
    /// Answers that refused a request for its rate.
    pub refused: u64,
    /// Waits in place, for a slot or for a limit to pass.
    pub waits: u64,
}

impl Calls {
    /// The requests charged to one class; every request is charged to [`Class::Api`].
    pub fn of(&self, class: Class) -> u64 {
        match class {
            Class::Api => self.sent,
            Class::Notes => self.notes,
            Class::Issues => self.issues,
            Class::Search => self.search,
            Class::Uploads => self.uploads,
        }
    }
}

/// The running count.
#[derive(Default, Debug)]
pub(crate) struct Counter {
    sent: AtomicU64,
    notes: AtomicU64,
    issues: AtomicU64,
    search: AtomicU64,
    uploads: AtomicU64,
    retries: AtomicU64,
    refused: AtomicU64,
    waits: AtomicU64,
}

impl Counter {
    pub(crate) fn sent(&self, class: Class) {
        add(&self.sent);
        // Outside of any counted job nobody asks.
        let _ = SENT.try_with(|sent| add(sent));
        match class {
            Class::Api => {}
            Class::Notes => add(&self.notes),
            Class::Issues => add(&self.issues),
            Class::Search => add(&self.search),
            Class::Uploads => add(&self.uploads),
        }
    }

    pub(crate) fn retried(&self) {
        add(&self.retries);
    }

    pub(crate) fn refused(&self) {
        add(&self.refused);
    }

    pub(crate) fn waited(&self) {
        add(&self.waits);
    }

    pub(crate) fn read(&self) -> Calls {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Calls {
            sent: of(&self.sent),
            notes: of(&self.notes),
            issues: of(&self.issues),
            search: of(&self.search),
            uploads: of(&self.uploads),
            retries: of(&self.retries),
            refused: of(&self.refused),
            waits: of(&self.waits),
        }
    }
}

fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
