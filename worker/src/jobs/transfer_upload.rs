//! Carries one large file, while other issues go on.

use crate::{
    Context, SyncError,
    events::{Event, Notice},
    facts,
    lease::Lease,
    link::Link,
    stages::uploads,
};
use mirror_core::{
    ids::TransferId, markdown::uploads::UploadRef, outcome::Outcome, project::Visibility,
};
use mirror_store::Transfer;
use tokio::sync::Semaphore;

/// Large files carried at once in one process: they take the line and the patience of both
/// instances, which other jobs need, too.
const AT_ONCE: usize = 2;

/// Places for large files in this process.
pub struct Transfers(Semaphore);

impl Default for Transfers {
    fn default() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }
}

/// However it ends well, those who wait are set free: what is there by then is recorded.
pub(crate) async fn run(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    id: TransferId,
) -> Result<Outcome, SyncError> {
    if let Some(transfer) = cx.store.transfer(link.mirror, id).await? {
        carry(cx, lease, link, &transfer).await?;
    }
    cx.store.release_waiters(link.mirror, id).await?;
    Ok(Outcome::Carried)
}

async fn carry(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    transfer: &Transfer,
) -> Result<(), SyncError> {
    let upload = UploadRef {
        secret: transfer.secret.clone(),
        filename: transfer.filename.clone(),
    };
    let key = uploads::key(link, &upload);
    // Carried by a worker that was lost before it could say so.
    if !cx
        .store
        .uploads(std::slice::from_ref(&key))
        .await?
        .is_empty()
    {
        return Ok(());
    }
    let Ok(_place) = cx.transfers.0.try_acquire() else {
        return Err(SyncError::Waits("for other large files, carried before it"));
    };
    if !may_be_seen(cx, link, transfer).await? {
        return Ok(());
    }
    let (_, refused) = uploads::transfer(cx, lease, link, &upload, &key).await?;
    let Some(why) = refused else {
        let mirror = link.mirror;
        cx.events.emit(Event::Carried { mirror });
        return Ok(());
    };
    for iid in &transfer.waiters {
        let notice = Notice::UploadLeft { why: why.clone() };
        cx.events.emit(Event::Notice(link.mirror, *iid, notice));
    }
    Ok(())
}

/// An issue may have become confidential since it asked; it decides anew then.
async fn may_be_seen(cx: &Context, link: &Link, transfer: &Transfer) -> Result<bool, SyncError> {
    if link.target.project.visibility == Visibility::Private {
        return Ok(true);
    }
    for iid in &transfer.waiters {
        let fresh = facts::again(cx, link, *iid).await?;
        if fresh.is_some_and(|fresh| !fresh.issue.confidential) {
            return Ok(true);
        }
    }
    Ok(false)
}
