//! What jobs need of the outside, put together by the binary.

use crate::{
    SyncError,
    accounts::Accounts,
    each::Each,
    events::Events,
    facts::Facts,
    jobs::transfer_upload::Transfers,
    lease::{InHand, Lease},
    links::Links,
    planned::Planned,
    target_labels::TargetLabels,
};
use mirror_core::{
    ids::{InstanceId, ProjectId},
    ports::{Clock, Entropy},
    provenance::Key,
};
use mirror_runtime::Shutdown;
use mirror_store::Store;
use std::{sync::Arc, time::Duration};

/// Everything a job may use.
pub struct Context {
    /// The record.
    pub store: Store,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The deployment's key.
    pub key: Key,
    /// The mirrors that this process can reach.
    pub links: Links,
    /// How long a job holds its row without a sign of life.
    pub lease: Duration,
    /// Whether to send, or only to say what would be sent.
    pub mode: Mode,
    /// Who listens.
    pub events: Events,
    /// Asks jobs to stop before their next write.
    pub shutdown: Shutdown,
    /// Rows that a listing brought and that are fresh still.
    pub facts: Facts,
    /// Labels that target projects have.
    pub target_labels: TargetLabels,
    /// Who is who on targets.
    pub accounts: Accounts,
    /// What a plan has come to so far.
    pub planned: Planned,
    /// Held while a target project has yet to prove that it keeps things hidden, so that one job
    /// does it and the others find it done.
    pub proof: Each<(InstanceId, ProjectId), ()>,
    /// The large files that are carried here at once.
    pub transfers: Transfers,
    /// The jobs under way here.
    pub in_hand: InHand,
    /// Names this process in leases.
    pub owner: String,
}

/// Whether to send, or only to say what would be sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Send.
    Sync,
    /// Read, plan, and tell.
    Plan,
}

impl Context {
    /// To be asked just before anything is sent that changes something.
    pub(crate) fn may_write(&self, lease: &Lease) -> Result<(), SyncError> {
        if self.shutdown.is_requested() {
            return Err(SyncError::Stopping);
        }
        if lease.is_to_stop() {
            return Err(SyncError::Stopping);
        }
        if self.store.lease_left(&lease.fence).is_zero() {
            return Err(SyncError::LeaseLost);
        }
        Ok(())
    }

    /// Whether this is a plan only.
    pub(crate) fn plans_only(&self) -> bool {
        self.mode == Mode::Plan
    }
}
