//! A record of one's own: what an earlier process left in hand is taken back at once, because it is
//! known to be gone.

use super::deployment::Deployment;
use crate::exit::misconfigured;
use mirror_runtime::file_lock::{MirrorLock, MirrorLockError};

/// Holds the mirrors of a record that is not shared, so that no `sync` works beside.
pub(super) struct Alone(#[expect(dead_code, reason = "held, not used")] Vec<MirrorLock>);

impl Alone {
    /// Locks every mirror and takes back what was in hand. Of a shared record nothing: others may
    /// work on it, and leases tell who does.
    pub(super) async fn claim(deployment: &Deployment) -> anyhow::Result<Self> {
        let mut locks = Vec::new();
        if deployment.shared {
            return Ok(Self(locks));
        }
        let store = &deployment.store;
        for mirror in store.mirrors().await? {
            let lock = MirrorLock::acquire(&deployment.folder, mirror.id);
            let lock = lock.map_err(|error| match error {
                MirrorLockError::Busy { .. } => {
                    anyhow::anyhow!("{error}; wait for it to end, or stop it")
                }
                MirrorLockError::File { .. } => {
                    misconfigured(format!("{:#}", anyhow::Error::from(error)))
                }
            })?;
            store.take_back(mirror.id).await?;
            locks.push(lock);
        }
        Ok(Self(locks))
    }
}
