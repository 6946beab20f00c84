//! Takes a target issue for the mirror that was there before: a person, or another tool's footer,
//! says which.

use super::{case::Case, copies, lookup};
use crate::{Context, SyncError, link::Link};
use mirror_core::{
    ids::Iid,
    issue::Issue,
    mapping::MappingStatus,
    merge::Base,
    provenance::{Found, Kind},
};

/// Adopts what is on record to be adopted. From then on its title, text and fields are the source's,
/// as of any mirror; what others commented there stays.
pub(crate) async fn as_asked(case: &mut Case<'_>) -> Result<(), SyncError> {
    let (cx, link, iid) = (case.cx, case.link, case.iid());
    let Some(asked) = cx.store.asked_adoption(link.mirror, iid).await? else {
        return Ok(());
    };
    if let Some(target) = &case.mapping.target {
        if target.iid == asked.target || !asked.by_hand {
            forget(cx, link, iid).await?;
            return Ok(());
        }
        let why = format!("#{iid} is mirrored by #{} there already", target.iid);
        return Err(refused(iid, asked.target, &why));
    }
    if !cx.store.intents(link.mirror, iid).await?.is_empty() {
        // A create is under way, and comes first: the next run tells that it has.
        return Ok(());
    }
    if copies::is_a_copy(case).await? {
        let why = format!("#{iid} is itself a mirrored copy");
        return Err(refused(iid, asked.target, &why));
    }
    let there = read(case, asked.target).await?;
    if let Some(why) = in_the_way(case, &there).await? {
        return Err(refused(iid, asked.target, &why));
    }
    case.mapping.fingerprint = None;
    case.mapping.read = None;
    case.mapping.carried_spent = None;
    case.mapping.status = MappingStatus::Pending;
    case.observe(&there);
    // Whoever asked for it wants it overwritten.
    case.mapping.base = case.observed.as_ref().map(Base::untouched);
    if !cx.plans_only() {
        let fence = &case.lease.fence;
        cx.store.record_adopted(fence, &case.mapping).await?;
    }
    Ok(())
}

/// The source issue of a pair is not to be seen. What a person asked for fails; what a walk found is
/// forgotten.
pub(crate) async fn without_source(cx: &Context, link: &Link, iid: Iid) -> Result<(), SyncError> {
    match cx.store.asked_adoption(link.mirror, iid).await? {
        Some(asked) if asked.by_hand => {
            let why = format!("the source token does not see #{iid}");
            Err(refused(iid, asked.target, &why))
        }
        Some(_) => forget(cx, link, iid).await,
        None => Ok(()),
    }
}

async fn forget(cx: &Context, link: &Link, iid: Iid) -> Result<(), SyncError> {
    if !cx.plans_only() {
        cx.store.forget_adoption(link.mirror, iid).await?;
    }
    Ok(())
}

fn refused(iid: Iid, target: Iid, why: &str) -> SyncError {
    SyncError::PersonNeeded(format!(
        "target issue #{target} is not adopted as the mirror of #{iid}: {why}; name another with \
         --adopt, or drop the pair with `issue-mirror mirrors adopt ID --drop {iid}`"
    ))
}

async fn read(case: &Case<'_>, target_iid: Iid) -> Result<Issue, SyncError> {
    let there = lookup::on_target(case.cx, case.link, target_iid).await?;
    there.ok_or_else(|| {
        let why = format!("the target token does not see #{target_iid}");
        refused(case.iid(), target_iid, &why)
    })
}

/// Why an issue cannot be this one's mirror.
async fn in_the_way(case: &Case<'_>, there: &Issue) -> Result<Option<String>, SyncError> {
    let (cx, link) = (case.cx, case.link);
    if there.moved_to_id.is_some() {
        return Ok(Some("it was moved to another project".to_owned()));
    }
    if there.confidential && !case.source.confidential {
        // Its people wrote in it what was to stay hidden.
        let why = format!(
            "it is confidential and #{} is not; make it public there by hand first, if it may be",
            case.iid()
        );
        return Ok(Some(why));
    }
    let mapped = cx
        .store
        .issue_mappings_by_target(link.mirror, &[there.id])
        .await?;
    if let Some(mapped) = mapped.get(&there.id) {
        let why = format!("it is the mirror of #{}", mapped.source_iid);
        return Ok(Some(why));
    }
    let Some(found) = Found::in_body(&there.description) else {
        return Ok(None);
    };
    let marker = &found.marker;
    let is_a_copy_here = marker.kind == Kind::Mirror
        && marker.target_project == link.target.project.id
        && link.target.is_named(&marker.target_instance);
    let is_this_ones = marker.is_copy_of(
        &case.hop(),
        &link.target.name,
        link.target.project.id,
        |a, b| link.same_name(a, b),
    );
    Ok((is_a_copy_here && !is_this_ones).then(|| {
        let original = marker.path.last().map(|hop| {
            format!(
                "#{} of project {} on {}",
                hop.iid, hop.project, hop.instance.0
            )
        });
        format!("it carries the marker of {}", original.unwrap_or_default())
    }))
}
