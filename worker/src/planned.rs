//! In a plan: what has been planned so far, for the issues that refer to it.

use mirror_core::{
    ids::{Iid, MirrorId},
    plan::Prints,
};
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Issues that a plan has come to, as if it had been sent. Empty in a sync.
#[derive(Default)]
pub struct Planned(Mutex<HashMap<(MirrorId, Iid), Prints>>);

impl Planned {
    fn issues(&self) -> MutexGuard<'_, HashMap<(MirrorId, Iid), Prints>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what a mirror would look like after the plan. Returns whether the plan came to it for
    /// the first time.
    pub(crate) fn keep(&self, mirror: MirrorId, iid: Iid, prints: Prints) -> bool {
        self.issues().insert((mirror, iid), prints).is_none()
    }

    /// What an issue's mirror would look like after the plan so far; `None`: it has not come to it.
    pub(crate) fn of(&self, mirror: MirrorId, iid: Iid) -> Option<Prints> {
        self.issues().get(&(mirror, iid)).cloned()
    }
}
