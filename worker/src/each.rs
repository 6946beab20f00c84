//! A lock for each of many things, so that who waits for one of them holds up nobody who needs
//! another.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OwnedMutexGuard;

/// What belongs to each key, under a lock of its own that may be held across requests. A lock for
/// all keys may not: one instance that hangs would hold up all others.
pub struct Each<K, T>(Mutex<HashMap<K, Arc<tokio::sync::Mutex<T>>>>);

impl<K, T> Default for Each<K, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, T: Default> Each<K, T> {
    /// Waits for whoever holds that key's.
    pub(crate) async fn lock(&self, key: K) -> OwnedMutexGuard<T> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            slots.entry(key).or_default().clone()
        };
        slot.lock_owned().await
    }
}
