//! The rules of owed work, as simply as they can be said.

use mirror_core::job::Priority;
use std::collections::BTreeMap;

pub(crate) const LEASE_SECONDS: i64 = 30;
const CRASHES: i64 = 3;
const APART: i64 = 3;
const PATIENT_FOR: i64 = 600;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Pending,
    Queued,
    Running,
    Done,
    Dead,
}

/// A row as the rules describe it; times in seconds.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) order: usize,
    pub(crate) mirror: usize,
    pub(crate) state: State,
    pub(crate) priority: Priority,
    pub(crate) run_at: i64,
    pub(crate) not_before: i64,
    pub(crate) failures: i64,
    pub(crate) crashes: i64,
    pub(crate) ticket: i64,
    /// Asked again since the start: for when, and whether for a change.
    pub(crate) asked: Option<(i64, bool)>,
    pub(crate) lease_until: i64,
}

#[derive(Default)]
pub(crate) struct Model {
    pub(crate) now: i64,
    pub(crate) paused: [bool; 2],
    pub(crate) rows: BTreeMap<usize, Row>,
}

impl Model {
    pub(crate) fn owe(
        &mut self,
        issue: usize,
        priority: Priority,
        delay: Option<i64>,
        changed: bool,
    ) {
        let when = self.now + delay.unwrap_or(0);
        let order = self.rows.len();
        let row = self.rows.entry(issue).or_insert(Row {
            order,
            mirror: issue % 2,
            state: State::Done,
            priority,
            run_at: when,
            not_before: i64::MIN,
            failures: 0,
            crashes: 0,
            ticket: 0,
            asked: None,
            lease_until: 0,
        });
        match row.state {
            State::Dead if !changed => {}
            State::Done | State::Dead => row.revive(priority, when),
            State::Pending => {
                row.priority = row.priority.max(priority);
                if changed || priority == Priority::ByHand {
                    row.run_at = row.run_at.min(when.max(row.not_before));
                }
            }
            State::Queued | State::Running => {
                row.priority = row.priority.max(priority);
                let (first, before) = row.asked.unwrap_or((when, false));
                row.asked = Some((first.min(when), before || changed));
            }
        }
    }

    /// The issues a claim must take, with their new tickets: one after the other, of the mirror
    /// whose turn it is then.
    pub(crate) fn claim(&mut self, limit: usize, per_mirror: usize) -> BTreeMap<usize, i64> {
        let urgencies: BTreeMap<(usize, i64), i64> = [0, 1]
            .into_iter()
            .flat_map(|mirror| (0..=2).map(move |priority| (mirror, priority)))
            .filter_map(|(mirror, priority)| {
                let (_, issue) = self.first_due(mirror, priority)?;
                let waits_long = self.rows[&issue].run_at + PATIENT_FOR <= self.now;
                let least = if waits_long { 1 } else { 0 };
                Some(((mirror, priority), priority.max(least)))
            })
            .collect();
        let mut taken = BTreeMap::new();
        while taken.len() < limit {
            let next = urgencies
                .iter()
                .filter_map(|((mirror, priority), urgency)| {
                    let (_, issue) = self.first_due(*mirror, *priority)?;
                    let out = self.out(*mirror);
                    (out < per_mirror).then_some(((-urgency, out, *mirror, -priority), issue))
                });
            let Some((_, issue)) = next.min() else {
                break;
            };
            let row = self.rows.get_mut(&issue).unwrap();
            row.state = State::Queued;
            row.ticket += 1;
            row.lease_until = self.now + LEASE_SECONDS;
            taken.insert(issue, row.ticket);
        }
        taken
    }

    fn out(&self, mirror: usize) -> usize {
        let rows = self.rows.values().filter(|row| row.mirror == mirror);
        rows.filter(|row| matches!(row.state, State::Queued | State::Running))
            .count()
    }

    /// Of a mirror that does not rest.
    fn first_due(&self, mirror: usize, priority: i64) -> Option<((i64, usize), usize)> {
        let rows = self.rows.iter().filter(|(_, row)| {
            !self.paused[mirror]
                && row.mirror == mirror
                && row.priority as i64 == priority
                && row.state == State::Pending
                && row.run_at <= self.now
        });
        rows.map(|(issue, row)| ((row.run_at, row.order), *issue))
            .min()
    }

    /// The row, if it is in that state under that ticket.
    pub(crate) fn held(&mut self, (issue, ticket): (usize, i64), state: State) -> Option<&mut Row> {
        self.rows
            .get_mut(&issue)
            .filter(|row| row.ticket == ticket && row.state == state)
    }

    pub(crate) fn pause(&mut self, mirror: usize) {
        self.paused[mirror] = true;
        let rows = self.rows.values_mut().filter(|row| row.mirror == mirror);
        for row in rows.filter(|row| row.state == State::Queued) {
            row.give_back();
        }
    }

    pub(crate) fn retry_dead(&mut self, mirror: usize) {
        let now = self.now;
        let rows = self.rows.values_mut().filter(|row| row.mirror == mirror);
        for row in rows.filter(|row| row.state == State::Dead) {
            row.revive(Priority::ByHand, now);
        }
    }

    /// Of that mirror whatever is out, else what has outlived its lease.
    pub(crate) fn take_back(&mut self, only: Option<usize>) {
        for (&issue, row) in &mut self.rows {
            let lost = match only {
                Some(mirror) => row.mirror == mirror,
                None => row.lease_until <= self.now,
            };
            match row.state {
                State::Queued if lost => row.state = State::Pending,
                State::Running if lost => {
                    row.state = State::Pending;
                    row.failures += 1;
                    if only.is_none() {
                        row.crashes += 1;
                    }
                    if only.is_none() && row.crashes == CRASHES - 1 {
                        // Tried apart from others that were lost as often.
                        let place = i64::try_from(issue % 16).unwrap();
                        let turn = self.now + place * APART;
                        (row.run_at, row.not_before) = (turn, turn);
                    }
                    if row.crashes >= CRASHES {
                        match row.asked {
                            Some((_, true)) => (row.failures, row.crashes) = (0, 0),
                            Some((_, false)) | None => row.state = State::Dead,
                        }
                    }
                }
                State::Pending | State::Queued | State::Running | State::Done | State::Dead => {}
            }
        }
    }
}

impl Row {
    pub(crate) fn revive(&mut self, priority: Priority, when: i64) {
        self.state = State::Pending;
        self.priority = priority;
        self.run_at = when;
        self.not_before = i64::MIN;
        (self.failures, self.crashes, self.asked) = (0, 0, None);
    }

    pub(crate) fn start(&mut self, lease_until: i64) {
        self.state = State::Running;
        self.asked = None;
        self.not_before = i64::MIN;
        self.lease_until = lease_until;
    }

    pub(crate) fn give_back(&mut self) {
        self.state = State::Pending;
    }

    pub(crate) fn done(&mut self) {
        (self.failures, self.crashes) = (0, 0);
        match self.asked.take() {
            Some((when, _)) => {
                self.state = State::Pending;
                self.run_at = when;
            }
            None => self.state = State::Done,
        }
    }

    pub(crate) fn snooze(&mut self, until: i64) {
        self.state = State::Pending;
        (self.run_at, self.not_before) = (until, until);
        (self.crashes, self.asked) = (0, None);
    }

    pub(crate) fn retry(&mut self, at: i64) {
        self.state = State::Pending;
        self.failures += 1;
        self.crashes = 0;
        self.run_at = match self.asked.take() {
            Some((when, true)) => when.min(at),
            Some((_, false)) | None => at,
        };
    }

    pub(crate) fn give_up(&mut self) {
        self.crashes = 0;
        match self.asked.take() {
            Some((when, true)) => {
                self.state = State::Pending;
                self.run_at = when;
                self.failures = 0;
            }
            Some((_, false)) | None => {
                self.state = State::Dead;
                self.failures += 1;
            }
        }
    }
}
