//! A source issue that the token does not see: it was deleted, or it is hidden. Its copy is hidden at
//! once, and follows only what was missed twice by somebody who would see it.

use super::{adopt, edits, lookup, settle, target_walk::stamp};
use crate::{
    Context, SyncError,
    error::{On, Side},
    events::{Event, Notice},
    facts::LIFE,
    jobs::check_instance,
    lease::Lease,
    link::Link,
};
use chrono::TimeDelta;
use mirror_core::{
    desired::Observed,
    gone::{Absence, Farewell, OnDelete, Sight, farewell},
    ids::Iid,
    issue::Issue,
    mapping::{IssueMapping, MappingStatus},
    outcome::{Outcome, SkipReason},
    plan::{Plan, Step},
    project::Project,
};
use mirror_gitlab::{ErrorKind, IssueChange, StateEvent};
use mirror_store::{Missed, Removals, TargetFact};
use std::time::Duration;

/// So long after it was first missed an issue is asked for once more. What is out of sight for a
/// moment, because a right or a switch was changed and changed back, is there again by then.
pub(crate) const SECOND_LOOK: TimeDelta = TimeDelta::minutes(10);

/// The source answers 404 for this issue.
pub(crate) async fn follow(
    cx: &Context,
    lease: &Lease,
    link: &Link,
    iid: Iid,
) -> Result<Outcome, SyncError> {
    // So it does for all of them where the whole project became unreadable.
    let project = check_instance::readable(cx, link, Side::Source).await?;
    adopt::without_source(cx, link, iid).await?;
    let Some(mapping) = cx.store.issue_mapping(link.mirror, iid).await? else {
        return Ok(told(
            cx,
            link,
            iid,
            Outcome::Skipped(SkipReason::Unreadable),
        ));
    };
    if mapping.is_unlinked() {
        return Ok(told(cx, link, iid, Outcome::Skipped(SkipReason::Unlinked)));
    }
    if mapping.target.is_some() && !cx.plans_only() {
        settle::found_by_a_walk(cx, lease, &mapping).await?;
    }
    let mut absent = Absent {
        cx,
        lease,
        link,
        taken: cx.clock.monotonic(),
        // It may be hidden by now.
        mapping: IssueMapping {
            title: None,
            ..mapping
        },
        changed: false,
    };
    let outcome = match absent.mapping.target.as_ref().map(|target| target.iid) {
        Some(copy) => absent.copy_follows(&project, copy).await?,
        None => absent.leave(SkipReason::Unreadable).await?,
    };
    Ok(told(cx, link, iid, outcome))
}

/// What the source's token is known to be entitled to without asking.
pub(crate) fn sight(link: &Link) -> Sight {
    Sight::of(link.source.project.role, link.source.user.admin)
}

/// Tells how an issue's job ended that recorded nothing.
pub(crate) fn told(cx: &Context, link: &Link, iid: Iid, outcome: Outcome) -> Outcome {
    // In a plan, what there is to be sent is all that is told.
    if !cx.plans_only() || matches!(outcome, Outcome::Skipped(_)) {
        cx.events.emit(Event::Issue {
            mirror: link.mirror,
            iid,
            outcome: outcome.clone(),
            comments: 0,
            attachments: 0,
        });
    }
    outcome
}

struct Absent<'a> {
    cx: &'a Context,
    lease: &'a Lease,
    link: &'a Link,
    /// When the source did not show it, by the clock that never jumps.
    taken: Duration,
    mapping: IssueMapping,
    /// Something was sent.
    changed: bool,
}

/// What is to be believed of an absence, and how to put it.
struct Judged {
    absence: Absence,
    reason: SkipReason,
}

impl Absent<'_> {
    async fn copy_follows(&mut self, project: &Project, copy: Iid) -> Result<Outcome, SyncError> {
        let judged = self.judge(project).await?;
        let Some(judged) = judged else {
            return self.leave(SkipReason::Deleted).await;
        };
        let Some(there) = lookup::on_target(self.cx, self.link, copy).await? else {
            // The target's people deleted the copy, or we did and did not hear of it.
            return self.forget().await;
        };
        if there.moved_to_id.is_some() {
            // It is theirs now.
            return self.leave(judged.reason).await;
        }
        let policy = self.link.settings.on_delete;
        let deleting = policy == OnDelete::Delete && judged.absence == Absence::Gone;
        let may_delete = deleting && self.may_delete(copy).await?;
        let shown = Observed::from(&there);
        let Farewell { plan, copy: fate } = farewell(judged.absence, policy, may_delete, &shown);
        if self.cx.plans_only() {
            return Ok(self.planned(plan, judged.reason));
        }
        let mut hidden = plan.steps.contains(&Step::Restrict);
        for step in plan.steps {
            match self.send(copy, &shown, step).await? {
                Sent::Echo => {}
                // What is gone hides nothing any more: it is closed all the same.
                Sent::LeftPublic(_) if judged.absence == Absence::Gone => hidden = false,
                Sent::Deleted => {
                    self.tell(hidden, fate);
                    return self.forget().await;
                }
                Sent::LeftPublic(reason) => return self.leave(reason).await,
            }
        }
        self.tell(hidden, fate);
        self.leave(judged.reason).await
    }

    /// `None`: its copy has followed before, and is left alone.
    async fn judge(&self, project: &Project) -> Result<Option<Judged>, SyncError> {
        let (store, mirror) = (&self.cx.store, self.link.mirror);
        let removals = store.removals(mirror).await?;
        let sight = self.sight(project).await?;
        // Who may not see what is hidden cannot tell it from what is gone; nor can who may see less
        // than once.
        let (fence, iid) = (&self.lease.fence, self.mapping.source_iid);
        if !sight.sees_hidden() || removals.sight > Some(sight) {
            store.forget_missed(fence, mirror, iid).await?;
            return Ok(Some(Judged {
                absence: Absence::MayBeHidden,
                reason: SkipReason::Unreadable,
            }));
        }
        let missed = store.miss_issue(fence, mirror, iid).await?;
        if missed.settled {
            return Ok(None);
        }
        if store.now() < missed.since + SECOND_LOOK {
            return Ok(Some(Judged {
                absence: Absence::Missed,
                reason: SkipReason::Unreadable,
            }));
        }
        if let Some(count) = self.held(&missed, &removals).await? {
            return Ok(Some(Judged {
                absence: Absence::Missed,
                reason: SkipReason::Held { count },
            }));
        }
        Ok(Some(Judged {
            absence: Absence::Gone,
            reason: SkipReason::Deleted,
        }))
    }

    /// How many copies wait for a person, this one among them.
    async fn held(&self, missed: &Missed, removals: &Removals) -> Result<Option<u64>, SyncError> {
        let settings = &self.link.settings;
        let confirmed = missed.released || settings.only == Some(self.mapping.source_iid);
        if confirmed || settings.on_delete == OnDelete::Keep {
            return Ok(None);
        }
        let waiting = removals.waiting;
        let held = settings
            .breaker
            .holds(waiting, removals.copies)
            .then_some(waiting);
        if held != removals.held {
            let (store, fence) = (&self.cx.store, &self.lease.fence);
            store.hold_removals(fence, self.link.mirror, held).await?;
        }
        Ok(held)
    }

    async fn sight(&self, project: &Project) -> Result<Sight, SyncError> {
        let source = &self.link.source;
        // Who was an administrator may be none by now.
        let admin = source.user.admin && source.client.token_user().await.on(Side::Source)?.admin;
        Ok(Sight::of(project.role, admin))
    }

    /// Whether the token may, and takes nothing away that others wrote.
    async fn may_delete(&self, copy: Iid) -> Result<bool, SyncError> {
        let target = &self.link.target;
        if !target.is_owners() {
            return Ok(false);
        }
        let ours = self.cx.store.our_users(target.instance).await?;
        let threads = lookup::threads(self.link, copy).await?;
        let mut notes = threads.iter().flat_map(|thread| &thread.notes);
        Ok(notes.all(|note| note.system || ours.contains(&note.author.id)))
    }

    async fn send(&mut self, copy: Iid, shown: &Observed, step: Step) -> Result<Sent, SyncError> {
        // What is decided on facts that are older may be wrong by now.
        if self.cx.clock.monotonic().saturating_sub(self.taken) >= LIFE {
            return Err(SyncError::Stale);
        }
        self.cx.may_write(self.lease)?;
        self.changed = true;
        let change = match step {
            Step::Restrict => IssueChange {
                confidential: Some(true),
                ..IssueChange::default()
            },
            Step::UpdateIssue(edit) => IssueChange {
                description: edit.description,
                ..IssueChange::default()
            },
            Step::SetState(state) => IssueChange {
                state_event: Some(StateEvent::from(state)),
                ..IssueChange::default()
            },
            Step::DeleteIssue => return self.delete(copy).await,
            // No farewell has them.
            Step::TransferUpload { .. }
            | Step::CreateLabel(_)
            | Step::CreateIssue(_)
            | Step::CloseAsOf(_)
            | Step::SetTimeEstimate(_)
            | Step::AddSpentTime(_)
            | Step::CreateNote(_)
            | Step::UpdateNote { .. }
            | Step::DeleteNote { .. }
            | Step::WithdrawNote { .. }
            | Step::SetResolved { .. }
            | Step::CreateLink { .. }
            | Step::RemoveLink { .. }
            | Step::Open => return Ok(Sent::Echo),
        };
        let asked = edits::asked(shown, &change);
        let (cx, mapping) = (self.cx, &mut self.mapping);
        edits::about_to_send(cx, self.lease, self.link, mapping, (shown, &asked)).await?;
        let echo = self.change(copy, &change).await?;
        if change.confidential != Some(true) {
            return Ok(Sent::Echo);
        }
        let target = &self.link.target;
        let proven = TargetFact::ConfidentialProven(echo.confidential);
        self.cx
            .store
            .record_target_fact(target.instance, target.project.id, &proven)
            .await?;
        if echo.confidential {
            return Ok(Sent::Echo);
        }
        Ok(Sent::LeftPublic(SkipReason::ConfidentialNotProven {
            why:
                "it is out of the source token's sight, and the target left its copy public; give \
                  the target token's user the Planner (or Reporter) role"
                    .to_owned(),
        }))
    }

    async fn change(&mut self, copy: Iid, change: &IssueChange) -> Result<Issue, SyncError> {
        let target = &self.link.target;
        let echo = target
            .client
            .update_issue(target.project.id, copy, change)
            .await
            .on(Side::Target)?;
        self.mapping.target = Some(stamp(&echo));
        let facts = &self.cx.facts;
        facts.echoed(self.link.mirror, echo.updated_at);
        Ok(echo)
    }

    async fn delete(&self, copy: Iid) -> Result<Sent, SyncError> {
        let target = &self.link.target;
        match target.client.delete_issue(target.project.id, copy).await {
            Err(error) if *error.kind() == ErrorKind::NotFound => {}
            done => done.on(Side::Target)?,
        }
        Ok(Sent::Deleted)
    }

    fn planned(&self, plan: Plan, reason: SkipReason) -> Outcome {
        if plan.is_empty() {
            return Outcome::Skipped(reason);
        }
        self.cx.events.emit(Event::Planned {
            mirror: self.link.mirror,
            iid: self.mapping.source_iid,
            plan,
            // Perhaps it is, by now.
            confidential: true,
        });
        Outcome::Updated
    }

    fn tell(&self, hidden: bool, fate: Option<&'static str>) {
        let (mirror, iid) = (self.link.mirror, self.mapping.source_iid);
        let hidden = hidden.then_some(Notice::CopyHidden);
        let gone = fate.map(|copy| Notice::OriginalGone { copy });
        for notice in hidden.into_iter().chain(gone) {
            self.cx.events.emit(Event::Notice(mirror, iid, notice));
        }
    }

    /// Neither is there any more. Should the original be seen again, it is mirrored anew.
    async fn forget(&self) -> Result<Outcome, SyncError> {
        if !self.cx.plans_only() {
            let (fence, iid) = (&self.lease.fence, self.mapping.source_iid);
            let store = &self.cx.store;
            store.forget_issue(fence, self.link.mirror, iid).await?;
        }
        Ok(self.ended(SkipReason::Deleted))
    }

    /// Records how it stands. Whatever was read is void: once the issue is seen again it is due, is
    /// compared field by field, and until then it is not asked for with others.
    async fn leave(&mut self, reason: SkipReason) -> Result<Outcome, SyncError> {
        if self.cx.plans_only() {
            return Ok(Outcome::Skipped(reason));
        }
        let settled = reason == SkipReason::Deleted;
        let status = if settled {
            SkipReason::Deleted
        } else {
            SkipReason::Unreadable
        };
        self.mapping.status = MappingStatus::Skipped(status.to_string());
        self.mapping.read = None;
        if self.changed {
            self.mapping.fingerprint = None;
        }
        let (store, fence) = (&self.cx.store, &self.lease.fence);
        if settled {
            store.record_gone(fence, &self.mapping).await?;
        } else {
            store.record_issue(fence, &self.mapping).await?;
        }
        Ok(self.ended(reason))
    }

    fn ended(&self, reason: SkipReason) -> Outcome {
        let left_public = matches!(reason, SkipReason::ConfidentialNotProven { .. });
        if self.changed && !left_public {
            Outcome::Updated
        } else {
            Outcome::Skipped(reason)
        }
    }
}

/// What became of a step.
enum Sent {
    Echo,
    Deleted,
    /// It could not be hidden, and nothing more is written on it.
    LeftPublic(SkipReason),
}

/// Whether a mapping says that its issue was missed.
pub(crate) fn was_missed(mapping: &IssueMapping) -> bool {
    match &mapping.status {
        MappingStatus::Skipped(reason) => [SkipReason::Unreadable, SkipReason::Deleted]
            .map(|missed| missed.to_string())
            .contains(reason),
        MappingStatus::Pending
        | MappingStatus::Synced
        | MappingStatus::Blocked(_)
        | MappingStatus::Failed(_) => false,
    }
}
