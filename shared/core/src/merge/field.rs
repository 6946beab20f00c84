//! The fields of an issue, one by one.

use crate::{
    desired::{Desired, Observed},
    issue::State,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What of an issue is merged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Title.
    Title,
    /// Description: the text between the marker and the footer, which are ours.
    Description,
    /// Open or closed.
    State,
    /// Type.
    IssueType,
    /// The day it is due.
    DueDate,
    /// Planning weight.
    Weight,
    /// Seconds estimated.
    Estimate,
    /// Only members may comment.
    Locked,
    /// Made confidential on the target only; what is hidden at the source always is there, too.
    Confidential,
    /// Labels that were taken off.
    Labels,
}

impl Field {
    /// Those that are merged as a whole.
    pub(super) const WHOLE: [Self; 9] = [
        Self::Title,
        Self::Description,
        Self::State,
        Self::IssueType,
        Self::DueDate,
        Self::Weight,
        Self::Estimate,
        Self::Locked,
        Self::Confidential,
    ];

    /// Its name in the record and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::State => "state",
            Self::IssueType => "issue_type",
            Self::DueDate => "due_date",
            Self::Weight => "weight",
            Self::Estimate => "estimate",
            Self::Locked => "locked",
            Self::Confidential => "confidential",
            Self::Labels => "labels",
        }
    }

    /// Reads its name in the record.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::WHOLE.into_iter().chain([Self::Labels]);
        all.find(|field| field.name() == name)
    }

    /// What an issue says of it, but for its description.
    pub(super) fn value(self, issue: &Observed) -> String {
        let or_none = |some: Option<String>| some.unwrap_or_else(|| "none".to_owned());
        let yes = |is: bool| if is { "yes" } else { "no" }.to_owned();
        match self {
            Self::Title => issue.title.clone(),
            Self::Description | Self::Labels => String::new(),
            Self::State => match issue.state {
                State::Opened => "opened".to_owned(),
                State::Closed => "closed".to_owned(),
            },
            Self::IssueType => issue.issue_type.as_str().to_owned(),
            Self::DueDate => or_none(issue.due_date.map(|day| day.to_string())),
            Self::Weight => {
                let weight = issue.weight.filter(|_| issue.has_weight);
                or_none(weight.map(|weight| weight.to_string()))
            }
            Self::Estimate => format!("{} s", issue.estimate),
            Self::Locked => yes(issue.locked),
            Self::Confidential => yes(issue.confidential),
        }
    }

    /// Leaves it as the target has it; the description and labels are kept elsewhere.
    pub(super) fn keep(self, desired: &mut Desired, observed: &Observed) {
        match self {
            Self::Title => desired.title.clone_from(&observed.title),
            Self::State => desired.state = observed.state,
            Self::IssueType => desired.issue_type = observed.issue_type.clone(),
            Self::DueDate => desired.due_date = observed.due_date,
            Self::Weight if observed.has_weight => desired.weight = observed.weight,
            Self::Estimate => desired.estimate = observed.estimate,
            Self::Locked => desired.locked = observed.locked,
            Self::Confidential => desired.confidential = observed.confidential,
            Self::Weight | Self::Description | Self::Labels => {}
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IssueType => "type",
            Self::DueDate => "due date",
            Self::Locked => "lock",
            Self::Confidential => "confidentiality",
            Self::Title
            | Self::Description
            | Self::State
            | Self::Weight
            | Self::Estimate
            | Self::Labels => self.name(),
        })
    }
}

/// How a target would look that shows all that is desired.
pub(super) fn as_shown(desired: &Desired, has_weight: bool) -> Observed {
    Observed {
        title: desired.title.clone(),
        description: desired.description.clone(),
        state: desired.state,
        issue_type: desired.issue_type.clone(),
        due_date: desired.due_date,
        confidential: desired.confidential,
        weight: desired.weight,
        has_weight,
        labels: desired
            .labels
            .iter()
            .map(|label| label.title.clone())
            .collect(),
        estimate: desired.estimate,
        spent: desired.spent,
        locked: desired.locked,
        // Whom we assigned is on record; the others are theirs.
        assignees: BTreeMap::new(),
    }
}
