//! The difference in the comments.

use super::step::{NewNote, Step};
use crate::{desired::Desired, ids::NoteId, mapping::NoteMapping};
use std::collections::BTreeMap;

/// The steps that bring the comments in line, oldest first.
///
/// `recorded` is what is mapped, `bodies` the target's comments where they were read (after lost
/// state, in a full run): a comment whose digest is unknown is compared with its body, and
/// rewritten where there is none to compare with.
pub fn diff_notes(
    desired: &Desired,
    recorded: &BTreeMap<NoteId, NoteMapping>,
    bodies: &BTreeMap<NoteId, String>,
    internal_proven: bool,
) -> Vec<Step> {
    let mut proven = internal_proven;
    let mut steps = Vec::new();
    for note in &desired.notes {
        match recorded.get(&note.source_note) {
            Some(mapping) if mapping.skipped.is_some() => {}
            Some(NoteMapping {
                target_note: Some(target),
                fingerprint,
                ..
            }) => {
                let same = match (bodies.get(target), fingerprint) {
                    (Some(body), _) => *body == note.body,
                    (None, Some(print)) => *print == note.fingerprint(),
                    (None, None) => false,
                };
                if !same {
                    steps.push(Step::UpdateNote {
                        source_note: note.source_note,
                        target_note: *target,
                        body: note.body.clone(),
                    });
                }
            }
            Some(_) | None => {
                steps.push(Step::CreateNote(NewNote {
                    source_note: note.source_note,
                    discussion: note.discussion.clone(),
                    place: note.place,
                    body: note.body.clone(),
                    internal: note.internal,
                    neutral_first: note.internal && !proven,
                }));
                proven |= note.internal;
            }
        }
    }
    steps
}
