//! A record of one's own: what an earlier process left in hand is taken back at once, because it is
//! known to be gone.

use super::deployment::Deployment;
use crate::sync::locked;
use mirror_runtime::file_lock::ServiceLock;

/// Holds the mirrors of a record that is not shared, so that no `sync` works beside.
pub(super) struct Alone(#[expect(dead_code, reason = "held, not used")] Option<ServiceLock>);

impl Alone {
    /// Locks the folder and takes back what was in hand. Of a shared record nothing: others may
    /// work on it, and leases tell who does.
    pub(super) async fn claim(deployment: &Deployment) -> anyhow::Result<Self> {
        if deployment.shared {
            return Ok(Self(None));
        }
        let lock = locked(ServiceLock::acquire(&deployment.folder))?;
        for mirror in deployment.store.mirrors().await? {
            deployment.store.take_back(mirror.id).await?;
        }
        Ok(Self(Some(lock)))
    }
}
