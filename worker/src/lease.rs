//! A job's hold on its row of work.

use mirror_store::Fence;

/// A job's hold on its row of work.
pub(crate) struct Lease {
    pub(crate) fence: Fence,
}
