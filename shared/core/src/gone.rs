//! What becomes of the copy of an issue that is gone at the source, out of sight, or not mirrored
//! any more.

use crate::{
    desired::Observed,
    issue::State,
    plan::{IssueEdit, Plan, Step},
    project::Role,
    provenance::Found,
    render::MAX_DESCRIPTION,
};
use std::{fmt, str::FromStr};

/// What becomes of the copy of an issue that was deleted at the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnDelete {
    /// It stays as it is.
    Keep,
    /// It is closed, with a line that says why.
    #[default]
    Close,
    /// It is deleted, unless others commented on it or the token may not: then it is closed.
    Delete,
}

impl OnDelete {
    /// The word for it, in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Close => "close",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for OnDelete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the word of a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownPolicy;

impl fmt::Display for UnknownPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write keep, close or delete")
    }
}

impl std::error::Error for UnknownPolicy {}

impl FromStr for OnDelete {
    type Err = UnknownPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownPolicy> {
        [Self::Keep, Self::Close, Self::Delete]
            .into_iter()
            .find(|policy| policy.name() == text)
            .ok_or(UnknownPolicy)
    }
}

/// How many copies may go at once before a person is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Breaker {
    /// So many may, however few copies there are.
    pub count: u64,
    /// Beyond that, so much in a hundred of all copies.
    pub percent: u64,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            count: 10,
            percent: 10,
        }
    }
}

impl Breaker {
    /// Whether so many of a mirror's copies wait for a person.
    pub fn holds(self, going: u64, copies: u64) -> bool {
        let Self { count, percent } = self;
        going > count && going.saturating_mul(100) > copies.saturating_mul(percent)
    }
}

/// What a token is entitled to see in a project, so that entitlements compare: its role's number, or
/// more than any for an administrator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Sight(pub i64);

impl Sight {
    /// Of a role in a project, or of an administrator of the instance.
    pub fn of(role: Option<Role>, admin: bool) -> Self {
        if admin {
            return Self(i64::from(u8::MAX) + 1);
        }
        Self(role.map_or(0, |Role(number)| i64::from(number)))
    }

    /// Whether confidential issues and internal comments are seen.
    pub fn sees_hidden(self) -> bool {
        self >= Self::of(Some(Role::PLANNER), false)
    }
}

/// How sure it is that an issue is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Absence {
    /// It may have become confidential, out of this token's sight.
    MayBeHidden,
    /// Missed for the first time, or not long enough since.
    Missed,
    /// Missed again later, by a token that would see it.
    Gone,
}

/// What is left to do about a copy, and what then has become of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Farewell {
    /// What to send.
    pub plan: Plan,
    /// What has become of the copy then, for a person; `None` while that is not decided.
    pub copy: Option<&'static str>,
}

/// Until an issue is proven to be gone, its copy is hidden: it may have become confidential. With
/// `keep`, a token that would see that it did is believed. What is closed is hidden first, whatever
/// kept that from being done before.
pub fn farewell(
    absence: Absence,
    policy: OnDelete,
    may_delete: bool,
    observed: &Observed,
) -> Farewell {
    let hide = match (absence, policy) {
        (Absence::MayBeHidden, _)
        | (Absence::Missed, OnDelete::Close | OnDelete::Delete)
        | (Absence::Gone, OnDelete::Close) => true,
        (Absence::Gone, OnDelete::Delete) => !may_delete,
        (Absence::Missed | Absence::Gone, OnDelete::Keep) => false,
    };
    let mut steps = Vec::new();
    if hide && !observed.confidential {
        steps.push(Step::Restrict);
    }
    let copy = match (absence, policy, may_delete) {
        (Absence::MayBeHidden | Absence::Missed, _, _) => None,
        (Absence::Gone, OnDelete::Keep, _) => Some("stays as it is"),
        (Absence::Gone, OnDelete::Delete, true) => {
            steps.push(Step::DeleteIssue);
            Some("was deleted")
        }
        (Absence::Gone, OnDelete::Close, _) => {
            steps.extend(close(observed, GONE));
            Some("was closed")
        }
        (Absence::Gone, OnDelete::Delete, false) => {
            steps.extend(close(observed, GONE));
            Some("was closed, not deleted: others commented on it, or the token's user is no Owner")
        }
    };
    Farewell {
        plan: Plan { steps },
        copy,
    }
}

/// What the copy of an issue is sent for the last time that has left what its mirror takes.
pub fn leaving(confidential: bool, closes: bool, observed: &Observed) -> Vec<Step> {
    let mut steps = Vec::new();
    if confidential && !observed.confidential {
        steps.push(Step::Restrict);
    }
    if closes {
        steps.extend(close(observed, LEFT));
    }
    steps
}

fn close(observed: &Observed, why: Notice) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(description) = why.above(&observed.description) {
        steps.push(Step::UpdateIssue(IssueEdit {
            description: Some(description),
            ..IssueEdit::default()
        }));
    }
    if observed.state == State::Opened {
        steps.push(Step::SetState(State::Closed));
    }
    steps
}

/// A line that says why a copy is closed.
#[derive(Clone, Copy)]
struct Notice {
    line: &'static str,
    /// Said in a text too that has lost its marker.
    unmarked: bool,
}

const GONE: Notice = Notice {
    line: "*The original of this issue was deleted. This copy is closed, and follows nothing any more.*",
    unmarked: true,
};

const LEFT: Notice = Notice {
    line: "*This copy is kept in line no more: its issue has left what its mirror takes.*",
    unmarked: false,
};

impl Notice {
    /// The description with the line below its marker, where no text that leaves something open
    /// comes before it. `None`: it stands there, or finds no room or no place.
    fn above(self, description: &str) -> Option<String> {
        let marked = Found::in_body(description).is_some();
        let (marker, text) = match description.split_once('\n') {
            Some((marker, text)) if marked => (marker, text.trim_start_matches('\n')),
            Some(_) | None if marked => (description, ""),
            Some(_) | None => ("", description),
        };
        if text.starts_with(self.line) || !(marked || self.unmarked) {
            return None;
        }
        let parts = [marker, self.line, text];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let description = parts.join("\n\n");
        (description.len() <= MAX_DESCRIPTION).then_some(description)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{Iid, InstanceName, IssueId, ProjectId},
        issue::IssueType,
        provenance::{Hop, Key, Marker},
    };
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    const ABSENCES: [Absence; 3] = [Absence::MayBeHidden, Absence::Missed, Absence::Gone];
    const POLICIES: [OnDelete; 3] = [OnDelete::Keep, OnDelete::Close, OnDelete::Delete];

    fn marker() -> String {
        let hop = Hop {
            instance: InstanceName("gitlab.a".into()),
            project: ProjectId(1),
            issue: IssueId(2),
            iid: Iid(3),
            note: None,
        };
        Marker::of(hop, InstanceName("gitlab.b".into()), ProjectId(4)).line(&Key::new([5; 32]))
    }

    fn shown(description: &str) -> Observed {
        Observed {
            title: "One".into(),
            description: description.into(),
            state: State::Opened,
            issue_type: IssueType::Issue,
            due_date: None,
            confidential: false,
            weight: None,
            has_weight: false,
            labels: BTreeSet::new(),
            assignees: BTreeMap::new(),
            estimate: 0,
            spent: 0,
            locked: false,
        }
    }

    fn after(mut observed: Observed, plan: &Plan) -> Option<Observed> {
        for step in &plan.steps {
            match step {
                Step::Restrict => observed.confidential = true,
                Step::UpdateIssue(edit) => {
                    observed.description.clone_from(edit.description.as_ref()?);
                }
                Step::SetState(state) => observed.state = *state,
                Step::DeleteIssue => return None,
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
                | Step::Open => panic!("no farewell: {step:?}"),
            }
        }
        Some(observed)
    }

    proptest! {
        #[test]
        fn said_once_it_is_not_said_again(text in "(?s).{0,200}", marked: bool, confidential: bool) {
            let text = if marked { format!("{}\n\n{text}", marker()) } else { text };
            let before = Observed { confidential, ..shown(&text) };
            for (absence, policy) in ABSENCES.into_iter().flat_map(|absence| {
                POLICIES.map(|policy| (absence, policy))
            }) {
                let first = farewell(absence, policy, false, &before);
                let there = after(before.clone(), &first.plan).unwrap();
                prop_assert!(farewell(absence, policy, false, &there).plan.is_empty());
                prop_assert!(there.confidential >= confidential, "it is never opened");
                let closed = there.state == State::Closed;
                prop_assert!(there.confidential >= closed, "what is closed is hidden");
                prop_assert_eq!(Found::in_body(&there.description), Found::in_body(&text));
                prop_assert!(there.description.ends_with(text.trim_start_matches('\n'))
                    || there.description.contains(GONE.line));
            }
        }

        #[test]
        fn few_are_never_held_and_all_of_many_always(
            count in 0u64..50, percent in 0u64..100, copies in 1u64..10_000
        ) {
            let breaker = Breaker { count, percent };
            for going in 0..=count {
                prop_assert!(!breaker.holds(going, copies));
            }
            prop_assert_eq!(breaker.holds(copies, copies), copies > count);
        }
    }

    #[test]
    fn what_may_be_hidden_is_only_ever_hidden() {
        for policy in POLICIES {
            let farewell = farewell(Absence::MayBeHidden, policy, true, &shown("Text"));
            assert_eq!(farewell.plan.steps, [Step::Restrict]);
            assert_eq!(farewell.copy, None);
        }
    }

    #[test]
    fn the_reason_stands_below_the_marker() {
        let text = format!("{}\n\n```\nleft open", marker());
        let said = GONE.above(&text).unwrap();
        assert_eq!(
            said,
            format!("{}\n\n{}\n\n```\nleft open", marker(), GONE.line)
        );
        assert_eq!(GONE.above(&said), None);
        assert_eq!(GONE.above(""), Some(GONE.line.to_owned()));
        let full = format!("{}\n\n{}", marker(), "x".repeat(MAX_DESCRIPTION));
        assert_eq!(GONE.above(&full), None, "there is no room for it");
    }

    #[test]
    fn a_copy_that_is_left_says_so_once_and_below_its_marker() {
        let marker = marker();
        let left = LEFT
            .above(&format!("{marker}\n\nText.\n\n---\n\nFooter."))
            .unwrap();
        let rest = left
            .strip_prefix(&format!("{marker}\n\n*This copy"))
            .unwrap();
        assert!(rest.ends_with("*\n\nText.\n\n---\n\nFooter."), "{left}");
        assert_eq!(LEFT.above(&left), None);
        assert_eq!(LEFT.above("What a person\n\nwrote instead."), None);
        let long = "x".repeat(MAX_DESCRIPTION - marker.len() - 2);
        assert_eq!(LEFT.above(&format!("{marker}\n\n{long}")), None);
    }

    #[test]
    fn only_who_sees_what_is_hidden_tells_it_from_gone() {
        let of = |role| Sight::of(Some(role), false);
        assert!(!Sight::of(None, false).sees_hidden());
        assert!(!of(Role::GUEST).sees_hidden());
        assert!(of(Role::PLANNER).sees_hidden());
        assert!(Sight::of(None, true) > of(Role::OWNER));
    }

    #[test]
    fn policies_are_read_as_they_are_written() {
        for policy in POLICIES {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        assert_eq!("Close".parse::<OnDelete>(), Err(UnknownPolicy));
    }
}
