//! Takes an issue out of its mirror for good: its copy goes, too, if it is ours.

use super::{Came, refused};
use crate::{Context, Side, SyncError, error::On, lease::Lease, link::Link, stages::lookup};
use mirror_core::{
    errand::ErrandReport,
    ids::{Iid, IssueId, MirrorId},
};
use mirror_gitlab::ErrorKind;
use mirror_store::{ListedIssue, Unlinked};
use std::sync::Arc;

/// The mapping stays on record, blocked, so that no copy is ever made again; and before the copy is
/// deleted, so that no job takes that for somebody's doing.
pub(super) async fn run(
    cx: &Context,
    lease: &Lease,
    (mirror, mapping): (MirrorId, i64),
    delete_target: bool,
) -> Result<Came, SyncError> {
    let Some(row) = cx.store.listed_issue(mirror, mapping).await? else {
        return Err(refused(format!(
            "mirror {mirror} has no mapping {mapping} any more; there is nothing to unlink"
        )));
    };
    let copy = row.target_issue_iid.map(Iid).filter(|_| delete_target);
    let found = match copy {
        Some(copy) => Some(find(cx, mirror, &row, copy).await?),
        None => None,
    };
    match cx.store.unlink_issue(mirror, mapping).await? {
        Unlinked::Done(_) | Unlinked::Nothing => {}
        Unlinked::Busy => return Err(SyncError::Waits("a job of this issue is under way")),
    }
    let target_deleted = match found {
        Some((link, Some(copy))) => {
            delete(cx, lease, &link, copy).await?;
            true
        }
        // It is gone already.
        Some((_, None)) => true,
        None => false,
    };
    Ok(Came::Of(ErrandReport::Unlinked { target_deleted }))
}

/// The copy, if it is still there.
async fn find(
    cx: &Context,
    mirror: MirrorId,
    row: &ListedIssue,
    copy: Iid,
) -> Result<(Arc<Link>, Option<Iid>), SyncError> {
    if row.is_reverse {
        return Err(refused(format!(
            "target issue #{copy} is the original, and the source's the copy that the other half of \
             the pair made; unlink it without deleting, or unlink it there"
        )));
    }
    let link = cx.links.reach(mirror, true).await?;
    let Some(issue) = lookup::on_target(cx, &link, copy).await? else {
        return Ok((link, None));
    };
    let ours = cx.store.our_users(link.target.instance).await?;
    let original = link.original(IssueId(row.source_issue_id), Iid(row.source_issue_iid));
    let carries = lookup::is_copy(&link, &original, &issue.description);
    if !ours.contains(&issue.author.id) || !carries {
        return Err(refused(format!(
            "target issue #{copy} does not carry our marker of #{}, so it may be somebody's own; \
             look at it, and unlink it without deleting",
            row.source_issue_iid
        )));
    }
    if !link.target.is_owners() {
        return Err(refused(format!(
            "only an Owner may delete issues of {}; give the target token's user that role, or \
             unlink it without deleting",
            link.target.project.path
        )));
    }
    Ok((link, Some(copy)))
}

async fn delete(cx: &Context, lease: &Lease, link: &Link, copy: Iid) -> Result<(), SyncError> {
    cx.may_write(lease)?;
    let target = &link.target;
    match target.client.delete_issue(target.project.id, copy).await {
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(()),
        done => done.on(Side::Target),
    }
}
