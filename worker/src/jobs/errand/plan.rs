//! Tells what a sync would send.

use super::refused;
use crate::{Context, SyncError, lease::Lease};
use mirror_core::{
    errand::ErrandReport,
    ids::{Iid, MirrorId},
};

pub(super) async fn run(
    _: &Context,
    _: &Lease,
    mirror: MirrorId,
    _: &[Iid],
) -> Result<ErrandReport, SyncError> {
    Err(refused(format!("mirror {mirror} cannot be planned yet")))
}
