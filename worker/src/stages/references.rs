//! Finds where references to other issues lead.

use super::case::Case;
use crate::{SyncError, events::Event};
use mirror_core::{ids::Iid, issue::Discussion, issue_links::LinkKind, render::mentioned_issues};
use std::collections::{BTreeMap, BTreeSet};

/// The mirrors of the issues that an issue refers to.
pub(crate) struct Referred {
    project: String,
    mirrors: BTreeMap<Iid, Iid>,
}

impl Referred {
    /// Whether an issue has a mirror.
    pub(crate) fn has(&self, iid: Iid) -> bool {
        self.mirrors.contains_key(&iid)
    }

    /// The address of an issue's mirror, where it has one.
    pub(crate) fn link(&self, iid: Iid) -> Option<String> {
        let mirror = self.mirrors.get(&iid)?;
        Some(format!("{}/-/issues/{mirror}", self.project))
    }
}

/// Looks up what the issue and its comments refer to, and what it is linked to. The issue is
/// remembered to wait for the mirrors that are not there yet.
pub(crate) async fn find(
    case: &Case<'_>,
    threads: &[Discussion],
    linked: &BTreeMap<Iid, LinkKind>,
) -> Result<Referred, SyncError> {
    let (cx, link) = (case.cx, case.link);
    let project = link.target.project.web_url.trim_end_matches('/').to_owned();
    let mut referred = mentioned_issues(&case.frame().source, &case.source, threads);
    referred.extend(linked.keys());
    let mirrors = if cx.plans_only() {
        in_plan(case, referred).await?
    } else if referred.is_empty() {
        BTreeMap::new()
    } else {
        await_mirrors(case, &referred).await?
    };
    Ok(Referred { project, mirrors })
}

async fn await_mirrors(
    case: &Case<'_>,
    referred: &BTreeSet<Iid>,
) -> Result<BTreeMap<Iid, Iid>, SyncError> {
    let (store, fence) = (&case.cx.store, &case.lease.fence);
    let mirror = case.link.mirror;
    Ok(store
        .await_mirrors(fence, mirror, case.iid(), referred)
        .await?)
}

/// What has been planned counts as sent. Which number a new mirror will have, a plan cannot know;
/// that the text leads there is what counts.
async fn in_plan(
    case: &Case<'_>,
    referred: BTreeSet<Iid>,
) -> Result<BTreeMap<Iid, Iid>, SyncError> {
    let (cx, mirror) = (case.cx, case.link.mirror);
    let (planned, others): (BTreeSet<Iid>, BTreeSet<Iid>) = referred
        .into_iter()
        .partition(|iid| cx.planned.of(mirror, *iid).is_some());
    let mut mirrors: BTreeMap<Iid, Iid> = planned.iter().map(|iid| (*iid, *iid)).collect();
    mirrors.extend(cx.store.mirrors_of(mirror, &planned).await?);
    mirrors.extend(await_mirrors(case, &others).await?);
    Ok(mirrors)
}

/// Owes the issues again whose text waits for the mirror of this one, now that it is recorded; and
/// those of other mirrors that were moved and became this one.
pub(crate) async fn appeared(case: &Case<'_>) -> Result<(), SyncError> {
    let (store, mirror) = (&case.cx.store, case.link.mirror);
    if !case.cx.plans_only() {
        store.move_arrived(mirror, case.source.id).await?;
    }
    let owed = store.mirror_appeared(mirror, case.iid()).await?;
    if owed > 0 {
        let owed = u64::try_from(owed).unwrap_or(u64::MAX);
        case.cx.events.emit(Event::Found { mirror, owed });
    }
    Ok(())
}
