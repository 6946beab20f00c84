//! Finds what changed on either side of a mirror.

use crate::{
    Context, SyncError,
    events::Event,
    lease::Lease,
    link::Link,
    stages::{source_walk, target_walk},
};
use mirror_core::outcome::Outcome;

/// The target first: whatever is there already is adopted before anything is created. Then the
/// source.
pub(crate) async fn run(cx: &Context, lease: &Lease, link: &Link) -> Result<Outcome, SyncError> {
    let mirror = cx.store.mirror(link.mirror).await?;
    let full = link.settings.full || cx.store.serves_full_run(&lease.fence).await?;
    if full {
        cx.store
            .forget_fingerprints(&lease.fence, link.mirror, None)
            .await?;
        cx.store
            .forget_refused_uploads(&lease.fence, link.mirror)
            .await?;
    }
    let touched = target_walk::run(cx, lease, link, &mirror.watermarks, full).await?;
    let due = source_walk::run(cx, lease, link, &mirror.watermarks, full).await?;
    if full && link.settings.only.is_none() {
        cx.store.record_full_walk(&lease.fence, link.mirror).await?;
    }
    cx.events.emit(Event::Scanned {
        mirror: link.mirror,
    });
    Ok(Outcome::Scanned {
        owed: touched + due,
    })
}
