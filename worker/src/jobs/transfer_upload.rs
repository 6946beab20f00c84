//! Carries one large file, while other issues go on.

use crate::{
    Context, SyncError,
    error::{On, Side},
    events::{Event, Notice},
    facts,
    lease::Lease,
    link::Link,
    stages::{
        lookup,
        uploads::{self, Audience},
    },
};
use mirror_core::{
    ids::{Iid, InstanceId, TransferId},
    issue::{Discussion, Issue},
    markdown::uploads::UploadRef,
    outcome::Outcome,
    render::mentioned_uploads,
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

/// However it ends well, those who wait are set free: what is there by then is recorded. In a plan
/// they count it as a step of their own.
pub(crate) async fn run(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    id: TransferId,
) -> Result<Outcome, SyncError> {
    if !cx.plans_only()
        && let Some(transfer) = cx.store.transfer(link.mirror, id).await?
    {
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
    if !may_go_there(cx, link, transfer, &upload).await? {
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

/// Whether a text that waits for it may have it there still. An issue may have become confidential
/// since it asked, and the target public: then the issue decides anew.
async fn may_go_there(
    cx: &Context,
    link: &Link,
    transfer: &Transfer,
    upload: &UploadRef,
) -> Result<bool, SyncError> {
    let mut audience = Audience::default();
    for iid in &transfer.waiters {
        let Some(fresh) = facts::again(cx, link, *iid).await? else {
            continue;
        };
        let only_hidden = match mention(cx, link, &fresh.issue, upload).await? {
            None => continue,
            Some(only_hidden) => only_hidden,
        };
        let ready = !fresh.issue.confidential || !stands_open(cx, link, *iid).await?;
        if ready && (!only_hidden || audience.may_have(cx, link).await?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How an issue mentions a file: in hidden texts only (`true`), or openly; `None`: not any more.
async fn mention(
    cx: &Context,
    link: &Link,
    issue: &Issue,
    upload: &UploadRef,
) -> Result<Option<bool>, SyncError> {
    let frame = link.frame(&cx.key);
    let find = |threads: &[Discussion]| {
        let mentioned = mentioned_uploads(&frame.source, issue, threads);
        let found = mentioned.into_iter().find(|(found, _)| found == upload);
        found.map(|(_, only_hidden)| only_hidden)
    };
    let in_description = find(&[]);
    if in_description.is_some() || issue.user_notes_count == 0 {
        return Ok(in_description);
    }
    let source = &link.source;
    let listed = source.client.discussions(source.project.id, issue.iid);
    Ok(find(&listed.await.on(Side::Source)?.value))
}

/// Whether an issue has a copy that is not hidden.
async fn stands_open(cx: &Context, link: &Link, iid: Iid) -> Result<bool, SyncError> {
    let mapping = cx.store.issue_mapping(link.mirror, iid).await?;
    let Some(copy) = mapping.and_then(|mapping| mapping.target) else {
        return Ok(false);
    };
    let there = lookup::on_target(cx, link, copy.iid).await?;
    Ok(there.is_some_and(|there| !there.confidential))
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
