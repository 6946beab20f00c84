//! The mirrors that this process can reach.

use crate::{Connector, Link, Side, SyncError};
use mirror_core::ids::MirrorId;
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

/// The mirrors that this process can reach: those that were connected by hand, and, if there is a
/// [`Connector`], all that the record knows.
#[derive(Default)]
pub struct Links {
    by_hand: RwLock<HashMap<MirrorId, Arc<Link>>>,
    connector: Option<Connector>,
}

impl Links {
    /// Connects mirrors when they are first needed.
    pub fn on_demand(connector: Connector) -> Self {
        Self {
            by_hand: RwLock::default(),
            connector: Some(connector),
        }
    }

    /// Adds one that was connected by hand, or replaces it.
    pub fn insert(&self, link: Link) {
        let mut links = self.by_hand.write().unwrap_or_else(PoisonError::into_inner);
        links.insert(link.mirror, Arc::new(link));
    }

    /// What connects by itself, in a process that goes on and on.
    pub(crate) fn connector(&self) -> Option<&Connector> {
        self.connector.as_ref()
    }

    /// Whether any mirror that the record knows can be reached, by a process that goes on and on.
    pub(crate) fn are_on_demand(&self) -> bool {
        self.connector.is_some()
    }

    /// The one of this mirror. `urgent`: a person asked for the work.
    pub(crate) async fn reach(
        &self,
        mirror: MirrorId,
        urgent: bool,
    ) -> Result<Arc<Link>, SyncError> {
        let ready = self
            .by_hand
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&mirror)
            .cloned();
        match (ready, &self.connector) {
            (Some(link), _) => Ok(link),
            (None, Some(connector)) => connector.reach(mirror, urgent).await,
            (None, None) => Err(SyncError::NotConnected(mirror)),
        }
    }

    /// What is known of these ends of a mirror may be no longer true: it is read anew before it is
    /// used again.
    pub(crate) fn doubt(&self, mirror: MirrorId, sides: &[Side]) {
        if let Some(connector) = &self.connector {
            connector.doubt(mirror, sides);
        }
    }
}
