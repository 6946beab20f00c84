//! Labels of a copy, and the people who are assigned to it.

use super::Frame;
use crate::{
    desired::Assignee,
    issue::{Issue, Label},
    labels::{assigned, informational},
    people::People,
};

/// Those of the source, what the target has no field for, and ours.
pub(super) fn all(frame: &Frame<'_>, issue: &Issue, people: &People) -> Vec<Label> {
    let mut labels: Vec<Label> = Vec::new();
    let rules = &frame.rules.labels;
    let own = issue.labels.iter().filter_map(|title| {
        let known = issue
            .label_details
            .iter()
            .find(|label| label.title == *title);
        let label = known.cloned().unwrap_or_else(|| plain_label(title));
        let title = rules.target_title(title)?;
        Some(Label { title, ..label })
    });
    let planning = informational(issue).into_iter();
    let others = assigned(issue).filter(|(user, _)| people.account(&user.username).is_none());
    let planning = planning.chain(others.map(|(_, title)| title));
    let ours = planning
        .filter(|_| rules.tells_planning())
        .map(|title| planning_label(&title));
    let mirrored = frame.mirrored_label.map(|title| Label {
        color: Some("#7f8c8d".to_owned()),
        description: Some("A copy, kept in line with its source by Issue Mirror".to_owned()),
        ..plain_label(title)
    });
    for label in own.chain(ours).chain(mirrored) {
        if !labels.iter().any(|there| there.title == label.title) {
            labels.push(label);
        }
    }
    labels
}

/// Those who have an account on the target, each with the label that tells of them otherwise.
pub(super) fn assignees(frame: &Frame<'_>, issue: &Issue, people: &People) -> Vec<Assignee> {
    let tells = frame.rules.labels.tells_planning();
    assigned(issue)
        .filter_map(|(user, title)| {
            Some(Assignee {
                account: people.account(&user.username)?.clone(),
                label: tells.then(|| planning_label(&title)),
            })
        })
        .collect()
}

fn planning_label(title: &str) -> Label {
    Label {
        color: Some("#6699cc".to_owned()),
        ..plain_label(title)
    }
}

fn plain_label(title: &str) -> Label {
    Label {
        title: title.to_owned(),
        color: None,
        description: None,
    }
}
