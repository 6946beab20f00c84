//! Pairs: what the people of a copy do to it flows back to its original (decision 44). Both
//! directions of an issue are one job, that of the original.

use super::{
    apply, case::Case, copies, edits, found_again, notes, people, references, settle, uploads,
};
use crate::{
    Context, SyncError,
    events::Event,
    facts,
    jobs::{check_instance, sync_issue},
    lease::Lease,
    link::Link,
};
use futures_util::FutureExt;
use mirror_core::{
    desired::{Desired, DesiredThread, Observed, Place},
    discover::is_settled,
    ids::{Iid, NoteId},
    issue::{Discussion, Issue},
    job::Job,
    mapping::{Intended, MappingStatus, NoteMapping},
    merge::{flows_back, going_back, own_time},
    plan::{Step, diff},
    render::{There, render},
};
use mirror_store::Owe;
use std::collections::{BTreeMap, BTreeSet};

/// What of an issue's source came from its target.
#[derive(Default)]
pub(crate) struct Back {
    /// Comments of the copy's people that are on the source.
    pub(crate) came_back: Vec<NoteMapping>,
    /// Threads of the source with comments that came from the target.
    answered: BTreeSet<String>,
    /// Those of them that such a comment begins.
    pub(crate) begun_there: BTreeSet<String>,
    /// Seconds that were logged on the copy and carried to the source.
    pub(crate) carried_in: i64,
    /// Nobody knows whether more were: none is carried there before that is settled.
    pub(crate) is_time_open: bool,
}

/// Whether the issue is the copy of one that the other half of a pair mirrors: then that one's job is
/// owed, which sees to both.
pub(crate) async fn belongs_to_an_original(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    iid: Iid,
) -> Result<bool, SyncError> {
    if !link.settings.came_back {
        return Ok(false);
    }
    // Also once they are a pair no more: an original is nobody's copy.
    let is_reverse = cx.store.is_reverse(link.mirror, iid).await?;
    let Some(mirror) = link.settings.pair else {
        return Ok(is_reverse);
    };
    let Some(iid) = cx.store.original_of(mirror, iid).await? else {
        return Ok(is_reverse);
    };
    if cx.plans_only() {
        return Ok(true);
    }
    let job = Job::SyncIssue { mirror, iid };
    cx.store.owe(&[Owe::changed(job, lease.priority)]).await?;
    Ok(true)
}

/// Lets what happened on the copy flow back to the source, before anything is sent to the copy.
pub(crate) async fn flow(case: &mut Case<'_>) -> Result<(), SyncError> {
    let (cx, lease) = (case.cx, case.lease);
    let (mirror, iid) = (case.link.mirror, case.iid());
    if !case.link.settings.came_back {
        return Ok(());
    }
    // Whatever comes of this: what came from there is not sent there.
    case.back.carried_in = cx.store.carried_back(mirror, iid).await?;
    let copy = case.mapping.target.as_ref().map(|target| target.iid);
    let Some((reverse, copy)) = case.link.settings.pair.zip(copy) else {
        return Ok(());
    };
    let open = cx.store.intents(reverse, copy).await?;
    case.back.is_time_open = open
        .iter()
        .any(|intent| matches!(intent.what, Intended::Time { .. }));
    // Then the next scan looks at it again.
    case.disturbed |= case.back.is_time_open;
    if cx.plans_only() || cx.store.mirror(reverse).await?.paused.is_some() {
        return Ok(());
    }
    let link = cx.links.reach(reverse, false).await?;
    // Where it is gone or moved, the way there tells.
    let Some(fresh) = facts::again(cx, &link, copy).await? else {
        return Ok(());
    };
    if fresh.issue.moved_to_id.is_some() || hides_more(case, &fresh.issue) {
        return Ok(());
    }
    let mut back = Case::open(cx, lease, &link, fresh).await?;
    let known = back.mapping.target.as_ref().map(|target| target.id);
    if known.is_some_and(|known| known != case.source.id) || case.mapping.is_reverse {
        return Ok(());
    }
    let brought = bring_back(case, &mut back).boxed().await;
    let own = |note: &&NoteMapping| note.skipped.as_deref() != Some(COPY);
    case.back.came_back = back.notes.values().filter(own).cloned().collect();
    lease.intended().about(mirror, iid);
    if went_well(cx, &link, brought).await? {
        // It is another by now.
        let again = facts::again(cx, case.link, case.iid()).await?;
        case.renew(again.ok_or(SyncError::Stale)?);
    }
    Ok(())
}

/// What the copy's people hid stays with them.
fn hides_more(case: &Case<'_>, copy: &Issue) -> bool {
    copy.confidential && !case.source.confidential
}

/// What is at fault with the way back lets that half of the pair rest; the way there goes on.
async fn went_well(
    cx: &Context,
    link: &Link,
    brought: Result<bool, SyncError>,
) -> Result<bool, SyncError> {
    let Err(error) = brought else { return brought };
    let Some(side) = error.suspect() else {
        return Err(error);
    };
    match check_instance::run(cx, link, side).await {
        Err(SyncError::AtFault { reason }) => {
            cx.store.pause_for_fault(link.mirror, &reason).await?;
            let mirror = link.mirror;
            cx.events.emit(Event::Paused { mirror, reason });
            Ok(false)
        }
        Err(other) => Err(other),
        Ok(_) => Err(error),
    }
}

/// `true`: the source was changed.
async fn bring_back(case: &mut Case<'_>, back: &mut Case<'_>) -> Result<bool, SyncError> {
    let original = Observed::from(&case.source);
    let copy = Observed::from(&back.source);
    let was_settled = back.mapping.status == MappingStatus::Synced
        && back.mapping.fingerprint.is_some()
        && back
            .mapping
            .read
            .as_ref()
            .is_some_and(|read| is_settled(read, &back.source));
    let is_new = back.mapping.target.is_none();
    back.mapping.is_reverse = true;
    back.observe(&case.source);
    if is_new {
        // Comments are recorded with their issue.
        back.record_mapping().await?;
    }
    settle::open_creates(back).await?;
    if std::mem::take(&mut case.back.is_time_open) {
        case.disturbed = false;
    }
    case.back.carried_in = back.mapping.carried_spent.unwrap_or(0);
    let base = edits::base(case, &copy);
    let flows = flows_back(base.as_ref(), &original, &copy);
    let carried_out = case.mapping.carried_spent;
    let spent = carried_out.map(|out| own_time(copy.spent, out));
    let time_is_in_line = spent.is_none_or(|own| Some(own) == back.mapping.carried_spent);
    if was_settled && flows.is_empty() && time_is_in_line && !back.edits.are_decided() {
        return Ok(false);
    }
    let Some(threads) = notes::threads(back).await? else {
        return Ok(false);
    };
    // It may have been hidden while they were read, and the original opened.
    if hides_more(case, &back.source) {
        return Ok(false);
    }
    if back.source.confidential {
        let again = facts::again(case.cx, case.link, case.iid()).await?;
        let is_hidden = again.is_some_and(|fresh| fresh.issue.confidential);
        if !is_hidden {
            return Err(SyncError::Stale);
        }
    }
    know_copies(back, case.notes.values(), &threads);
    let theirs = without_copies(back, threads).await?;
    let rendered = rendered(back, &theirs).boxed().await?;
    let spent_there = spent.or(back.mapping.carried_spent).unwrap_or(0);
    let mut desired = going_back(&rendered, &original, &copy, &flows, spent_there);
    let begun_here = |thread: &DesiredThread| !back.back.begun_there.contains(&thread.discussion);
    desired.threads.retain(begun_here);
    let steps = steps(back, &theirs, &desired).boxed().await?;
    if let Some(base) = case.mapping.base.as_mut().filter(|_| !flows.is_empty()) {
        base.about_to_send_back(&flows, &copy);
        case.record_mapping().await?;
    }
    let left = apply::steps(back, &desired, steps).boxed().await?;
    if left.is_none() {
        case.back.carried_in = back.mapping.carried_spent.unwrap_or(0);
    }
    edits::settle(back, &desired).await?;
    let changed = back.done.changed;
    back.finish(desired.fingerprint()).await?;
    Ok(changed)
}

/// Why a comment is not brought to where it came from.
const COPY: &str = "itself a copy";

/// Which comments on a case's source came from its target, by what is known of the other direction:
/// they are not brought there, but answers to them find their thread.
pub(crate) fn know_copies<'n>(
    case: &mut Case<'_>,
    other: impl IntoIterator<Item = &'n NoteMapping>,
    threads: &[Discussion],
) {
    let copies: BTreeMap<NoteId, &NoteMapping> = other
        .into_iter()
        .filter_map(|known| Some((known.target_note?, known)))
        .collect();
    for thread in threads {
        let mut written = thread.notes.iter().filter(|note| !note.system);
        if written
            .next()
            .is_some_and(|note| copies.contains_key(&note.id))
        {
            case.back.begun_there.insert(thread.id.clone());
        }
        for note in &thread.notes {
            let Some(known) = copies.get(&note.id) else {
                continue;
            };
            case.back.answered.insert(thread.id.clone());
            let mapping = NoteMapping {
                source_note: note.id,
                source_discussion: thread.id.clone(),
                target_note: Some(known.source_note),
                target_discussion: Some(known.source_discussion.clone()),
                fingerprint: None,
                skipped: Some(COPY.to_owned()),
                base: None,
            };
            case.notes.insert(note.id, mapping);
        }
    }
}

/// An answer to a comment that came from there stands in the same thread there.
pub(crate) fn answers(case: &Case<'_>, steps: &mut [Step]) {
    for step in steps {
        if let Step::CreateNote(note) = step
            && note.place == Place::Start
            && case.back.answered.contains(&note.discussion)
        {
            note.place = Place::Reply;
        }
    }
}

/// The comments of a source issue without those that are copies: no copy is copied.
pub(crate) async fn without_copies(
    case: &Case<'_>,
    mut threads: Vec<Discussion>,
) -> Result<Vec<Discussion>, SyncError> {
    let of_ours: BTreeSet<NoteId> = case
        .notes
        .values()
        .filter(|note| note.skipped.as_deref() == Some(COPY))
        .map(|note| note.source_note)
        .collect();
    let mut copies = of_ours;
    for note in threads.iter().flat_map(|thread| &thread.notes) {
        if copies::is_a_copied_note(case, note).await? {
            copies.insert(note.id);
        }
    }
    for thread in &mut threads {
        thread.notes.retain(|note| !copies.contains(&note.id));
    }
    threads.retain(|thread| !thread.notes.is_empty());
    Ok(threads)
}

async fn rendered(back: &mut Case<'_>, theirs: &[Discussion]) -> Result<Desired, SyncError> {
    // Its text came from the original, with its files and references.
    back.source.description.clear();
    let files = uploads::carry(back, theirs).await?;
    let referred = references::find(back, theirs, &BTreeMap::new()).await?;
    let people = people::find(back, theirs).await?;
    let there = There {
        files: &|upload| files.link(upload),
        issues: &|iid| referred.link(iid),
        moved: None,
        people: &people,
    };
    Ok(render(&back.frame(), &back.source, theirs, there))
}

async fn steps(
    back: &mut Case<'_>,
    theirs: &[Discussion],
    desired: &Desired,
) -> Result<Vec<Step>, SyncError> {
    if back.mapping.fingerprint.is_none() {
        found_again::comments(back, theirs).await?;
    }
    found_again::unseen_comments(back, theirs).await?;
    let mut known = back.known(None);
    known.owned_labels.clear();
    let mut steps = diff(desired, back.observed.as_ref(), &known).steps;
    steps.extend(sync_issue::comments(back, desired).await?);
    Ok(steps)
}
