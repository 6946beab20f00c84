//! Whether a source issue is itself a copy: no copy is copied.

use super::case::Case;
use crate::{SyncError, error::Side};
use mirror_core::{
    issue::Note,
    mapping::MappingStatus,
    outcome::SkipReason,
    provenance::{Found, Hop},
};
use mirror_gitlab::ErrorKind;

/// A copy is known by this deployment's key, by one of our users having written it, or, where
/// another deployment mirrors the other way, by the original that it claims standing in our target.
/// A claim that nothing bears out makes an ordinary issue.
pub(crate) async fn is_a_copy(case: &Case<'_>) -> Result<bool, SyncError> {
    let Some(found) = Found::in_body(&case.source.description) else {
        return Ok(false);
    };
    let (cx, link) = (case.cx, case.link);
    if found.is_authentic(&cx.key) {
        return Ok(true);
    }
    let marker = &found.marker;
    let is_for_here = marker.target_project == link.source.project.id
        && link.source.is_named(&marker.target_instance);
    if !is_for_here {
        return Ok(false);
    }
    // Once borne out, whatever has become of the original since.
    if case.mapping.status == MappingStatus::Skipped(SkipReason::IsACopy.to_string()) {
        return Ok(true);
    }
    let ours = cx.store.our_users(link.source.instance).await?;
    if ours.contains(&case.source.author.id) {
        return Ok(true);
    }
    let target = &link.target;
    let in_target = |hop: &&Hop| hop.project == target.project.id && target.is_named(&hop.instance);
    match marker.path.iter().find(in_target) {
        Some(original) => stands(case, original).await,
        None => Ok(false),
    }
}

/// Whether a comment on the source is the copy of one on the mirror's target: only where two mirrors
/// are a pair, or were one, are there any.
pub(crate) async fn is_a_copied_note(case: &Case<'_>, note: &Note) -> Result<bool, SyncError> {
    let Some(found) = Found::in_body(&note.body) else {
        return Ok(false);
    };
    let (cx, link) = (case.cx, case.link);
    let marker = &found.marker;
    let is_for_here = marker.target_project == link.source.project.id
        && link.source.is_named(&marker.target_instance);
    let from_there = marker.path.last().is_some_and(|hop| {
        hop.note.is_some()
            && hop.project == link.target.project.id
            && link.target.is_named(&hop.instance)
    });
    if !is_for_here || !from_there {
        return Ok(false);
    }
    if found.is_authentic(&cx.key) {
        return Ok(true);
    }
    let ours = cx.store.our_users(link.source.instance).await?;
    Ok(ours.contains(&note.author.id))
}

async fn stands(case: &Case<'_>, original: &Hop) -> Result<bool, SyncError> {
    let target = &case.link.target;
    match target.client.issue(target.project.id, original.iid).await {
        Ok(there) => Ok(there.value.id == original.issue),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(SyncError::GitLab {
            side: Side::Target,
            source,
        }),
    }
}
