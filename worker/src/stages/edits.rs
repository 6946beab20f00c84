//! What the target's people edited, and what stays of it (decision 41).

use super::{apply, case::Case, gone, people};
use crate::{Context, SyncError, events::Notice, lease::Lease, link::Link};
use mirror_core::{
    desired::{Desired, DesiredNote, Observed},
    ids::NoteId,
    issue::State,
    mapping::{IssueMapping, NoteMapping},
    merge::{self, Base, Decided, Decisions, Edit, EditPolicy, Merge, Resolution, What},
    plan::{NewIssue, Step, expected},
};
use mirror_gitlab::{IssueChange, StateEvent};
use mirror_store::KeptEdit;
use std::collections::BTreeSet;

/// Edits on one issue's copy, while it is under way.
#[derive(Default)]
pub(crate) struct Edits {
    /// What a person decided, not carried out yet.
    decided: Decisions,
    /// What is on record.
    known: BTreeSet<What>,
    /// What the target was known to show when it was last in line.
    in_line: Option<String>,
    /// The issue itself was compared with the target, or is new there.
    compared: bool,
    merge: Option<Merge>,
    found: Vec<Edit>,
    settled: BTreeSet<What>,
    /// Comments that stay as they are there.
    kept: Vec<NoteMapping>,
}

impl Edits {
    pub(crate) async fn on_record(
        cx: &Context,
        link: &Link,
        mapping: &IssueMapping,
    ) -> Result<Self, SyncError> {
        let merges = !link.settings.ways().overwrites_all();
        let Some(target) = mapping.target.as_ref().filter(|_| merges) else {
            return Ok(Self::default());
        };
        let rows = match link.settings.on_edit {
            EditPolicy::Overwrite => Vec::new(),
            EditPolicy::Protect => cx.store.edits(link.mirror, mapping.source_iid).await?,
        };
        let mut edits = Self {
            in_line: target
                .digest
                .clone()
                .filter(|_| mapping.fingerprint.is_some()),
            known: rows.iter().map(|row| row.edit.what).collect(),
            ..Self::default()
        };
        edits.decided = rows.into_iter().filter_map(decision).collect();
        Ok(edits)
    }

    /// What the issue is to look like: as it was merged, or else as it was rendered.
    pub(crate) fn merged_or<'d>(&'d self, desired: &'d Desired) -> &'d Desired {
        let merge = self.merge.as_ref();
        merge.map_or(desired, |merge| &merge.desired)
    }

    /// A person decided something that only a comparison carries out.
    pub(crate) fn are_decided(&self) -> bool {
        !self.decided.is_empty()
    }

    /// What stays as the target's people left it.
    pub(crate) fn kept(&self) -> impl Iterator<Item = What> {
        self.found.iter().map(|edit| edit.what)
    }
}

fn decision(row: KeptEdit) -> Option<(What, Decided)> {
    let resolution = row.resolution?;
    let sides = row.edit.sides;
    Some((row.edit.what, Decided { resolution, sides }))
}

/// Whether what somebody edited on the target stays.
pub(crate) fn protects(link: &Link) -> bool {
    match link.settings.on_edit {
        EditPolicy::Overwrite => false,
        EditPolicy::Protect => true,
    }
}

/// What the issue itself is to look like there: the rendered source, but for what somebody edited.
pub(crate) fn merged(case: &mut Case<'_>, desired: &Desired) -> Desired {
    case.edits.compared = true;
    let ways = case.link.settings.ways();
    let observed = case.observed.as_ref();
    let Some(observed) = observed.filter(|_| !ways.overwrites_all()) else {
        return desired.clone();
    };
    let base = base(case, observed);
    let decided = &case.edits.decided;
    let merge = Merge::issue(ways, base.as_ref(), decided, (desired, observed));
    case.mapping.base = Some(merge.base.clone());
    case.edits.found.extend(merge.edits.iter().cloned());
    let wanted = people::wanted(case, &merge.desired);
    case.edits.merge = Some(merge);
    wanted
}

/// What both sides were when they were last settled, as far as that is known of a target that shows
/// this.
pub(crate) fn base(case: &Case<'_>, observed: &Observed) -> Option<Base> {
    let untouched = || {
        let digest = case.edits.in_line.as_ref()?;
        (*digest == observed.digest()).then(|| Base::untouched(observed))
    };
    case.mapping.base.clone().or_else(untouched)
}

/// Whether the target's comments are to be read before these steps are sent.
pub(crate) fn asks_for_comments(case: &Case<'_>, steps: &[Step]) -> bool {
    let unread = |step: &Step| match step {
        Step::UpdateNote { target_note, .. }
        | Step::DeleteNote { target_note, .. }
        | Step::WithdrawNote { target_note, .. } => !case.bodies.contains_key(target_note),
        Step::TransferUpload { .. }
        | Step::CreateLabel(_)
        | Step::CreateIssue(_)
        | Step::Restrict
        | Step::UpdateIssue(_)
        | Step::SetState(_)
        | Step::CloseAsOf(_)
        | Step::SetTimeEstimate(_)
        | Step::AddSpentTime(_)
        | Step::CreateNote(_)
        | Step::SetResolved { .. }
        | Step::CreateLink { .. }
        | Step::RemoveLink { .. }
        | Step::Open
        | Step::DeleteIssue => false,
    };
    let about_one = |what: &What| matches!(what, What::Comment(_));
    let decided = case.edits.decided.keys().any(about_one) && case.bodies.is_empty();
    protects(case.link) && (decided || steps.iter().any(unread))
}

/// Takes out the steps that would overwrite what somebody made of a comment.
pub(crate) async fn spare_comments(
    case: &mut Case<'_>,
    desired: &Desired,
    steps: &mut Vec<Step>,
) -> Result<(), SyncError> {
    if !protects(case.link) {
        return Ok(());
    }
    for what in case.edits.known.clone() {
        if let What::Comment(note) = what
            && is_in_line(case, desired, note)
        {
            case.edits.settled.insert(what);
        }
    }
    for step in std::mem::take(steps) {
        let sends = match &step {
            Step::UpdateNote { source_note, .. } => {
                let mut notes = desired.notes.iter();
                match notes.find(|note| note.source_note == *source_note) {
                    Some(note) => may_change(case, note, desired.confidential),
                    None => true,
                }
            }
            Step::DeleteNote { source_note, .. } | Step::WithdrawNote { source_note, .. } => {
                may_go(case, *source_note, desired.confidential).await?
            }
            Step::TransferUpload { .. }
            | Step::CreateLabel(_)
            | Step::CreateIssue(_)
            | Step::Restrict
            | Step::UpdateIssue(_)
            | Step::SetState(_)
            | Step::CloseAsOf(_)
            | Step::SetTimeEstimate(_)
            | Step::AddSpentTime(_)
            | Step::CreateNote(_)
            | Step::SetResolved { .. }
            | Step::CreateLink { .. }
            | Step::RemoveLink { .. }
            | Step::Open
            | Step::DeleteIssue => true,
        };
        if sends {
            steps.push(step);
        }
    }
    Ok(())
}

/// A comment whose copy says what it should, or is there no more.
fn is_in_line(case: &Case<'_>, desired: &Desired, source_note: NoteId) -> bool {
    let known = case.notes.get(&source_note);
    let Some(known) = known.filter(|known| known.skipped.is_none()) else {
        return true;
    };
    let body = known
        .target_note
        .and_then(|target| case.bodies.get(&target));
    let mut notes = desired.notes.iter();
    let note = notes.find(|note| note.source_note == source_note);
    body.zip(note).is_some_and(|(body, note)| {
        let sides = merge::copied(&note.body, body);
        sides.source == sides.target
    })
}

fn may_change(case: &mut Case<'_>, note: &DesiredNote, hidden: bool) -> bool {
    let Some(known) = case.notes.get(&note.source_note) else {
        return true;
    };
    let body = known
        .target_note
        .and_then(|target| case.bodies.get(&target));
    // Of one that is there no more nothing can be overwritten.
    let Some(body) = body else { return true };
    let edits = &mut case.edits;
    let compared = merge::comment(known.base.as_ref(), &edits.decided, note, body, hidden);
    if compared.edit.is_none() {
        edits.settled.insert(What::Comment(note.source_note));
    }
    if !compared.follows {
        edits.kept.push(NoteMapping {
            // Until the source changes there is nothing to be compared again.
            fingerprint: Some(note.fingerprint()),
            base: compared.base,
            ..known.clone()
        });
    }
    edits.found.extend(compared.edit);
    compared.follows
}

/// Whether the copy of a comment that is gone may go, too.
async fn may_go(case: &mut Case<'_>, note: NoteId, hidden: bool) -> Result<bool, SyncError> {
    let what = What::Comment(note);
    let known = case.notes.get(&note);
    let body = known
        .and_then(|known| known.target_note)
        .and_then(|target| case.bodies.get(&target));
    let Some((known, body)) = known.zip(body) else {
        return Ok(true);
    };
    let decided = &case.edits.decided;
    let edit = merge::gone_comment(known.base.as_ref(), decided, note, body, hidden);
    let Some(edit) = edit else {
        case.edits.settled.insert(what);
        return Ok(true);
    };
    let stays = decided
        .get(&what)
        .is_some_and(|decided| decided.resolution == Resolution::UseTarget);
    if stays {
        gone::leave(case, note, "deleted at the source; edited on the target").await?;
        case.edits.settled.insert(what);
    } else {
        case.edits.found.push(edit);
    }
    Ok(false)
}

/// What of an issue somebody edited, for a person.
pub(crate) fn tell(case: &Case<'_>) {
    let lost = case.edits.merge.as_ref().map(|merge| &merge.lost);
    for field in lost.into_iter().flatten() {
        case.notice(Notice::EditLost {
            what: field.to_string(),
        });
    }
    for conflict in [false, true] {
        let edits = case.edits.found.iter();
        let names: BTreeSet<String> = edits
            .filter(|edit| edit.conflict == conflict)
            .map(|edit| match edit.what {
                What::Field(field) => field.to_string(),
                What::Comment(_) => "a comment".to_owned(),
            })
            .collect();
        if !names.is_empty() {
            let what = names.into_iter().collect::<Vec<_>>().join(", ");
            case.notice(Notice::EditKept { what, conflict });
        }
    }
}

/// Records what is about to be sent, since nobody may learn whether it arrived. Otherwise our own
/// write would be taken for somebody's edit.
pub(crate) async fn about_to_send(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    mapping: &mut IssueMapping,
    (before, asked): (&Observed, &Observed),
) -> Result<(), SyncError> {
    if link.settings.ways().overwrites_all() || mapping.target.is_none() {
        return Ok(());
    }
    let Some(base) = &mut mapping.base else {
        return Ok(());
    };
    if base.about_to_send(before, asked) && !cx.plans_only() {
        cx.store.record_issue(&lease.fence, mapping).await?;
    }
    Ok(())
}

/// What a create asks for, to be written down with it: what is found later is ours if it shows this.
/// That it was never changed since cannot be told where its time of creation is set.
pub(crate) fn to_be_created(link: &Link, new: &NewIssue) -> Option<Box<Base>> {
    let merges = !link.settings.ways().overwrites_all();
    merges.then(|| Box::new(Base::to_be_created(&expected(new))))
}

/// How an issue would look had the target taken all of a change, but for labels.
pub(crate) fn asked(before: &Observed, change: &IssueChange) -> Observed {
    let mut asked = before.clone();
    if let Some(title) = &change.title {
        asked.title.clone_from(title);
    }
    if let Some(description) = &change.description {
        asked.description.clone_from(description);
    }
    match change.state_event {
        Some(StateEvent::Close) => asked.state = State::Closed,
        Some(StateEvent::Reopen) => asked.state = State::Opened,
        None => {}
    }
    if let Some(kind) = &change.issue_type {
        asked.issue_type = kind.clone();
    }
    asked.due_date = change.due_date.unwrap_or(asked.due_date);
    asked.weight = change.weight.unwrap_or(asked.weight);
    asked.locked = change.locked.unwrap_or(asked.locked);
    asked.confidential = change.confidential.unwrap_or(asked.confidential);
    if let Some(stay) = &change.assignees {
        asked.assignees.retain(|user, _| stay.contains(user));
    }
    asked
}

/// Everything is sent: what both sides are from now on.
pub(crate) async fn settle(case: &mut Case<'_>, desired: &Desired) -> Result<(), SyncError> {
    for kept in std::mem::take(&mut case.edits.kept) {
        apply::record_note(case, kept).await?;
    }
    let compared = case.edits.compared && !case.disturbed;
    let Some(observed) = case.observed.as_ref().filter(|_| compared) else {
        return Ok(());
    };
    let mut base = case.mapping.base.take().unwrap_or_default();
    base.settle(case.edits.merge.as_ref(), desired, observed);
    case.mapping.base = Some(base);
    Ok(())
}

/// Records all that is known of the issue, with what somebody edited.
pub(crate) async fn record(case: &Case<'_>) -> Result<(), SyncError> {
    let edits = &case.edits;
    let found: BTreeSet<What> = edits.kept().collect();
    let of_the_issue = |what: &&What| matches!(what, What::Field(_)) && edits.compared;
    let over: Vec<What> = edits
        .known
        .iter()
        .filter(|what| !found.contains(what))
        .filter(|what| of_the_issue(what) || edits.settled.contains(what))
        .copied()
        .collect();
    if found.is_empty() && over.is_empty() {
        return case.record_mapping().await;
    }
    let (store, fence) = (&case.cx.store, &case.lease.fence);
    Ok(store
        .record_merged(fence, &case.mapping, &edits.found, &over)
        .await?)
}
