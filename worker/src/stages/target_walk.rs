//! Finds what is ours on the target, before anything is created there, and what others edited.

use super::{
    ascending::{Ascending, Batch},
    preserve, twins,
};
use crate::{
    Context, SyncError,
    error::{On, Side},
    events::Event,
    jobs::check_instance,
    lease::Lease,
    link::Link,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    desired::Observed,
    discover::{TargetRow, compare_target, watermark},
    ids::{Iid, IssueId, UserId},
    issue::Issue,
    job::{Job, Priority},
    mapping::{Impostor, IssueMapping, TargetIssue},
    peer,
    provenance::{Found, Kind},
};
use mirror_gitlab::{IssueQuery, Sort};
use mirror_store::{Adoption, Owe, Pair, SightedImpostor, TargetWalk, Watermarks};
use std::collections::{BTreeSet, HashMap};

/// Adopts unmapped copies of ours, notes impostors, owes what somebody edited, and moves the
/// watermark. With no state at all this is one listing of the target. Returns how many issues are
/// due for it.
pub(crate) async fn run(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    marks: &Watermarks,
    full: bool,
) -> Result<u64, SyncError> {
    let since = marks.target.filter(|_| !full);
    let ours = cx.store.our_users(link.target.instance).await?;
    let mut walk = Walk {
        cx,
        link,
        ours,
        started: None,
        last: None,
        walked: true,
        findings: Findings::default(),
    };
    if !walk.newest_page_says_it_all(since).await? {
        let query = IssueQuery {
            updated_after: since,
            ..IssueQuery::default()
        };
        let mut rows = Ascending::new(&link.target.client, link.target.project.id, query);
        while let Some(batch) = rows.next().await.on(Side::Target)? {
            walk.batch(batch).await?;
        }
    }
    walk.record(lease).await
}

/// What an observed target issue leaves on record.
pub(crate) fn stamp(issue: &Issue) -> TargetIssue {
    TargetIssue {
        id: issue.id,
        iid: issue.iid,
        updated_at: issue.updated_at,
        notes_count: issue.user_notes_count,
        digest: Some(Observed::from(issue).digest()),
    }
}

#[derive(Default)]
struct Findings {
    adoptions: Vec<Adoption>,
    pairs: Vec<Pair>,
    impostors: Vec<SightedImpostor>,
    touched: Vec<TargetIssue>,
    edited: Vec<Iid>,
    /// An issue has a number that is not that of its original: the project is not the mirror's alone.
    shared: bool,
}

struct Walk<'a> {
    cx: &'a Context,
    link: &'a Link,
    ours: BTreeSet<UserId>,
    started: Option<DateTime<Utc>>,
    last: Option<DateTime<Utc>>,
    /// Every row since the watermark was met.
    walked: bool,
    findings: Findings,
}

impl Walk<'_> {
    /// One request that often is the whole walk; see the source's walk.
    async fn newest_page_says_it_all(
        &mut self,
        since: Option<DateTime<Utc>>,
    ) -> Result<bool, SyncError> {
        let query = IssueQuery {
            updated_after: since,
            sort: Sort::Desc,
            ..IssueQuery::default()
        };
        let target = &self.link.target;
        let page = match target.client.issues(target.project.id, &query).await {
            // The walk itself takes smaller pages.
            Err(error) if error.is_over_cap() => return Ok(false),
            page => page.on(Side::Target)?,
        };
        if since.is_some_and(|bound| page.clock.is_some_and(|clock| clock < bound)) {
            // The instance's clock was set back: everything is walked, as if for the first time.
            return Ok(false);
        }
        if page.issues.is_empty() && page.next_page.is_none() {
            // Believed, it would have everything created anew: a list that may not be read is
            // empty, too.
            check_instance::readable(self.cx, self.link, Side::Target).await?;
        }
        self.started = page.clock;
        let newest = page.issues.first().map(|issue| issue.updated_at);
        if page.next_page.is_none() {
            let batch = Batch {
                issues: page.issues,
                until: newest,
                clock: page.clock,
            };
            self.batch(batch).await?;
            return Ok(true);
        }
        let (Some(bound), Some(total)) = (since, page.total) else {
            return Ok(false);
        };
        let recorded = self
            .cx
            .store
            .mappings_seen_since(self.link.mirror, mirror_store::Side::Target, bound)
            .await?;
        let known: HashMap<IssueId, &TargetIssue> = recorded
            .iter()
            .filter_map(|mapping| mapping.target.as_ref())
            .map(|target| (target.id, target))
            .collect();
        let as_left = |issue: &Issue| {
            known
                .get(&issue.id)
                .is_some_and(|target| compare_target(target, issue) == TargetRow::AsLeft)
        };
        let all = u64::try_from(known.len()) == Ok(total) && page.issues.iter().all(as_left);
        // Believed, but not walked: an edit made while we wrote more than a page may lie behind it.
        // The watermark stays, so that the next real walk meets it.
        self.walked = !all;
        Ok(all)
    }

    async fn batch(&mut self, batch: Batch) -> Result<(), SyncError> {
        self.started = self.started.or(batch.clock);
        self.last = self.last.max(batch.until);
        let ids: Vec<IssueId> = batch.issues.iter().map(|issue| issue.id).collect();
        let known = self
            .cx
            .store
            .issue_mappings_by_target(self.link.mirror, &ids)
            .await?;
        for issue in &batch.issues {
            let original = match known.get(&issue.id) {
                Some(mapping) => {
                    self.compare(mapping, issue);
                    Some(mapping.source_iid)
                }
                None => self.claim(issue),
            };
            self.findings.shared |= original != Some(issue.iid);
        }
        Ok(())
    }

    fn compare(&mut self, mapping: &IssueMapping, issue: &Issue) {
        let Some(recorded) = &mapping.target else {
            return;
        };
        if self
            .link
            .settings
            .only
            .is_some_and(|only| only != mapping.source_iid)
        {
            return;
        }
        match compare_target(recorded, issue) {
            TargetRow::AsLeft => {}
            TargetRow::Touched => self.findings.touched.push(stamp(issue)),
            TargetRow::Edited => {
                self.findings.touched.push(stamp(issue));
                self.findings.edited.push(mapping.source_iid);
            }
        }
    }

    /// An unmapped issue that says it is one of our copies: which, if it is.
    fn claim(&mut self, issue: &Issue) -> Option<Iid> {
        let Some(found) = Found::in_body(&issue.description) else {
            self.claim_by_footer(issue);
            return None;
        };
        let link = self.link;
        let original = found.marker.path.last()?;
        let is_this_mirrors = found.marker.kind == Kind::Mirror
            && original.note.is_none()
            && original.project == link.source.project.id
            && link.source.is_named(&original.instance)
            && link.target.is_named(&found.marker.target_instance)
            && found.marker.target_project == link.target.project.id;
        if !is_this_mirrors || issue.moved_to_id.is_some() {
            return None;
        }
        let source_iid = original.iid;
        if self.ours.contains(&issue.author.id) {
            let target = stamp(issue);
            self.findings.adoptions.push(Adoption {
                source_iid,
                source_id: original.issue,
                target,
            });
            return Some(source_iid);
        }
        let impostor = Impostor {
            target_iid: issue.iid,
            author: issue.author.id,
        };
        self.findings.impostors.push(SightedImpostor {
            source_iid,
            impostor,
        });
        None
    }

    /// One of our users wrote it, and another tool's footer says whose copy it is.
    fn claim_by_footer(&mut self, issue: &Issue) {
        let source = &self.link.source.project.web_url;
        let ours = self.ours.contains(&issue.author.id) && issue.moved_to_id.is_none();
        let original = peer::original(&issue.description, source).filter(|_| ours);
        self.findings.pairs.extend(original.map(|source| Pair {
            source,
            target: issue.iid,
        }));
    }

    async fn record(self, lease: &Lease) -> Result<u64, SyncError> {
        let Self {
            cx,
            link,
            findings,
            started,
            last,
            walked,
            ..
        } = self;
        let mirror = link.mirror;
        let Findings {
            adoptions,
            pairs,
            impostors,
            touched,
            mut edited,
            shared,
        } = findings;
        if shared {
            preserve::number_no_more(cx, link).await?;
        }
        let pairs = to_adopt(cx, link, pairs).await?;
        let seen_edited = edited.clone();
        edited.extend(adoptions.iter().map(|adoption| adoption.source_iid));
        edited.extend(pairs.iter().map(|pair| pair.source));
        edited.sort_unstable();
        edited.dedup();
        if let Some(only) = link.settings.only {
            edited.retain(|iid| *iid == only);
        }
        let owes: Vec<Owe> = edited
            .iter()
            .map(|iid| Owe {
                job: Job::SyncIssue { mirror, iid: *iid },
                priority: Priority::Incremental,
                run_at: None,
                changed: true,
            })
            .collect();
        let started = started.unwrap_or_else(|| cx.store.now());
        // For one issue only, what others were found edited is left for the next whole scan.
        let mark = (link.settings.only.is_none() && walked).then(|| watermark(last, started));
        // What can be told from a second landing only by this walk is put away before the watermark
        // moves past it.
        let watched = !cx.store.twin_watch(mirror).await?.is_empty();
        let walk = TargetWalk {
            adoptions: &adoptions,
            pairs: &pairs,
            impostors: &impostors,
            seen: &touched,
            edited: &seen_edited,
            owed: &owes,
            watermark: mark.filter(|_| !watched),
        };
        let left_over = cx
            .store
            .record_target_walk(&lease.fence, mirror, &walk)
            .await?;
        twins::settle(cx, lease, link, &left_over).await?;
        if watched {
            let walk = TargetWalk {
                watermark: mark,
                ..TargetWalk::default()
            };
            cx.store
                .record_target_walk(&lease.fence, mirror, &walk)
                .await?;
        }
        let owed = u64::try_from(owes.len()).unwrap_or(u64::MAX);
        cx.events.emit(Event::Found { mirror, owed });
        Ok(owed)
    }
}

/// Those whose source issue has no mirror yet; of several for one the lowest number.
async fn to_adopt(cx: &Context, link: &Link, mut pairs: Vec<Pair>) -> Result<Vec<Pair>, SyncError> {
    pairs.sort_unstable();
    pairs.dedup_by_key(|pair| pair.source);
    let sources: BTreeSet<Iid> = pairs.iter().map(|pair| pair.source).collect();
    let mirrored = cx.store.mirrors_of(link.mirror, &sources).await?;
    pairs.retain(|pair| !mirrored.contains_key(&pair.source));
    Ok(pairs)
}
