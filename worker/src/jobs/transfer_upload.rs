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
    ids::{InstanceId, TransferId},
    markdown::uploads::UploadRef,
    outcome::Outcome,
    project::Visibility,
};
use mirror_store::Transfer;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Large files carried at once between two instances in one process: they take the line and the
/// patience of both, which other jobs need, too.
const AT_ONCE: usize = 2;

/// Places for large files in this process; for each two instances their own, so that one that hangs
/// holds up nobody else's.
#[derive(Default)]
pub struct Transfers(Mutex<HashMap<(InstanceId, InstanceId), Arc<Semaphore>>>);

impl Transfers {
    /// `None`: all are taken.
    fn place(&self, source: InstanceId, target: InstanceId) -> Option<OwnedSemaphorePermit> {
        let places = {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let few = || Arc::new(Semaphore::new(AT_ONCE));
            all.entry((source, target)).or_insert_with(few).clone()
        };
        places.try_acquire_owned().ok()
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
    let (source, target) = (link.source.instance, link.target.instance);
    let Some(_place) = cx.transfers.place(source, target) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_one_pair_of_instances_has_taken_are_free_for_others() {
        let transfers = Transfers::default();
        let (a, b, c) = (InstanceId(1), InstanceId(2), InstanceId(3));
        let held: Vec<_> = (0..AT_ONCE).map(|_| transfers.place(a, b)).collect();
        assert!(held.iter().all(Option::is_some));
        assert!(transfers.place(a, b).is_none());
        assert!(transfers.place(a, c).is_some() && transfers.place(c, b).is_some());
        drop(held);
        assert!(transfers.place(a, b).is_some());
    }
}
