//! One issue under way: what is read of it, what is known of it, and how it is recorded.

use super::{
    back::Back,
    edits::{self, Edits},
    people,
    preserve::NUMBER,
    references,
    target_walk::stamp,
};
use crate::{
    Context, SyncError,
    events::{Event, Notice},
    facts::{self, Fresh, LIFE},
    lease::Lease,
    link::Link,
};
use mirror_core::{
    desired::Observed,
    ids::{Iid, NoteId},
    issue::{Discussion, Issue},
    mapping::{Intended, Intent, IssueMapping, MappingStatus, NoteMapping, SourceRead},
    outcome::{Outcome, SkipReason},
    plan::{Known, SEVERAL_ASSIGNEES},
    preserve::{Kept, Preserve},
    provenance::Hop,
    render::{self, Frame},
};
use mirror_store::{TargetFact, TargetFacts};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// One issue under way.
pub(crate) struct Case<'a> {
    pub(crate) cx: &'a Context,
    pub(crate) lease: &'a Lease,
    pub(crate) link: &'a Link,
    /// The source, at most a minute old.
    pub(crate) source: Issue,
    /// When it was read, by the source's own clock.
    pub(crate) read: SourceRead,
    /// When that was, by the clock that never jumps.
    taken: Duration,
    pub(crate) mapping: IssueMapping,
    /// Its mirror has never been in line, so that others may wait for it.
    is_new: bool,
    pub(crate) notes: BTreeMap<NoteId, NoteMapping>,
    /// How the target's threads were left, by the source's: resolved or not.
    pub(crate) threads: BTreeMap<String, bool>,
    /// Comments on the target as read in this job, by id.
    pub(crate) bodies: BTreeMap<NoteId, String>,
    /// The same in their threads, where they were read.
    pub(crate) there: Option<Vec<Discussion>>,
    /// A create that was sent, is not to be found and can land no more: it is sent again under
    /// this intent.
    pub(crate) open: Option<Intent>,
    /// An intent opened ahead, in the transaction that recorded the comment before.
    pub(crate) prepared: Option<Intent>,
    pub(crate) target: TargetFacts,
    /// What the target is asked to keep of number and times.
    pub(crate) kept: Kept,
    /// What the target shows, kept up to date with every answer.
    pub(crate) observed: Option<Observed>,
    /// When that was, by the clock that never jumps.
    pub(crate) observed_at: Duration,
    /// What is known of the people concerned.
    pub(crate) people: people::Known,
    /// The target takes no more comments on this issue.
    pub(crate) full: bool,
    /// What flowed back from the target.
    pub(crate) back: Back,
    /// What the target's people edited.
    pub(crate) edits: Edits,
    /// An answer showed that somebody else edited the target meanwhile.
    pub(crate) disturbed: bool,
    /// Written so far.
    pub(crate) done: Done,
}

/// What a job has done so far.
#[derive(Default)]
pub(crate) struct Done {
    pub(crate) created: bool,
    pub(crate) changed: bool,
    pub(crate) comments: u64,
    pub(crate) attachments: u64,
}

/// A title that anybody may read who may look at the record.
fn open_title(issue: &Issue) -> Option<String> {
    (!issue.confidential).then(|| issue.title.clone())
}

impl<'a> Case<'a> {
    pub(crate) async fn open(
        cx: &'a Context,
        lease: &'a Lease,
        link: &'a Link,
        fresh: Fresh,
    ) -> Result<Self, SyncError> {
        let read = fresh.read();
        let source = fresh.issue;
        let iid = source.iid;
        lease.intended().about(link.mirror, iid);
        let recorded = cx.store.issue_mapping(link.mirror, iid).await?;
        let (notes, threads) = match &recorded {
            Some(_) => (
                cx.store.note_mappings(link.mirror, iid).await?,
                cx.store.threads(link.mirror, iid).await?,
            ),
            None => (Vec::new(), BTreeMap::new()),
        };
        let target = cx
            .store
            .target_facts(link.target.instance, link.target.project.id)
            .await?;
        let mut mapping = recorded.unwrap_or_else(|| IssueMapping {
            mirror: link.mirror,
            source_iid: iid,
            source_id: source.id,
            title: None,
            target: None,
            read: None,
            fingerprint: None,
            owned_labels: BTreeSet::new(),
            owned_assignees: BTreeSet::new(),
            carried_spent: Some(0),
            base: None,
            is_reverse: false,
            status: MappingStatus::Pending,
        });
        mapping.title = open_title(&source);
        let edits = Edits::on_record(cx, link, &mapping).await?;
        Ok(Self {
            cx,
            lease,
            link,
            source,
            read,
            taken: fresh.taken,
            is_new: mapping.fingerprint.is_none(),
            mapping,
            notes: notes
                .into_iter()
                .map(|note| (note.source_note, note))
                .collect(),
            threads,
            bodies: BTreeMap::new(),
            there: None,
            open: None,
            prepared: None,
            target,
            kept: Kept::default(),
            observed: None,
            observed_at: Duration::ZERO,
            people: people::Known::default(),
            full: false,
            back: Back::default(),
            edits,
            disturbed: false,
            done: Done::default(),
        })
    }

    pub(crate) fn iid(&self) -> Iid {
        self.source.iid
    }

    pub(crate) fn frame(&self) -> Frame<'a> {
        let mut frame = self.link.frame(&self.cx.key);
        frame.weightless |= self.ever_dropped("weight");
        frame
    }

    /// Whether the target, as it is now, was seen to drop a field, and not seen to take it since.
    pub(crate) fn ever_dropped(&self, field: &str) -> bool {
        let dropped = self.target.dropped.get(field);
        dropped.is_some_and(|dropped| dropped.stamp == self.link.target.capabilities())
    }

    /// Who the source issue is.
    pub(crate) fn hop(&self) -> Hop {
        self.frame().hop(&self.source, None)
    }

    pub(crate) fn notice(&self, notice: Notice) {
        self.cx
            .events
            .emit(Event::Notice(self.link.mirror, self.iid(), notice));
    }

    /// Takes in an answer that showed the whole target issue.
    pub(crate) fn observe(&mut self, issue: &Issue) {
        self.mapping.target = Some(stamp(issue));
        self.observed = Some(Observed::from(issue));
        self.observed_at = self.cx.clock.monotonic();
        self.cx.facts.echoed(self.link.mirror, issue.updated_at);
    }

    /// What the difference needs to know besides what the issue shows.
    pub(crate) fn known(&self, target_labels: Option<BTreeSet<String>>) -> Known {
        let mut dropped = self.dropped_fields();
        if !self.link.target.metadata.enterprise {
            // CE has no such column, and refuses a change of nothing else.
            dropped.insert("weight".to_owned());
            // Nor does it keep more than one.
            dropped.insert(SEVERAL_ASSIGNEES.to_owned());
        }
        if self.ever_dropped(NUMBER) {
            dropped.insert(NUMBER.to_owned());
        }
        if self.link.settings.preserve == Preserve::Require {
            dropped.remove(NUMBER);
        }
        Known {
            owned_labels: self.mapping.owned_labels.clone(),
            owned_assignees: self.mapping.owned_assignees.clone(),
            not_assignable: self.people.not_assignable.clone(),
            target_labels,
            only_existing_labels: !self.link.settings.rules.labels.creates(),
            scoped_exclusive: self.target.scoped_exclusive.unwrap_or(false),
            dropped,
            carried_spent: self
                .mapping
                .carried_spent
                .filter(|_| !self.back.is_time_open),
            confidential_proven: self.target.confidential_proven,
            neutral_description: render::neutral_description(&self.frame(), &self.source),
            kept: self.kept,
        }
    }

    /// Fields that the target, as it is now, was lately seen to drop.
    pub(crate) fn dropped_fields(&self) -> BTreeSet<String> {
        let stamp = self.link.target.capabilities();
        let dropped = self.target.dropped.iter();
        dropped
            .filter(|(_, dropped)| dropped.lately && dropped.stamp == stamp)
            .map(|(field, _)| field.clone())
            .collect()
    }

    /// Facts and the plan made of them live a minute. Older ones are read again before more is
    /// sent: if the source is another by now (confidential, say), the job begins anew.
    pub(crate) async fn still_fresh(&mut self) -> Result<(), SyncError> {
        if self.cx.clock.monotonic().saturating_sub(self.taken) < LIFE {
            return Ok(());
        }
        match facts::again(self.cx, self.link, self.iid()).await? {
            Some(fresh)
                if fresh.issue.updated_at == self.source.updated_at
                    && fresh.issue.confidential == self.source.confidential
                    && fresh.issue.user_notes_count == self.source.user_notes_count =>
            {
                self.taken = fresh.taken;
                Ok(())
            }
            Some(_) | None => Err(SyncError::Stale),
        }
    }

    /// Learns something of the target project, and keeps it.
    pub(crate) async fn learn(&mut self, fact: TargetFact) -> Result<(), SyncError> {
        let target = &self.link.target;
        self.cx
            .store
            .record_target_fact(target.instance, target.project.id, &fact)
            .await?;
        self.target = self
            .cx
            .store
            .target_facts(target.instance, target.project.id)
            .await?;
        Ok(())
    }

    /// The target takes a field that it once dropped: it was licensed since.
    pub(crate) async fn taken(&mut self, field: &str) -> Result<(), SyncError> {
        if !self.ever_dropped(field) {
            return Ok(());
        }
        let field = field.to_owned();
        self.learn(TargetFact::Taken { field }).await
    }

    /// The target does not take a field: said once, and not fought again while token, role and
    /// edition stay, but for one try a day.
    pub(crate) async fn dropped(&mut self, field: &str) -> Result<(), SyncError> {
        self.notice(Notice::FieldDropped {
            field: field.to_owned(),
        });
        let stamp = self.link.target.capabilities();
        self.learn(TargetFact::Dropped {
            field: field.to_owned(),
            stamp,
        })
        .await
    }

    /// The intent under which to create: the one left open, or a new one; written down either way.
    pub(crate) async fn intent(&mut self, what: Intended) -> Result<Intent, SyncError> {
        let intent = self.written_down(what).await?;
        self.lease.intended().set(Some(self.cx.clock.monotonic()));
        Ok(intent)
    }

    /// An intent as the record holds it by now: its request may have left later than it was told.
    pub(crate) async fn as_recorded(&self, intent: Intent) -> Result<Intent, SyncError> {
        let open = self.cx.store.intents(self.link.mirror, self.iid()).await?;
        let same = open.into_iter().find(|open| open.id == intent.id);
        Ok(same.unwrap_or(intent))
    }

    async fn written_down(&mut self, what: Intended) -> Result<Intent, SyncError> {
        let (store, fence) = (&self.cx.store, &self.lease.fence);
        if let Some(open) = self.open.take() {
            if open.what.is_of_the_same(&what) {
                let what = open.what.again(what);
                store.intent_resent(fence, open.id, &what).await?;
                return Ok(Intent {
                    what,
                    resent: true,
                    sent_at: store.now(),
                    ..open
                });
            }
            // Another step comes first; what it was for is sent again under an intent of its own.
            store.intent_replaced(fence, open.id).await?;
        }
        let begun = store.begin_intent(fence, self.link.mirror, self.iid(), what);
        Ok(begun.await?)
    }

    /// Leaves the issue out; settled until it changes.
    pub(crate) async fn skip(mut self, reason: SkipReason) -> Result<Outcome, SyncError> {
        self.mapping.read = Some(self.read.clone());
        self.mapping.status = MappingStatus::Skipped(reason.to_string());
        self.record_mapping().await?;
        Ok(self.report(Outcome::Skipped(reason)))
    }

    /// The source, read anew after it was changed.
    pub(crate) fn renew(&mut self, fresh: Fresh) {
        self.read = fresh.read();
        self.taken = fresh.taken;
        self.take(fresh.issue);
    }

    /// The source as it is now. It may have become confidential.
    pub(crate) fn take(&mut self, issue: Issue) {
        self.mapping.title = open_title(&issue);
        self.source = issue;
    }

    /// Everything is in line.
    pub(crate) async fn finish(&mut self, fingerprint: String) -> Result<Outcome, SyncError> {
        if self.is_new {
            references::appeared(self).await?;
        }
        let outcome = match (self.done.created, self.done.changed) {
            (true, _) => Outcome::Created,
            (false, true) => Outcome::Updated,
            (false, false) => Outcome::Unchanged,
        };
        self.mapping.read = Some(self.read.clone());
        self.mapping.fingerprint = Some(fingerprint);
        self.mapping.status = MappingStatus::Synced;
        if let (Some(target), Some(observed)) = (&mut self.mapping.target, &self.observed) {
            // Without one the next scan takes it for edited, and it is compared anew.
            target.digest = (!self.disturbed).then(|| observed.digest());
        }
        edits::record(self).await?;
        Ok(self.report(outcome))
    }

    /// Records what is known so far.
    pub(crate) async fn record_mapping(&self) -> Result<(), SyncError> {
        if self.cx.plans_only() {
            return Ok(());
        }
        Ok(self
            .cx
            .store
            .record_issue(&self.lease.fence, &self.mapping)
            .await?)
    }

    fn report(&self, outcome: Outcome) -> Outcome {
        self.cx.events.emit(Event::Issue {
            mirror: self.link.mirror,
            iid: self.iid(),
            outcome: outcome.clone(),
            comments: self.done.comments,
            attachments: self.done.attachments,
        });
        outcome
    }
}
