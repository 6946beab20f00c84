//! Steps in words.

use crate::{
    desired::Place,
    issue::State,
    issue_links::LinkKind,
    people::Account,
    plan::{IssueEdit, NewIssue, Step},
};
use std::time::Duration;

/// A step in words. Nothing of a confidential issue or an internal note is among them.
pub(super) fn drawn(step: &Step, confidential: bool) -> (char, String) {
    let told = |text: &str| {
        if confidential {
            "(confidential)".to_owned()
        } else {
            text.to_owned()
        }
    };
    match step {
        Step::TransferUpload { hidden: true, .. } => ('+', "file (confidential)".to_owned()),
        Step::TransferUpload { filename, .. } => ('+', format!("file {}", told(filename))),
        Step::CreateLabel(label) => ('+', format!("label {}", label.title)),
        Step::CreateIssue(NewIssue {
            title,
            labels,
            assignees,
            ..
        }) => {
            let labels = if labels.is_empty() || confidential {
                String::new()
            } else {
                format!(" [{}]", labels.join(", "))
            };
            let people = if assignees.is_empty() || confidential {
                String::new()
            } else {
                format!(" for {}", names(assignees).join(", "))
            };
            ('+', format!("issue {}{labels}{people}", told(title)))
        }
        Step::Restrict => ('~', "make confidential".to_owned()),
        Step::UpdateIssue(edit) => ('~', format!("change {}", changed(edit, confidential))),
        Step::SetState(State::Closed) => ('~', "close".to_owned()),
        Step::CloseAsOf(at) => ('~', format!("close as of {}", at.format("%F %R UTC"))),
        Step::SetState(State::Opened) => ('~', "reopen".to_owned()),
        Step::SetTimeEstimate(0) => ('-', "estimate".to_owned()),
        Step::SetTimeEstimate(seconds) => ('~', format!("estimate {}", span(*seconds))),
        Step::AddSpentTime(seconds) if *seconds < 0 => {
            ('-', format!("time spent {}", span(-seconds)))
        }
        Step::AddSpentTime(seconds) => ('+', format!("time spent {}", span(*seconds))),
        Step::CreateNote(note) => {
            let kind = match (note.internal, note.place) {
                (true, _) => "internal comment",
                (false, Place::Plain) => "comment",
                (false, Place::Start) => "thread",
                (false, Place::Reply) => "reply",
            };
            ('+', format!("{kind} (source note {})", note.source_note))
        }
        Step::UpdateNote { source_note, .. } => {
            ('~', format!("comment (source note {source_note})"))
        }
        Step::DeleteNote { source_note, .. } => {
            ('-', format!("comment (source note {source_note})"))
        }
        Step::WithdrawNote { source_note, .. } => (
            '-',
            format!("text of an answered comment (source note {source_note})"),
        ),
        Step::SetResolved { resolved: true, .. } => ('~', "resolve a thread".to_owned()),
        Step::SetResolved {
            resolved: false, ..
        } => ('~', "open a thread again".to_owned()),
        Step::CreateLink { other, kind } => {
            let kind = match kind {
                LinkKind::RelatesTo => "relates to",
                LinkKind::Blocks => "blocks",
                LinkKind::IsBlockedBy => "is blocked by",
            };
            ('+', format!("link: {kind} the copy of #{other}"))
        }
        Step::RemoveLink { other } => ('-', format!("link to the copy of #{other}")),
        Step::Open => ('~', "make public".to_owned()),
        Step::DeleteIssue => ('-', "issue".to_owned()),
    }
}

fn changed(edit: &IssueEdit, confidential: bool) -> String {
    let mut fields: Vec<String> = Vec::new();
    let named = [
        (edit.title.is_some(), "title"),
        (edit.description.is_some(), "description"),
        (edit.due_date.is_some(), "due date"),
        (edit.weight.is_some(), "weight"),
        (edit.issue_type.is_some(), "type"),
        (edit.locked == Some(true), "locked"),
        (edit.locked == Some(false), "unlocked"),
    ];
    fields.extend(
        named
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, name)| (*name).to_owned()),
    );
    if confidential && !(edit.add_labels.is_empty() && edit.remove_labels.is_empty()) {
        fields.push("labels".to_owned());
    } else {
        fields.extend(edit.add_labels.iter().map(|label| format!("+{label}")));
        fields.extend(edit.remove_labels.iter().map(|label| format!("-{label}")));
    }
    if confidential && !(edit.assign.is_empty() && edit.unassign.is_empty()) {
        fields.push("assignees".to_owned());
    } else {
        let assign = names(&edit.assign).into_iter();
        fields.extend(assign.map(|name| format!("assign {name}")));
        let unassign = names(&edit.unassign).into_iter();
        fields.extend(unassign.map(|name| format!("unassign {name}")));
    }
    fields.join(", ")
}

fn names(people: &[Account]) -> Vec<&str> {
    people
        .iter()
        .map(|account| account.username.as_str())
        .collect()
}

fn span(seconds: i64) -> String {
    took(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// A time in words.
pub fn took(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_of_a_hidden_file_is_told() {
        for (hidden, confidential) in [(true, false), (false, true), (true, true)] {
            let filename = "zebra.png".to_owned();
            let step = Step::TransferUpload { filename, hidden };
            let (_, what) = drawn(&step, confidential);
            assert_eq!(what, "file (confidential)");
        }
        let filename = "zebra.png".to_owned();
        let hidden = false;
        let (_, what) = drawn(&Step::TransferUpload { filename, hidden }, false);
        assert_eq!(what, "file zebra.png");
    }
}
