//! Carries links between issues that are both mirrored.

use super::{case::Case, references::Referred};
use crate::{
    SyncError,
    error::{On, Side},
};
use mirror_core::{
    ids::Iid,
    issue_links::{IssueLink, KnownLink, KnownLinks, LinkKind, diff_links},
    plan::Step,
};
use mirror_gitlab::ErrorKind;
use std::collections::{BTreeMap, BTreeSet};

/// What a target is said not to take where links that block are not licensed.
pub(crate) const BLOCKING_LINKS: &str = "blocking_links";

/// What the source links the issue to, within its project. Nothing, and nothing is asked, where the
/// mirror does not carry links.
pub(crate) async fn at_source(case: &Case<'_>) -> Result<BTreeMap<Iid, LinkKind>, SyncError> {
    if !case.link.settings.issue_links {
        return Ok(BTreeMap::new());
    }
    let source = &case.link.source;
    let links = source.client.issue_links(source.project.id, case.iid());
    let links = links.await.on(Side::Source)?.into_iter();
    let inside = links.filter(|link| link.project == source.project.id);
    Ok(inside.map(|link| (link.iid, link.kind)).collect())
}

/// The links that are to come and to go.
pub(crate) async fn steps(
    case: &Case<'_>,
    desired: &BTreeMap<Iid, LinkKind>,
    referred: &Referred,
) -> Result<Vec<Step>, SyncError> {
    if !case.link.settings.issue_links {
        return Ok(Vec::new());
    }
    let recorded = case.cx.store.issue_links(case.link.mirror, case.iid());
    let mut standing = recorded.await?;
    if compares_anew(case) {
        compare(case, desired, referred, &mut standing).await?;
    }
    let gone = standing
        .iter()
        .filter(|(other, link)| link.ours && !desired.contains_key(*other));
    let gone: Vec<Iid> = gone.map(|(other, _)| *other).collect();
    let seen = seen_at_source(case, &gone).await?;
    let mirrored = desired.keys().filter(|other| referred.has(**other));
    Ok(diff_links(
        desired,
        &KnownLinks {
            standing: &standing,
            mirrored: &mirrored.copied().collect(),
            seen: &seen,
            takes_blocking: !case.dropped_fields().contains(BLOCKING_LINKS),
        },
    ))
}

/// After lost state, or for a full comparison.
fn compares_anew(case: &Case<'_>) -> bool {
    let (mapping, planned) = (&case.mapping, &case.cx.planned);
    let is_planned = planned.of(case.link.mirror, case.iid()).is_some();
    mapping.fingerprint.is_none() && mapping.target.is_some() && !case.done.created && !is_planned
}

/// What the target shows goes before what is recorded: a link that is there already is taken in, one
/// that is there no more is made again.
async fn compare(
    case: &Case<'_>,
    desired: &BTreeMap<Iid, LinkKind>,
    referred: &Referred,
    standing: &mut BTreeMap<Iid, KnownLink>,
) -> Result<(), SyncError> {
    let mirrored = desired.keys().filter(|other| referred.has(**other));
    let mirrored: BTreeSet<Iid> = mirrored.copied().collect();
    if mirrored.is_empty() {
        return Ok(());
    }
    let (store, mirror) = (&case.cx.store, case.link.mirror);
    let copies = store.mirrors_of(mirror, &mirrored).await?;
    let there = on_target(case).await?;
    for (other, copy) in copies {
        let shown = there.iter().find(|link| link.iid == copy);
        match (shown, standing.contains_key(&other)) {
            (Some(link), false) => {
                let ours = made_by_us(case, copy).await?;
                let kind = link.kind;
                let found = KnownLink { kind, ours };
                standing.insert(other, found);
                record(case, other, found).await?;
            }
            (None, true) => {
                standing.remove(&other);
            }
            (Some(_), true) | (None, false) => {}
        }
    }
    Ok(())
}

/// The links of the copy within the target project.
async fn on_target(case: &Case<'_>) -> Result<Vec<IssueLink>, SyncError> {
    let Some(copy) = &case.mapping.target else {
        return Ok(Vec::new());
    };
    let target = &case.link.target;
    let links = target.client.issue_links(target.project.id, copy.iid);
    let mut links = links.await.on(Side::Target)?;
    links.retain(|link| link.project == target.project.id);
    Ok(links)
}

/// Whether the last who linked the copy to another issue was one of our users, by the line that GitLab
/// wrote about it. What does not show is taken for somebody else's.
async fn made_by_us(case: &Case<'_>, other_copy: Iid) -> Result<bool, SyncError> {
    let Some(copy) = &case.mapping.target else {
        return Ok(false);
    };
    let target = &case.link.target;
    let lines = target
        .client
        .system_notes_desc(target.project.id, copy.iid)
        .await;
    let lines = lines.on(Side::Target)?.value;
    let ours = case.cx.store.our_users(target.instance).await?;
    let linked = lines
        .iter()
        .find(|line| line.body.starts_with("marked this ") && names(&line.body, other_copy));
    Ok(linked.is_some_and(|line| ours.contains(&line.author.id)))
}

/// Whether a line refers to an issue of the project it stands in.
fn names(line: &str, iid: Iid) -> bool {
    let reference = format!("#{iid}");
    let mut found = line.match_indices(&reference);
    found.any(|(at, _)| {
        let rest = line.get(at + reference.len()..).unwrap_or_default();
        !rest.starts_with(|next: char| next.is_ascii_digit())
    })
}

/// Those of these issues that the source shows: what leads to them is gone, not only out of sight.
async fn seen_at_source(case: &Case<'_>, iids: &[Iid]) -> Result<BTreeSet<Iid>, SyncError> {
    let source = &case.link.source;
    let mut seen = BTreeSet::new();
    for iid in iids {
        match source.client.issue(source.project.id, *iid).await {
            Ok(_) => {
                seen.insert(*iid);
            }
            Err(error) if *error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error).on(Side::Source),
        }
    }
    Ok(seen)
}

/// Links two copies. One that is there already is done, and stays whose it is; where links that block
/// are not licensed, a relation says the most of it.
pub(crate) async fn create(
    case: &mut Case<'_>,
    other: Iid,
    mut kind: LinkKind,
) -> Result<(), SyncError> {
    let Some((copy, other_copy)) = copies(case, other).await? else {
        return Ok(());
    };
    let known = case.cx.store.issue_links(case.link.mirror, case.iid());
    if known.await?.contains_key(&other) && !compares_anew(case) {
        // The other one's job was here meanwhile.
        return Ok(());
    }
    let target = &case.link.target;
    let (client, project) = (&target.client, target.project.id);
    let mut answer = client.link_issues(project, copy, other_copy, kind).await;
    let refused = |error: &mirror_gitlab::Error| *error.kind() == ErrorKind::Forbidden;
    if kind != LinkKind::RelatesTo && answer.as_ref().is_err_and(refused) {
        kind = LinkKind::RelatesTo;
        case.cx.may_write(case.lease)?;
        answer = client.link_issues(project, copy, other_copy, kind).await;
        if !answer.as_ref().is_err_and(refused) {
            case.dropped(BLOCKING_LINKS).await?;
        }
    }
    let ours = match answer {
        Ok(()) => true,
        Err(error) if matches!(error.kind(), ErrorKind::Conflict(_)) => {
            made_by_us(case, other_copy).await?
        }
        // The other copy was deleted there; its own job tells of it.
        Err(error) if *error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).on(Side::Target),
    };
    record(case, other, KnownLink { kind, ours }).await
}

/// Removes a link of ours.
pub(crate) async fn remove(case: &mut Case<'_>, other: Iid) -> Result<(), SyncError> {
    if let Some((copy, other_copy)) = copies(case, other).await? {
        let target = &case.link.target;
        let (client, project) = (&target.client, target.project.id);
        let there = on_target(case).await?;
        for link in there.iter().filter(|link| link.iid == other_copy) {
            match client.unlink_issues(project, copy, link.id).await {
                Err(error) if *error.kind() == ErrorKind::NotFound => {}
                done => done.on(Side::Target)?,
            }
        }
    }
    forget(case, other).await
}

/// The copies of this issue and of another one.
async fn copies(case: &Case<'_>, other: Iid) -> Result<Option<(Iid, Iid)>, SyncError> {
    let others = BTreeSet::from([other]);
    let mirrors = case.cx.store.mirrors_of(case.link.mirror, &others);
    let other_copy = mirrors.await?.get(&other).copied();
    let copy = case.mapping.target.as_ref().map(|target| target.iid);
    Ok(copy.zip(other_copy))
}

/// Records a link; in a plan in the plan's own record, so that it is not planned for its other end,
/// too.
pub(crate) async fn record(case: &Case<'_>, other: Iid, link: KnownLink) -> Result<(), SyncError> {
    let (store, fence) = (&case.cx.store, &case.lease.fence);
    Ok(store
        .record_issue_link(fence, case.link.mirror, case.iid(), other, link)
        .await?)
}

/// As [`record`], of a link that goes.
pub(crate) async fn forget(case: &Case<'_>, other: Iid) -> Result<(), SyncError> {
    let (store, fence) = (&case.cx.store, &case.lease.fence);
    Ok(store
        .forget_issue_link(fence, case.link.mirror, case.iid(), other)
        .await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_not_taken_for_another_that_begins_with_it() {
        let line = "marked this issue as related to #12 and #3";
        assert!(names(line, Iid(12)) && names(line, Iid(3)));
        assert!(!names(line, Iid(1)) && !names(line, Iid(2)));
    }
}
