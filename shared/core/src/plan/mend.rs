//! The difference that references make which lead to a mirror by now.

use super::step::{IssueEdit, Plan, Step};
use crate::{
    desired::Desired,
    ids::NoteId,
    mapping::NoteMapping,
    merge::{Field, What},
};
use std::collections::{BTreeMap, BTreeSet};

/// The digests of an issue and its comments, as they were planned.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Prints {
    issue: String,
    notes: BTreeMap<NoteId, String>,
    spared: BTreeSet<What>,
}

impl Prints {
    /// The same, but for texts that stay as the target's people left them.
    #[must_use]
    pub fn sparing(mut self, edited: impl IntoIterator<Item = What>) -> Self {
        self.spared.extend(edited);
        self
    }
}

impl From<&Desired> for Prints {
    fn from(desired: &Desired) -> Self {
        let notes = desired.notes.iter();
        Self {
            issue: desired.fingerprint(),
            notes: notes
                .map(|note| (note.source_note, note.fingerprint()))
                .collect(),
            spared: BTreeSet::new(),
        }
    }
}

/// What is to be sent once what was planned has been sent, and only texts have changed since: what
/// they refer to has a mirror by now.
pub fn mend(planned: &Prints, desired: &Desired, recorded: &BTreeMap<NoteId, NoteMapping>) -> Plan {
    let now = Prints::from(desired);
    let mut steps = Vec::new();
    let spared = |what: What| planned.spared.contains(&what);
    if now.issue != planned.issue && !spared(What::Field(Field::Description)) {
        steps.push(Step::UpdateIssue(IssueEdit {
            description: Some(desired.description.clone()),
            ..IssueEdit::default()
        }));
    }
    for note in &desired.notes {
        let known = recorded.get(&note.source_note);
        let left_out = known.is_some_and(|known| known.skipped.is_some())
            || spared(What::Comment(note.source_note));
        let before = planned.notes.get(&note.source_note);
        let changed = before.is_some() && before != now.notes.get(&note.source_note);
        if changed && !left_out {
            let target_note = known.and_then(|known| known.target_note);
            steps.push(Step::UpdateNote {
                source_note: note.source_note,
                // One that is not there yet has no number yet.
                target_note: target_note.unwrap_or(NoteId(0)),
                body: note.body.clone(),
            });
        }
    }
    Plan { steps }
}
