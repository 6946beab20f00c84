//! The turn of each request: between the decision to send it and its leaving others may act.

use super::time::{Actor, Time};
use chrono::TimeDelta;
use mirror_core::ports::{Admission, BoxFuture, Charge, Clock, Observation, Pace};
use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

/// Everybody who waits for a turn.
#[derive(Clone, Default)]
pub(super) struct Gates(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    next: u64,
    doors: BTreeMap<u64, Door>,
    /// The next to come is told to come again later than this.
    throttled: Option<TimeDelta>,
}

struct Door {
    actor: Actor,
    /// For a request that changes something.
    writes: bool,
    open: bool,
    waker: Option<Waker>,
}

impl Gates {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap()
    }

    /// Whether it is for a request that changes something, and whose.
    pub(super) fn writer(&self, id: u64) -> Option<Actor> {
        let waiting = self.lock();
        let door = waiting.doors.get(&id);
        door.filter(|door| door.writes).map(|door| door.actor)
    }

    /// The turns that could come next.
    pub(super) fn waiting(&self) -> Vec<(u64, Actor)> {
        let waiting = self.lock();
        let closed = waiting.doors.iter().filter(|(_, door)| !door.open);
        closed.map(|(id, door)| (*id, door.actor)).collect()
    }

    pub(super) fn open(&self, id: u64) {
        let waker = self.lock().doors.get_mut(&id).and_then(|door| {
            door.open = true;
            door.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn throttle(&self, for_now: Option<TimeDelta>) {
        self.lock().throttled = for_now;
    }

    fn pass(&self, actor: Actor, writes: bool) -> Pass {
        let mut waiting = self.lock();
        let id = waiting.next;
        waiting.next += 1;
        let door = Door {
            actor,
            writes,
            open: false,
            waker: None,
        };
        waiting.doors.insert(id, door);
        Pass {
            gates: self.clone(),
            id,
        }
    }
}

struct Pass {
    gates: Gates,
    id: u64,
}

impl Future for Pass {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.gates.lock();
        match waiting.doors.get_mut(&self.id) {
            Some(door) if !door.open => {
                door.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(_) | None => Poll::Ready(()),
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gates.lock().doors.remove(&self.id);
    }
}

/// How one process comes by its turns.
pub(super) struct Turns {
    pub(super) actor: Actor,
    pub(super) gates: Gates,
    pub(super) time: Time,
}

impl Pace for Turns {
    fn admit<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Admission> {
        self.time.waited_for();
        let passed = self.gates.pass(self.actor, charge.changes);
        Box::pin(async move {
            passed.await;
            let throttled = self.gates.lock().throttled.take();
            match throttled {
                Some(wait) => Admission::NotBefore(self.time.now() + wait),
                None => Admission::Go,
            }
        })
    }

    fn learn(&self, _: &Charge, _: &Observation) {}
}
