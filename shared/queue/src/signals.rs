//! Waking those who wait for work: the dispatcher when somebody owes something, the workers when
//! tickets were pushed. Within the process at once, over Redis wherever the others run.
//!
//! A signal says "look", never "what". Several may arrive as one; one that is lost makes somebody
//! look later, at the next poll.

mod relay;

use crate::connection::Redis;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What may have happened.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Signal {
    /// Somebody owed something: the dispatcher may find it due.
    Owed,
    /// Tickets were pushed: workers may fetch them.
    Tickets,
}

/// Sends and hears signals. Clones are the same.
#[derive(Clone)]
pub struct Signals {
    shared: Arc<Shared>,
    /// Ends the relays when the last clone goes.
    _relays: Option<Arc<DropGuard>>,
}

#[derive(Default)]
struct Shared {
    listeners: Mutex<Vec<(Signal, Weak<Notify>)>>,
    /// Something was owed here that the others have not been told.
    untold: Notify,
}

impl Signals {
    /// For one process.
    pub fn in_process() -> Self {
        Self {
            shared: Arc::default(),
            _relays: None,
        }
    }

    /// For all processes on this Redis, by tasks in the background that end with the last clone.
    /// Whatever Redis does they go on trying. Needs a tokio runtime.
    pub fn redis(redis: &Redis) -> Self {
        let shared = Arc::new(Shared::default());
        let end = CancellationToken::new();
        tokio::spawn(
            end.clone()
                .run_until_cancelled_owned(relay::hear(redis.clone(), Arc::clone(&shared))),
        );
        tokio::spawn(
            end.clone()
                .run_until_cancelled_owned(relay::tell(redis.clone(), Arc::clone(&shared))),
        );
        Self {
            shared,
            _relays: Some(Arc::new(end.drop_guard())),
        }
    }

    /// Somebody owed something. Returns at once; many calls in a row cost few messages.
    pub fn owed(&self) {
        self.shared.wake(Signal::Owed);
        self.shared.untold.notify_one();
    }

    /// Is notified (`notify_one`) at each such signal from now on, for as long as it is kept.
    pub fn listen(&self, signal: Signal) -> Arc<Notify> {
        let listener = Arc::new(Notify::new());
        let mut listeners = self.shared.listeners();
        listeners.retain(|(_, listener)| listener.strong_count() > 0);
        listeners.push((signal, Arc::downgrade(&listener)));
        listener
    }
}

impl Shared {
    fn listeners(&self) -> std::sync::MutexGuard<'_, Vec<(Signal, Weak<Notify>)>> {
        self.listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, signal: Signal) {
        for (_, listener) in self.listeners().iter().filter(|(of, _)| *of == signal) {
            if let Some(listener) = listener.upgrade() {
                listener.notify_one();
            }
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals")
            .field("over_redis", &self._relays.is_some())
            .finish_non_exhaustive()
    }
}
