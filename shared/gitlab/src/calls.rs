//! On whose behalf requests leave, and how many have left.

use futures_util::future::BoxFuture;
use mirror_core::{
    ports::Class,
    sent::{SentRequest, SentRequests},
};
use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    sync::{Arc, Mutex, PoisonError},
};

tokio::task_local! {
    static ERRAND: Errand;
}

/// What requests are sent for: one of many jobs.
#[derive(Clone)]
pub struct Errand {
    /// Told of the requests that it sends, through whichever clients: what it has cost.
    pub sent: Arc<Sent>,
    /// Asked when the turn of a request that changes something has come, however long it waited
    /// for it: `false` withdraws it. Whoever counts from when it was sent writes that down here.
    pub may_change: Arc<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>,
}

/// What was sent on one errand so far.
#[derive(Default, Debug)]
pub struct Sent {
    calls: AtomicU64,
    waits: AtomicU64,
    requests: Mutex<SentRequests>,
}

impl Sent {
    /// How many requests, retries included.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// How often one had to wait: for its turn, for a limit to pass, or after a failure.
    pub fn waits(&self) -> u64 {
        self.waits.load(Ordering::Relaxed)
    }

    /// The requests that have ended.
    pub fn requests(&self) -> SentRequests {
        self.lock().clone()
    }

    pub(crate) fn ended(&self, request: SentRequest) {
        self.lock().push(request);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, SentRequests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Errand {
    /// Runs something that sends its requests on this errand.
    pub async fn run<T>(self, what: impl Future<Output = T>) -> T {
        ERRAND.scope(self, what).await
    }

    /// Outside of any errand there is nobody to tell.
    pub(crate) fn current_sent() -> Option<Arc<Sent>> {
        ERRAND.try_with(|errand| errand.sent.clone()).ok()
    }

    /// Outside of any errand nobody forbids.
    pub(crate) async fn current_may_change() -> bool {
        match ERRAND.try_with(|errand| (errand.may_change)()) {
            Ok(may) => may.await,
            Err(_) => true,
        }
    }
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
        // Outside of any errand nobody asks.
        let _ = ERRAND.try_with(|errand| add(&errand.sent.calls));
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
        Self::put_off();
    }

    /// Waits that are left to the errand.
    pub(crate) fn put_off() {
        let _ = ERRAND.try_with(|errand| add(&errand.sent.waits));
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
