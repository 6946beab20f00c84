//! What was told while jobs ran.

use mirror_core::{outcome::Outcome, plan::Step};
use mirror_worker::{Event, Events, Notice};
use std::sync::{Arc, Mutex, MutexGuard};

/// Everything told so far, sorted. Clones hear together.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Told>>);

#[derive(Default)]
pub(crate) struct Told {
    /// As told, in order.
    pub(crate) all: Vec<Event>,
    /// Errors of jobs that failed, whether or not they were tried again, and reasons to rest.
    pub(crate) failures: Vec<String>,
    /// What was waited for.
    pub(crate) waits: Vec<String>,
    pub(crate) notices: Vec<Notice>,
    /// By source issue.
    pub(crate) outcomes: Vec<(i64, Outcome)>,
    pub(crate) planned: Vec<Step>,
}

impl Heard {
    pub(crate) fn listener(&self) -> Events {
        let told = self.clone();
        Events::new(move |event| told.told().take(event))
    }

    pub(crate) fn told(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap()
    }
}

impl Told {
    fn take(&mut self, event: Event) {
        match event.clone() {
            Event::Found { .. } | Event::Scanned { .. } | Event::Carried { .. } => {}
            Event::Issue { iid, outcome, .. } => self.outcomes.push((iid.0, outcome)),
            Event::Waiting { why, .. } => self.waits.push(why),
            Event::Failed { error, .. } => self.failures.push(error),
            Event::Paused { reason, .. } => self.failures.push(reason),
            Event::Notice(_, _, notice) => self.notices.push(notice),
            Event::Planned { plan, .. } => self.planned.extend(plan.steps),
        }
        self.all.push(event);
    }
}
