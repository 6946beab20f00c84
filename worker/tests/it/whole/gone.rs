//! Issues that are deleted at the source, or out of sight there: what people do, and what may become
//! of the copies (rule 14).

use super::{dice::Dice, manner::Manner, people::People};
use crate::support::{Copy, copies};
use chrono::TimeDelta;
use gitlab_sim::{Issue, IssueEdit, IssueState, UserId};
use mirror_core::gone::OnDelete;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// From one comparison of everything to the next.
pub(super) const COMPARED: TimeDelta = TimeDelta::seconds(900);
/// An issue is gone that was missed twice, so far apart.
pub(super) const APART: Duration = Duration::from_secs(600);

impl People {
    /// Who writes a new issue: Bob some of them, where he may be banned.
    pub(super) fn author(&self, iid: u64) -> UserId {
        match self.manner {
            Manner::Gone { .. } if iid.is_multiple_of(3) => self.bob,
            Manner::Gone { .. }
            | Manner::Plain
            | Manner::Ruled(_)
            | Manner::Protecting
            | Manner::Paired => self.alice,
        }
    }

    /// Somebody deletes an issue; or Bob is banned, and nobody sees his issues until he is not.
    /// `false`: nobody does.
    pub(super) fn take_away(&self, number: u64) -> bool {
        let mut dice = Dice::new(number, 7);
        if self.manner.on_delete().is_none() || !dice.chance(25) {
            return false;
        }
        let (project, alice, bob) = (self.from.project, self.alice, self.bob);
        self.source.edit(|world| {
            let iids: Vec<u64> = world.issues(project).map(|issue| issue.iid).collect();
            if dice.chance(40) {
                if world.user(bob).unwrap().banned {
                    world.unban_user(bob);
                } else {
                    world.ban_user(bob);
                }
            } else if let Some(iid) = dice.pick(&iids) {
                world.delete_issue(project, *iid, alice).unwrap();
            }
        });
        true
    }

    /// Of what was out of sight for a while the copy was hidden. If Tom wrote on it, he reads that, and
    /// opens it by hand, when he is asked to.
    pub(super) fn open_if_asked(&self, why: &str) {
        let asked = why.split_once("read them, then make #");
        let Some((number, _)) = asked.and_then(|(_, rest)| rest.split_once(' ')) else {
            return;
        };
        let open = IssueEdit {
            confidential: Some(false),
            ..IssueEdit::default()
        };
        let (project, iid) = (self.to.project, number.parse().unwrap());
        self.target
            .edit(|world| world.edit_issue(project, iid, self.tom, open))
            .unwrap();
    }

    /// The source's issues that its token may see.
    pub(super) fn seen(&self) -> Vec<Issue> {
        self.source.world(|world| {
            let is_seen = |issue: &&Issue| !world.user(issue.author).unwrap().banned;
            let issues = world.issues(self.from.project);
            issues.filter(is_seen).cloned().collect()
        })
    }
}

/// Watches copies go.
#[derive(Default)]
pub(super) struct Departures {
    /// When the source was asked for an issue and did not show it, by the time that never jumps.
    missed: BTreeMap<u64, Vec<Duration>>,
    /// How far the clock that the rule goes by was set in all.
    jumps: Duration,
    /// The copies that there are, by their numbers, and of what.
    there: BTreeMap<u64, u64>,
    farewells: BTreeSet<u64>,
}

impl Departures {
    pub(super) fn with_jumps_of(seconds: impl IntoIterator<Item = i64>) -> Self {
        let seconds = seconds.into_iter().map(i64::unsigned_abs);
        Self {
            jumps: Duration::from_secs(seconds.sum()),
            ..Self::default()
        }
    }

    /// The source said of an issue that it is not to be seen.
    pub(super) fn missed(&mut self, iid: u64, at: Duration) {
        self.missed.entry(iid).or_default().push(at);
    }

    fn missed_twice(&self, iid: u64) -> bool {
        let missed = self.missed.get(&iid);
        let apart = missed.and_then(|at| Some(at.last()?.saturating_sub(*at.first()?)));
        apart.is_some_and(|apart| apart + self.jumps >= APART)
    }

    /// No copy follows an issue that was not missed twice, and none otherwise than its people want.
    pub(super) fn look(&mut self, people: &People) -> Vec<String> {
        let Some(on_delete) = people.manner.on_delete() else {
            return Vec::new();
        };
        let now = copies(&people.target, people.to.project);
        let mut broken = Vec::new();
        for (number, of) in &self.there {
            let is_there = now.iter().any(|copy| copy.issue.iid == *number);
            // Of two one is taken away.
            let has_another = now.iter().any(|copy| copy.of == *of);
            if is_there || has_another {
                continue;
            }
            if on_delete != OnDelete::Delete {
                broken.push(format!("the copy of #{of} was deleted"));
            } else if !self.missed_twice(*of) {
                broken.push(format!("the copy of #{of} was deleted too soon"));
            }
        }
        for copy in now.iter().filter(|copy| says_farewell(copy)) {
            if !self.farewells.insert(copy.issue.iid) {
                continue;
            }
            if on_delete == OnDelete::Keep {
                broken.push(format!("the copy of #{} was closed", copy.of));
            } else if !self.missed_twice(copy.of) {
                broken.push(format!("the copy of #{} was closed too soon", copy.of));
            }
        }
        self.farewells.retain(|number| {
            now.iter()
                .any(|copy| copy.issue.iid == *number && says_farewell(copy))
        });
        let there = now.iter().map(|copy| (copy.issue.iid, copy.of));
        self.there = there.collect();
        broken
    }
}

fn says_farewell(copy: &Copy) -> bool {
    let text = copy.issue.description.as_deref().unwrap_or_default();
    text.contains("*The original of this issue was deleted.")
}

/// What must be of the copies whose originals are not to be seen, in the end.
pub(super) fn otherwise_than_asked(people: &People, copies: &[Copy]) -> Vec<String> {
    let seen: BTreeSet<u64> = people.seen().iter().map(|issue| issue.iid).collect();
    let mut broken = Vec::new();
    for copy in copies.iter().filter(|copy| !seen.contains(&copy.of)) {
        let issue = &copy.issue;
        let of_tom = |user: UserId| user == people.tom;
        let commented = issue
            .notes
            .iter()
            .any(|note| !note.system && of_tom(note.author));
        let closed = issue.state == IssueState::Closed && issue.confidential;
        let fault = match people.manner.on_delete() {
            None => Some("is a copy of nothing"),
            Some(OnDelete::Keep) => None,
            Some(OnDelete::Close) if closed && says_farewell(copy) => None,
            Some(OnDelete::Close) => Some("is not hidden and closed with a word"),
            Some(OnDelete::Delete) if !commented => Some("is there still"),
            Some(OnDelete::Delete) if closed && says_farewell(copy) => None,
            Some(OnDelete::Delete) => Some("is neither deleted nor closed"),
        };
        broken
            .extend(fault.map(|fault| format!("the copy of #{}, which is gone, {fault}", copy.of)));
    }
    broken
}
