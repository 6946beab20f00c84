//! What the jobs of a plan told, and what is shown of it.

use crate::events::{Event, Events};
use mirror_core::{
    drawing::{Drawing, Shown},
    errand::{DrawnIssue, DrawnPlan},
    ids::Iid,
    ports::Class,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Issues that are shown.
const ISSUES_SHOWN: usize = 200;
/// Steps of an issue that are shown.
const STEPS_SHOWN: usize = 50;
/// Characters of a step that are shown: titles are short, lists of labels need not be.
const STEP_SHOWN: usize = 500;
/// Troubles that are told one by one.
const TROUBLES_SHOWN: usize = 50;

/// Listens to the jobs of a plan.
pub(super) struct Heard(Mutex<State>);

struct State {
    drawing: Drawing,
    looked_at: BTreeSet<Iid>,
    /// Those whose job ended well.
    ended: BTreeSet<Iid>,
    scanned: bool,
    /// What last went wrong with an issue, or with the scan.
    troubles: BTreeMap<Option<Iid>, Trouble>,
    paused: Option<String>,
}

struct Trouble {
    what: String,
    /// It is owed no more.
    gave_up: bool,
    /// Nothing went wrong: it waits.
    waits: bool,
}

impl Default for Heard {
    fn default() -> Self {
        Self(Mutex::new(State {
            drawing: Drawing::at_most(STEPS_SHOWN),
            looked_at: BTreeSet::new(),
            ended: BTreeSet::new(),
            scanned: false,
            troubles: BTreeMap::new(),
            paused: None,
        }))
    }
}

impl Heard {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn listener(self: &Arc<Self>) -> Events {
        let heard = self.clone();
        Events::new(move |event| heard.state().take(event))
    }

    /// A job for this issue begins.
    pub(super) fn looks_at(&self, iid: Iid) {
        self.state().looked_at.insert(iid);
    }

    /// How many issues a job began for.
    pub(super) fn looked_at(&self) -> usize {
        self.state().looked_at.len()
    }

    /// What is waited for, if nothing has come of the plan but waits.
    pub(super) fn only_waits(&self) -> Option<String> {
        let state = self.state();
        if state.scanned || !state.ended.is_empty() {
            return None;
        }
        let mut troubles = state.troubles.values();
        let first = troubles.next()?;
        let all_wait = first.waits && troubles.all(|trouble| trouble.waits);
        all_wait.then(|| first.what.clone())
    }

    /// Why the mirror would rest.
    pub(super) fn paused(&self) -> Option<String> {
        self.state().paused.clone()
    }

    /// The plan. `owed` is what is not done, of issues that were asked for how many they are;
    /// `scans`: a scan had to find them.
    pub(super) fn report(&self, owed: u64, scans: bool, in_time: bool) -> DrawnPlan {
        let state = self.state();
        let Shown {
            mut issues,
            charged,
            mut steps_cut,
        } = state.drawing.shown();
        let others = count(state.ended.len()).saturating_sub(count(issues.len()));
        let hidden = issues.split_off(issues.len().min(ISSUES_SHOWN));
        steps_cut += hidden
            .iter()
            .map(|issue| count(issue.steps.len()))
            .sum::<u64>();
        issues.iter_mut().for_each(cut);
        let looked_at = if scans {
            state.still_owed() + u64::from(!state.scanned)
        } else {
            count(state.looked_at.len())
        };
        DrawnPlan {
            issues,
            others,
            requests: charged.get(&Class::Api).copied().unwrap_or(0),
            not_planned: state.not_planned(scans, in_time),
            issues_cut: count(hidden.len()),
            steps_cut,
            not_looked_at: owed.saturating_sub(looked_at),
        }
    }
}

impl State {
    fn take(&mut self, event: Event) {
        match event {
            Event::Planned {
                iid,
                plan,
                confidential,
                ..
            } => {
                self.drawing.take(iid, &plan, confidential);
                self.well(iid);
            }
            Event::Issue { iid, .. } => self.well(iid),
            Event::Scanned { .. } => {
                self.scanned = true;
                self.troubles.remove(&None);
            }
            Event::Waiting { iid, why, .. } => {
                let trouble = Trouble {
                    what: why,
                    gave_up: false,
                    waits: true,
                };
                self.troubles.insert(iid, trouble);
            }
            Event::Failed {
                iid,
                error,
                gave_up,
                ..
            } => {
                let trouble = Trouble {
                    what: error,
                    gave_up,
                    waits: false,
                };
                self.troubles.insert(iid, trouble);
            }
            Event::Paused { reason, .. } => self.paused = Some(reason),
            Event::Found { .. } | Event::Carried { .. } | Event::Notice(..) => {}
        }
    }

    fn well(&mut self, iid: Iid) {
        self.ended.insert(iid);
        self.troubles.remove(&Some(iid));
    }

    /// How many issues are owed although a job began for them.
    fn still_owed(&self) -> u64 {
        let gave_up = |iid: &Iid| {
            let trouble = self.troubles.get(&Some(*iid));
            trouble.is_some_and(|trouble| trouble.gave_up)
        };
        let open = self.looked_at.difference(&self.ended);
        count(open.filter(|iid| !gave_up(iid)).count())
    }

    fn not_planned(&self, scans: bool, in_time: bool) -> Vec<String> {
        let what =
            |iid: Option<Iid>| iid.map_or_else(|| "the scan".to_owned(), |iid| format!("#{iid}"));
        let mut lines: Vec<String> = self
            .troubles
            .iter()
            .map(|(iid, trouble)| format!("{}: {}", what(*iid), trouble.what))
            .collect();
        if !in_time {
            let scan = (scans && !self.scanned).then_some(None);
            let open = self.looked_at.difference(&self.ended).map(|iid| Some(*iid));
            let silent = scan.into_iter().chain(open);
            let silent = silent.filter(|iid| !self.troubles.contains_key(iid));
            lines.extend(silent.map(|iid| format!("{}: it took too long", what(iid))));
        }
        let more = lines.len().saturating_sub(TROUBLES_SHOWN);
        if more > 0 {
            lines.truncate(TROUBLES_SHOWN);
            lines.push(format!("and {more} more"));
        }
        lines
    }
}

fn cut(issue: &mut DrawnIssue) {
    for step in &mut issue.steps {
        if let Some((at, _)) = step.what.char_indices().nth(STEP_SHOWN) {
            step.what.truncate(at);
            step.what.push('…');
        }
    }
}

/// A length as it is reported.
pub(super) fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
