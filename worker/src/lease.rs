//! A job's hold on its row of work.

use chrono::TimeDelta;
use mirror_core::{
    ids::{Iid, MirrorId},
    job::{Priority, Ticket},
};
use mirror_gitlab::Sent;
use mirror_store::{Effort, Fence, Took};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// A job's hold on its row of work, and what it has taken so far.
pub(crate) struct Lease {
    pub(crate) fence: Fence,
    pub(crate) priority: Priority,
    stop: Arc<AtomicBool>,
    comments: AtomicU64,
    attachments: AtomicU64,
    sent: Arc<Sent>,
    intended: Intended,
}

/// When it was last written down that something is about to be created, by the clock that never
/// jumps; `None` where nothing is.
#[derive(Clone, Default)]
pub(crate) struct Intended {
    at: Arc<Mutex<Option<Duration>>>,
    of: Arc<Mutex<Option<(MirrorId, Iid)>>>,
}

/// So much earlier than its request an intent may have been written down.
pub(crate) const STALE: TimeDelta = TimeDelta::seconds(1);

impl Intended {
    pub(crate) fn set(&self, at: Option<Duration>) {
        *self.lock() = at;
    }

    /// Written down too long ago for a request that is sent now.
    pub(crate) fn is_stale(&self, now: Duration) -> bool {
        let stale = STALE.to_std().unwrap_or_default();
        self.lock().is_some_and(|at| now.saturating_sub(at) > stale)
    }

    /// Whose it is from now on: a job of a pair creates on both sides.
    pub(crate) fn about(&self, mirror: MirrorId, iid: Iid) {
        let mut of = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        *of = Some((mirror, iid));
    }

    /// Whose it is, if that is another than the job's own.
    pub(crate) fn of(&self) -> Option<(MirrorId, Iid)> {
        *self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Duration>> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    fn new(fence: Fence, priority: Priority, stop: Arc<AtomicBool>) -> Self {
        Self {
            fence,
            priority,
            stop,
            comments: AtomicU64::new(0),
            attachments: AtomicU64::new(0),
            sent: Arc::default(),
            intended: Intended::default(),
        }
    }

    /// Somebody asked this job to stop before its next write.
    pub(crate) fn is_to_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn comment_written(&self) {
        self.comments.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn file_carried(&self) {
        self.attachments.fetch_add(1, Ordering::Relaxed);
    }

    /// Told of the requests of this job.
    pub(crate) fn sent(&self) -> Arc<Sent> {
        self.sent.clone()
    }

    /// What it is about to create, for whoever sends it.
    pub(crate) fn intended(&self) -> Intended {
        self.intended.clone()
    }

    /// What the job has taken so far.
    pub(crate) fn took(&self) -> Took {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        Took {
            effort: Effort {
                comments: whole(self.comments.load(Ordering::Relaxed)),
                attachments: whole(self.attachments.load(Ordering::Relaxed)),
                api_calls: whole(self.sent.calls()),
                waits: whole(self.sent.waits()),
            },
            requests: self.sent.requests(),
        }
    }
}

/// The jobs that run in this process, so that one of them can be asked to stop.
#[derive(Default)]
pub struct InHand(Mutex<HashMap<Ticket, Arc<AtomicBool>>>);

impl InHand {
    /// Holds a row until the guard is dropped.
    pub(crate) fn take(&self, ticket: Ticket, fence: Fence, priority: Priority) -> Held<'_> {
        let stop = Arc::new(AtomicBool::new(false));
        self.lock().insert(ticket, stop.clone());
        Held {
            lease: Lease::new(fence, priority, stop),
            ticket,
            in_hand: self,
        }
    }

    /// Asks these to stop before their next write.
    pub fn stop(&self, tickets: &[Ticket]) {
        let held = self.lock();
        for stop in tickets.iter().filter_map(|ticket| held.get(ticket)) {
            stop.store(true, Ordering::Relaxed);
        }
    }

    /// How many of the jobs that run were asked to stop.
    pub fn asked_to_stop(&self) -> usize {
        let held = self.lock();
        held.values()
            .filter(|stop| stop.load(Ordering::Relaxed))
            .count()
    }

    /// How many jobs run.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Ticket, Arc<AtomicBool>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row in hand.
pub(crate) struct Held<'a> {
    pub(crate) lease: Lease,
    ticket: Ticket,
    in_hand: &'a InHand,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.in_hand.lock().remove(&self.ticket);
    }
}
