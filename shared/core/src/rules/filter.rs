//! Which issues cross.

use super::{FilterDocument, RuleError, WhenLeft};
use crate::issue::{Issue, State};
use std::{collections::BTreeSet, fmt};

/// The types that GitLab lists among issues.
const TYPES: [&str; 6] = [
    "issue",
    "incident",
    "test_case",
    "task",
    "objective",
    "key_result",
];

/// Which issues cross. The default takes all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    conditions: FilterDocument,
}

/// The condition that an issue does not meet. It tells nothing of the issue's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outside {
    /// Its labels.
    Labels,
    /// Its type.
    Type,
    /// Its milestone.
    Milestone,
    /// Its state.
    State,
    /// It is too old.
    Created,
    /// It was not changed since.
    Updated,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Labels => "its labels",
            Self::Type => "its type",
            Self::Milestone => "its milestone",
            Self::State => "its state",
            Self::Created => "the day it was created",
            Self::Updated => "the day it last changed",
        })
    }
}

impl Filter {
    pub(super) fn new(document: &FilterDocument) -> Result<Self, RuleError> {
        for kind in &document.types {
            if !TYPES.contains(&kind.as_str()) {
                return Err(RuleError::new(
                    format!("only.types \"{kind}\""),
                    "names no type of issue",
                    format!("write one of {}", TYPES.join(", ")),
                ));
            }
        }
        let wanted = document.any_label.union(&document.all_labels);
        if let Some(both) = wanted
            .into_iter()
            .find(|title| document.no_label.contains(*title))
        {
            return Err(RuleError::new(
                format!("only.no_label \"{both}\""),
                "shuts out a label that only.any_label or only.all_labels asks for",
                "take it out of one of the two",
            ));
        }
        for (rule, names) in [
            ("only.any_label", &document.any_label),
            ("only.all_labels", &document.all_labels),
            ("only.no_label", &document.no_label),
            ("only.milestones", &document.milestones),
        ] {
            if names.iter().any(|name| name.trim().is_empty()) {
                return Err(RuleError::new(rule, "has an empty name", "take it out"));
            }
        }
        Ok(Self {
            conditions: document.clone(),
        })
    }

    /// Why an issue that has no copy yet gets none.
    pub fn keeps_out(&self, issue: &Issue) -> Option<Outside> {
        let FilterDocument {
            state,
            created_since,
            updated_since,
            ..
        } = &self.conditions;
        if state.is_some_and(|state| state != issue.state) {
            return Some(Outside::State);
        }
        if created_since.is_some_and(|day| issue.created_at.date_naive() < day) {
            return Some(Outside::Created);
        }
        if updated_since.is_some_and(|day| issue.updated_at.date_naive() < day) {
            return Some(Outside::Updated);
        }
        self.has_left(issue)
    }

    /// Why an issue that has a copy is none of those any more that the mirror takes. State and days
    /// are asked once only: that an issue is closed has to reach its copy.
    pub fn has_left(&self, issue: &Issue) -> Option<Outside> {
        let FilterDocument {
            any_label,
            all_labels,
            no_label,
            types,
            milestones,
            ..
        } = &self.conditions;
        let carries = |title: &String| issue.labels.contains(title);
        let labels = (any_label.is_empty() || any_label.iter().any(carries))
            && all_labels.iter().all(carries)
            && !no_label.iter().any(carries);
        if !labels {
            return Some(Outside::Labels);
        }
        if !types.is_empty() && !types.contains(issue.issue_type.as_str()) {
            return Some(Outside::Type);
        }
        let milestone = issue.milestone.as_ref().map(|milestone| &milestone.title);
        let planned = |names: &BTreeSet<String>| milestone.is_some_and(|name| names.contains(name));
        if !milestones.is_empty() && !planned(milestones) {
            return Some(Outside::Milestone);
        }
        None
    }

    /// What becomes of a copy whose issue has left.
    pub fn when_left(&self) -> WhenLeft {
        self.conditions.when_left
    }

    /// Whether closed issues are what it asks for.
    pub fn asks_for_closed(&self) -> bool {
        self.conditions.state == Some(State::Closed)
    }
}
