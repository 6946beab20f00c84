//! Counts what jobs report.

use chrono::{DateTime, Utc};
use mirror_core::{drawing::Drawing, ids::Iid, outcome::Outcome};
use mirror_worker::{Event, Notice};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Counts what jobs report, from any of them at any time.
#[derive(Default)]
pub(crate) struct Tally(Mutex<Counted>);

/// What has been reported so far.
#[derive(Default)]
pub(crate) struct Counted {
    /// How each issue ended, last.
    pub(crate) issues: BTreeMap<Iid, Outcome>,
    /// Issues created or changed at any time of the run.
    pub(crate) created: BTreeSet<Iid>,
    /// As `created`.
    pub(crate) updated: BTreeSet<Iid>,
    /// Comments written.
    pub(crate) comments: u64,
    /// Files carried over.
    pub(crate) attachments: u64,
    /// What a person should know, with the issues concerned.
    pub(crate) notices: BTreeMap<Notice, BTreeSet<Iid>>,
    /// Issues that failed last.
    pub(crate) failures: BTreeMap<Option<Iid>, String>,
    /// Why the mirror rests.
    pub(crate) paused: Option<String>,
    /// The scan is through.
    pub(crate) scanned: bool,
    /// What is waited for, and until when.
    pub(crate) waiting: Option<(DateTime<Utc>, String)>,
    /// What would be sent, in plan mode.
    pub(crate) drawing: Drawing,
}

/// The numbers of a run.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize)]
pub(crate) struct Numbers {
    /// Issues looked at.
    pub(crate) processed: u64,
    /// Created on the target.
    pub(crate) created: u64,
    /// Changed on the target.
    pub(crate) updated: u64,
    /// In line already.
    pub(crate) unchanged: u64,
    /// Left out on purpose.
    pub(crate) skipped: u64,
    /// Comments written.
    pub(crate) comments: u64,
    /// Files carried over.
    pub(crate) attachments: u64,
}

impl Tally {
    /// What has been reported so far.
    pub(crate) fn read(&self) -> MutexGuard<'_, Counted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an event in.
    pub(crate) fn take(&self, event: Event) {
        let mut counted = self.read();
        match event {
            Event::Found { .. } => {}
            Event::Carried { .. } => counted.attachments += 1,
            Event::Scanned { .. } => {
                counted.scanned = true;
                counted.failures.remove(&None);
            }
            Event::Issue {
                iid,
                outcome,
                comments,
                attachments,
                ..
            } => {
                counted.issue(iid, outcome, comments, attachments);
            }
            Event::Waiting { until, why, .. } => counted.waiting = Some((until, why)),
            Event::Failed { iid, error, .. } => {
                counted.failures.insert(iid, error);
            }
            Event::Paused { reason, .. } => counted.paused = Some(reason),
            Event::Notice(_, iid, notice) => {
                counted.notices.entry(notice).or_default().insert(iid);
            }
            Event::Planned {
                iid,
                plan,
                confidential,
                ..
            } => {
                counted.issues.insert(iid, Outcome::Unchanged);
                counted.drawing.take(iid, &plan, confidential);
            }
        }
    }
}

impl Counted {
    fn issue(&mut self, iid: Iid, outcome: Outcome, comments: u64, attachments: u64) {
        self.comments += comments;
        self.attachments += attachments;
        self.failures.remove(&Some(iid));
        match &outcome {
            Outcome::Created => {
                self.created.insert(iid);
            }
            Outcome::Updated => {
                self.updated.insert(iid);
            }
            Outcome::Unchanged
            | Outcome::Skipped(_)
            | Outcome::Scanned { .. }
            | Outcome::Carried
            | Outcome::Checked { .. }
            | Outcome::Errand => {}
        }
        self.issues.insert(iid, outcome);
    }

    /// In numbers: an issue counts once, for the most that happened to it.
    pub(crate) fn numbers(&self) -> Numbers {
        let mut numbers = Numbers {
            processed: count(self.issues.len()),
            created: count(self.created.len()),
            updated: count(self.updated.difference(&self.created).count()),
            comments: self.comments,
            attachments: self.attachments,
            ..Numbers::default()
        };
        for (iid, outcome) in &self.issues {
            let written = self.created.contains(iid) || self.updated.contains(iid);
            match outcome {
                Outcome::Unchanged if !written => numbers.unchanged += 1,
                Outcome::Skipped(_) if !written => numbers.skipped += 1,
                Outcome::Unchanged
                | Outcome::Skipped(_)
                | Outcome::Created
                | Outcome::Updated
                | Outcome::Scanned { .. }
                | Outcome::Carried
                | Outcome::Checked { .. }
                | Outcome::Errand => {}
            }
        }
        numbers
    }

    /// Why issues were left out, with how many.
    pub(crate) fn skipped(&self) -> BTreeMap<String, Vec<Iid>> {
        let mut reasons: BTreeMap<String, Vec<Iid>> = BTreeMap::new();
        for (iid, outcome) in &self.issues {
            if let Outcome::Skipped(reason) = outcome {
                reasons.entry(reason.to_string()).or_default().push(*iid);
            }
        }
        reasons
    }
}

/// A length as it is reported.
pub(crate) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
