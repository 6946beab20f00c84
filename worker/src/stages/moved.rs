//! Finds where an issue that was moved to another project goes on.

use super::case::Case;
use crate::{
    SyncError,
    error::{On, Side},
};
use mirror_core::project::Visibility;
use mirror_gitlab::ErrorKind;

/// The address of the copy of what the issue became, if everybody who sees this copy may know of
/// that one. `None` also where it was not moved at all.
pub(crate) async fn find(case: &Case<'_>) -> Result<Option<String>, SyncError> {
    let Some(moved_to) = case.source.moved_to_id else {
        return Ok(None);
    };
    let (cx, link) = (case.cx, case.link);
    let (fence, mirror) = (&case.lease.fence, link.mirror);
    let found = cx
        .store
        .await_move(fence, mirror, case.iid(), moved_to)
        .await?;
    let Some(copy) = found else { return Ok(None) };
    let target = &link.target;
    let there = match target.client.issue(copy.project, copy.iid).await {
        Ok(there) => there.value,
        // Out of this token's sight, so perhaps out of everybody's.
        Err(error) if is_out_of_sight(&error) => return Ok(None),
        refused => refused.on(Side::Target)?.value,
    };
    if there.confidential && !case.source.confidential {
        return Ok(None);
    }
    let mut web_url = target.project.web_url.clone();
    if copy.project != target.project.id {
        let project = match target.client.project(copy.project).await {
            Ok(project) => project,
            Err(error) if is_out_of_sight(&error) => return Ok(None),
            refused => refused.on(Side::Target)?,
        };
        if !is_open_to(project.visibility, target.project.visibility) {
            return Ok(None);
        }
        web_url = project.web_url;
    }
    let project = web_url.trim_end_matches('/');
    Ok(Some(format!("{project}/-/issues/{}", copy.iid)))
}

fn is_out_of_sight(error: &mirror_gitlab::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden)
}

/// Whether whoever sees a project can see another one as well. The members of a private project are
/// its own affair; all of them have accounts.
fn is_open_to(other: Visibility, own: Visibility) -> bool {
    match (other, own) {
        (Visibility::Public, _) => true,
        (Visibility::Internal, Visibility::Internal | Visibility::Private) => true,
        (Visibility::Internal, Visibility::Public) | (Visibility::Private, _) => false,
    }
}
