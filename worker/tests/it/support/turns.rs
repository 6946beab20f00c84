//! When requests have their turn.

use mirror_core::ports::{Admission, BoxFuture, Charge, Observation, Pace};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// No limit is known, but the turn of one request may be made to come late.
#[derive(Default)]
pub(crate) struct Turns(Mutex<Option<Late>>);

struct Late {
    /// Requests before it that change something.
    before: usize,
    met: Arc<Notify>,
    go: Arc<Notify>,
}

impl Turns {
    /// After so many requests that change something the next such one waits until it is let go, by
    /// the second; the first tells that it waits.
    pub(crate) fn hold_up(&self, before: usize) -> (Arc<Notify>, Arc<Notify>) {
        let (met, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        *self.0.lock().unwrap() = Some(Late {
            before,
            met: met.clone(),
            go: go.clone(),
        });
        (met, go)
    }

    fn next(&self) -> Option<Late> {
        let mut late = self.0.lock().unwrap();
        match &mut *late {
            Some(Late { before, .. }) if *before > 0 => {
                *before -= 1;
                None
            }
            Some(_) | None => late.take(),
        }
    }
}

impl Pace for Turns {
    fn admit<'a>(&'a self, charge: &'a Charge) -> BoxFuture<'a, Admission> {
        let late = charge.changes.then(|| self.next()).flatten();
        Box::pin(async move {
            if let Some(late) = late {
                late.met.notify_one();
                late.go.notified().await;
            }
            Admission::Go
        })
    }

    fn learn(&self, _: &Charge, _: &Observation) {}
}
