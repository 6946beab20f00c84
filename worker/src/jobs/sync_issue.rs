//! Brings one mirrored issue in line with its source.

use crate::{
    Context, Side, SyncError,
    events::Event,
    facts,
    lease::Lease,
    link::Link,
    stages::{
        adopt, apply, back, case::Case, copies, edits, filter, found_again, gone, hide,
        issue_links, lookup, moved, notes, people, preserve, reactions, references, settle,
        uploads, vanished,
    },
};
use futures_util::FutureExt;
use mirror_core::{
    desired::Desired,
    ids::Iid,
    issue::{Discussion, State},
    merge,
    outcome::{Outcome, SkipReason},
    plan::{GoneNote, KnownNotes, Plan, Prints, Step, diff, diff_notes, mend},
    render::{There, render},
    rules::Outside,
};
use mirror_gitlab::ErrorKind;
use tokio::sync::OwnedMutexGuard;

/// The walk of one issue: read, settle, carry files, render, plan, apply, record.
pub(crate) async fn run(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    iid: Iid,
) -> Result<Outcome, SyncError> {
    if back::belongs_to_an_original(cx, lease, link, iid).await? {
        return Ok(Outcome::Skipped(SkipReason::IsACopy));
    }
    let Some(fresh) = facts::fresh(cx, link, iid).await? else {
        return vanished::follow(cx, lease, link, iid).await;
    };
    let mut case = Case::open(cx, lease, link, fresh).await?;
    if case.mapping.is_unlinked() {
        return Ok(vanished::told(
            cx,
            link,
            iid,
            Outcome::Skipped(SkipReason::Unlinked),
        ));
    }
    adopt::as_asked(&mut case).await?;
    if vanished::was_missed(&case.mapping) {
        cx.store
            .forget_missed(&lease.fence, link.mirror, iid)
            .await?;
    }
    if let Some(reason) = left_out(&case).await? {
        return case.skip(reason).await;
    }
    settle::open_creates(&mut case).await?;
    if let Some(outside) = filter::outside(&case) {
        return filter::leave(case, outside).await;
    }
    preserve::ask(&mut case).await?;
    let threads = match read(&mut case).await? {
        Read::Threads(threads) => threads,
        Read::Left(reason) => return case.skip(reason).await,
        Read::Outside(outside) => return filter::leave(case, outside).await,
        Read::Gone => return vanished::follow(cx, lease, link, iid).await,
    };
    // Apart, so that what reading takes of the stack is free again.
    bring_in_line(case, threads).boxed().await
}

/// Carries its files, finds what it refers to, renders, plans, and sends.
async fn bring_in_line(mut case: Case<'_>, threads: Vec<Discussion>) -> Result<Outcome, SyncError> {
    let (cx, link) = (case.cx, case.link);
    reactions::count(&mut case).await?;
    let files = uploads::carry(&mut case, &threads).await?;
    let linked = issue_links::at_source(&case).await?;
    let referred = references::find(&case, &threads, &linked).await?;
    let moved = moved::find(&case).await?;
    let people = people::find(&mut case, &threads).await?;
    let there = There {
        files: &|upload| files.link(upload),
        issues: &|iid| referred.link(iid),
        moved: moved.as_deref(),
        people: &people,
    };
    let mut desired = render(&case.frame(), &case.source, &threads, there);
    desired.spent = merge::own_time(desired.spent, case.back.carried_in);
    desired
        .threads
        .retain(|thread| !case.back.begun_there.contains(&thread.discussion));
    let fingerprint = desired.fingerprint();
    let _proof = first_of_its_kind(&mut case, &desired).await?;
    if let Some(before) = cx.planned.of(link.mirror, case.iid()) {
        let mut plan = mend(&before, &desired, &case.notes);
        let links = issue_links::steps(&case, &linked, &referred).await?;
        plan.steps.extend(links);
        return planned(case, plan, &desired).await;
    }
    let unchanged = case.mapping.fingerprint.as_deref() == Some(fingerprint.as_str());
    let in_line = unchanged && !case.edits.are_decided();
    if !in_line && let Some(reason) = apply::read_target(&mut case, &threads).await? {
        return case.skip(reason).await;
    }
    let mut plan = plan(&mut case, &threads, &desired, in_line).boxed().await?;
    let links = issue_links::steps(&case, &linked, &referred).await?;
    plan.add_before_last(links);
    if cx.plans_only() {
        let ahead = usize::from(plan.steps.first().is_some_and(Step::goes_ahead));
        plan.steps.splice(ahead..ahead, files.steps);
        return planned(case, plan, &desired).await;
    }
    send(case, &desired, plan, fingerprint).await
}

async fn send(
    mut case: Case<'_>,
    desired: &Desired,
    plan: Plan,
    fingerprint: String,
) -> Result<Outcome, SyncError> {
    let weightless = case.frame().weightless;
    match apply::steps(&mut case, desired, plan.steps).boxed().await? {
        Some(reason) => case.skip(reason).await,
        // What the footer says of it is another text by now.
        None if case.frame().weightless != weightless => {
            case.record_mapping().await?;
            Err(SyncError::Relearnt)
        }
        None => {
            edits::settle(&mut case, desired).await?;
            case.finish(fingerprint).await
        }
    }
}

/// What came of reading an issue.
enum Read {
    Threads(Vec<Discussion>),
    /// It has to be left as it is.
    Left(SkipReason),
    /// It is none any more of those that the mirror takes.
    Outside(Outside),
    /// It is not to be seen any more.
    Gone,
}

/// Reads the comments, once nothing confidential stands open on the target, and how the target stands
/// where it is to be compared anyway.
async fn read(case: &mut Case<'_>) -> Result<Read, SyncError> {
    if let Some(reason) = hide::first(case).await? {
        return Ok(Read::Left(reason));
    }
    // Apart, since it is as large as all the rest.
    back::flow(case).boxed().await?;
    let Some(threads) = notes::threads(case).await? else {
        return Ok(Read::Gone);
    };
    // It may have become confidential while they were read, or have left.
    if let Some(reason) = hide::first(case).await? {
        return Ok(Read::Left(reason));
    }
    if let Some(outside) = filter::outside(case) {
        return Ok(Read::Outside(outside));
    }
    let came_back = std::mem::take(&mut case.back.came_back);
    back::know_copies(case, &came_back, &threads);
    let threads = back::without_copies(case, threads).await?;
    let left = if case.mapping.fingerprint.is_none() {
        apply::read_target(case, &threads).await?
    } else {
        None
    };
    Ok(left.map_or(Read::Threads(threads), Read::Left))
}

/// What is not mirrored at all.
async fn left_out(case: &Case<'_>) -> Result<Option<SkipReason>, SyncError> {
    if case.mapping.target.is_some() {
        return Ok(None);
    }
    let (cx, link) = (case.cx, case.link);
    if copies::is_a_copy(case).await? {
        return Ok(Some(SkipReason::IsACopy));
    }
    if let Some(target_iid) = impostor(case).await? {
        return Ok(Some(SkipReason::MarkerByStranger {
            target_iid: target_iid.0,
        }));
    }
    let under_way = !cx.store.intents(link.mirror, case.iid()).await?.is_empty();
    let closed = case.source.state == State::Closed;
    let wanted = link.settings.include_closed || link.settings.rules.filter.asks_for_closed();
    if closed && !wanted && !under_way {
        return Ok(Some(SkipReason::ClosedBeforeFirstSync));
    }
    Ok(None)
}

/// The target issue by a stranger that carries this issue's marker, if it still does.
async fn impostor(case: &Case<'_>) -> Result<Option<Iid>, SyncError> {
    let (cx, link) = (case.cx, case.link);
    while let Some(impostor) = cx.store.impostor(link.mirror, case.iid()).await? {
        let target_iid = impostor.target_iid;
        let target = &link.target;
        match target.client.issue(target.project.id, target_iid).await {
            Ok(there) if lookup::is_copy(link, &case.hop(), &there.value.description) => {
                return Ok(Some(target_iid));
            }
            Err(error) if *error.kind() != ErrorKind::NotFound => {
                return Err(SyncError::GitLab {
                    side: Side::Target,
                    source: error,
                });
            }
            // A person has settled it.
            Ok(_) | Err(_) => {
                let fence = &case.lease.fence;
                cx.store
                    .clear_impostor(fence, link.mirror, case.iid(), target_iid)
                    .await?;
            }
        }
    }
    Ok(None)
}

/// As [`hide::alone`], where there is anything hidden and it is not all proven.
async fn first_of_its_kind(
    case: &mut Case<'_>,
    desired: &Desired,
) -> Result<Option<OwnedMutexGuard<()>>, SyncError> {
    let hidden = desired.confidential || desired.notes.iter().any(|note| note.internal);
    if !hidden || (case.target.confidential_proven && case.target.internal_proven) {
        return Ok(None);
    }
    Ok(Some(hide::alone(case).await?))
}

async fn plan(
    case: &mut Case<'_>,
    threads: &[Discussion],
    desired: &Desired,
    in_line: bool,
) -> Result<Plan, SyncError> {
    if !in_line {
        people::tell(case);
        found_again::what_is_ours(case).await?;
    }
    found_again::unseen_comments(case, threads).await?;
    let mut plan = Plan::default();
    if !in_line {
        let labels = apply::target_labels(case, desired).await?;
        let known = case.known(labels);
        let wanted = edits::merged(case, desired);
        plan = diff(&wanted, case.observed.as_ref(), &known);
    }
    // A comment would move the time of a change that was set.
    plan.add_before_last(comments(case, desired).await?);
    Ok(plan)
}

/// The steps that bring the comments in line, but for what somebody made of them.
pub(crate) async fn comments(
    case: &mut Case<'_>,
    desired: &Desired,
) -> Result<Vec<Step>, SyncError> {
    let gone = gone::comments(case, desired).await?;
    let mut steps = in_line_with(case, desired, &gone);
    if edits::asks_for_comments(case, &steps) {
        settle::notes_on_target(case).await?;
        steps = in_line_with(case, desired, &gone);
    }
    edits::spare_comments(case, desired, &mut steps).await?;
    edits::tell(case);
    Ok(steps)
}

fn in_line_with(case: &Case<'_>, desired: &Desired, gone: &[GoneNote]) -> Vec<Step> {
    let resolved = apply::resolved(case, desired);
    let known = KnownNotes {
        recorded: &case.notes,
        bodies: &case.bodies,
        gone,
        resolved: &resolved,
        resolves: !case.dropped_fields().contains(apply::RESOLVED_THREADS),
        internal_proven: case.target.internal_proven,
        dated: case.kept.created_at && !case.dropped_fields().contains("note_created_at"),
    };
    let mut steps = diff_notes(desired, &known);
    back::answers(case, &mut steps);
    steps
}

/// Tells what would be sent, and remembers in the plan's own record what that would have changed
/// for the issues after this one.
async fn planned(case: Case<'_>, plan: Plan, desired: &Desired) -> Result<Outcome, SyncError> {
    apply::pretend(&case, &plan).await?;
    let prints = Prints::from(desired).sparing(case.edits.kept());
    let mirror = case.link.mirror;
    if case.cx.planned.keep(mirror, case.iid(), prints) {
        references::appeared(&case).await?;
    }
    let outcome = if plan.is_empty() {
        Outcome::Unchanged
    } else if case.mapping.target.is_none() {
        Outcome::Created
    } else {
        Outcome::Updated
    };
    case.cx.events.emit(Event::Planned {
        mirror: case.link.mirror,
        iid: case.iid(),
        plan,
        confidential: case.source.confidential,
    });
    Ok(outcome)
}
