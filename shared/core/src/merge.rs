//! Edits on both sides of a mirrored issue, told apart by what both were when they were last settled
//! (the base). Where the target's people's edits are to be kept, this says what stays.

use crate::{
    desired::{Desired, DesiredNote, Observed},
    fingerprint::Fingerprint,
    ids::NoteId,
    issue::State,
    provenance::alike,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// What becomes of edits that people make on the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EditPolicy {
    /// The source says how a copy looks.
    #[default]
    Overwrite,
    /// What somebody edited there stays until a person decides.
    Protect,
}

/// What a person decided about edits on the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// They are overwritten.
    UseSource,
    /// They stay, until the source changes there, too.
    UseTarget,
}

/// What is to become of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Merged {
    /// Both sides say the same, or differ as they were settled to.
    Settled,
    /// Only the source has changed: the target follows.
    Follow,
    /// Only the target has changed, or nobody knows who has: it stays, and a person is told.
    Edited,
    /// Both have: it stays, and a person is told.
    Both,
}

/// Merges one field. `base` is what source and target were when they were last settled.
pub fn merge<T: PartialEq>(base: Option<(&T, &T)>, source: &T, target: &T) -> Merged {
    if source == target {
        return Merged::Settled;
    }
    let Some((source_then, target_then)) = base else {
        return Merged::Edited;
    };
    match (source == source_then, target == target_then) {
        (true, true) => Merged::Settled,
        (false, true) => Merged::Follow,
        (true, false) => Merged::Edited,
        (false, false) => Merged::Both,
    }
}

/// What of an issue is merged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// Title.
    Title,
    /// Description.
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
    /// Made confidential on the target only; what is hidden at the source always is there, too.
    Confidential,
    /// Labels that were taken off.
    Labels,
    /// Comments of ours.
    Comments,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::State => "state",
            Self::IssueType => "type",
            Self::DueDate => "due date",
            Self::Weight => "weight",
            Self::Estimate => "estimate",
            Self::Confidential => "confidentiality",
            Self::Labels => "labels",
            Self::Comments => "comments",
        })
    }
}

/// What both sides were when they were last settled; digests, but for the titles of labels.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Base {
    /// What the source was rendered to, and what the target showed.
    fields: BTreeMap<Field, (String, String)>,
    /// Labels that the source brought.
    brought: BTreeSet<String>,
    /// Those of them that the target showed.
    shown: BTreeSet<String>,
    /// By source note.
    notes: BTreeMap<NoteId, (String, String)>,
}

/// An issue and its comments, merged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merge {
    /// The rendered source, but for what stays as it is on the target.
    pub desired: Desired,
    /// What somebody edited there.
    pub edited: BTreeSet<Field>,
    /// Labels that stay off.
    off: BTreeSet<String>,
    /// Comments that stay, whatever is settled about them.
    kept_notes: BTreeSet<NoteId>,
    /// Those of them that somebody edited.
    edited_notes: BTreeSet<NoteId>,
}

impl Merge {
    /// Merges the issue itself. Logged time is a matter of differences, and no field.
    pub fn issue(base: Option<&Base>, desired: &Desired, observed: &Observed) -> Self {
        let mut merge = Self::nothing_edited(desired);
        for (field, source, target) in fields(desired, observed) {
            let then = base.and_then(|base| base.fields.get(&field));
            let then = then.map(|(source, target)| (source, target));
            match self::merge(then, &source, &target) {
                Merged::Follow => {}
                Merged::Settled => keep(&mut merge.desired, field, observed),
                Merged::Edited | Merged::Both => {
                    keep(&mut merge.desired, field, observed);
                    merge.edited.insert(field);
                }
            }
        }
        if desired.confidential {
            merge.desired.confidential = true;
            merge.edited.remove(&Field::Confidential);
        }
        merge.labels(base, desired, observed);
        merge
    }

    /// The source as it is: there is nothing to be kept.
    pub fn nothing_edited(desired: &Desired) -> Self {
        Self {
            desired: desired.clone(),
            edited: BTreeSet::new(),
            off: BTreeSet::new(),
            kept_notes: BTreeSet::new(),
            edited_notes: BTreeSet::new(),
        }
    }

    /// Only what the target's people took off is a matter of both sides: what they put on is theirs
    /// anyway.
    fn labels(&mut self, base: Option<&Base>, desired: &Desired, observed: &Observed) {
        for label in &desired.labels {
            let title = &label.title;
            // Without a base nothing says that it ever was there.
            let (brought, shown) = base.map_or((false, false), |base| {
                (base.brought.contains(title), base.shown.contains(title))
            });
            let here = observed.labels.contains(title);
            match merge(Some((&brought, &shown)), &true, &here) {
                Merged::Follow => {}
                Merged::Settled if here => {}
                Merged::Settled => {
                    self.off.insert(title.clone());
                }
                Merged::Edited | Merged::Both => {
                    self.off.insert(title.clone());
                    self.edited.insert(Field::Labels);
                }
            }
        }
        let off = &self.off;
        let stays_on = |title: &String| !off.contains(title);
        self.desired.labels.retain(|label| stays_on(&label.title));
    }

    /// Whether a comment that is to be changed may be; `body` is what the target shows.
    pub fn may_change(&mut self, base: Option<&Base>, note: &DesiredNote, body: &str) -> bool {
        let (source, target) = note_sides(note, body);
        let then = base.and_then(|base| base.notes.get(&note.source_note));
        let then = then.map(|(source, target)| (source, target));
        match merge(then, &source, &target) {
            Merged::Follow => true,
            Merged::Settled => {
                self.kept_notes.insert(note.source_note);
                source == target
            }
            Merged::Edited | Merged::Both => {
                self.kept_notes.insert(note.source_note);
                self.edited_notes.insert(note.source_note);
                self.edited.insert(Field::Comments);
                false
            }
        }
    }
}

impl Base {
    /// Both sides as they are once a merge has been carried out. What somebody edited keeps the base
    /// it had, so that it stays told apart. `bodies` are comments as the target shows them; those
    /// that are not among them are as they were written.
    pub fn after(
        before: Option<&Self>,
        merge: &Merge,
        desired: &Desired,
        observed: &Observed,
        bodies: &BTreeMap<NoteId, &str>,
    ) -> Self {
        let mut base = Self::settled(desired, observed);
        for field in &merge.edited {
            let then = before.and_then(|before| before.fields.get(field));
            match then {
                Some(then) => base.fields.insert(*field, then.clone()),
                None => base.fields.remove(field),
            };
        }
        if let Some(before) = before.filter(|_| merge.edited.contains(&Field::Labels)) {
            let off = merge.off.intersection(&before.shown);
            base.shown.extend(off.cloned());
        }
        for note in &desired.notes {
            let id = note.source_note;
            let then = before.and_then(|before| before.notes.get(&id)).cloned();
            let sides = if merge.edited_notes.contains(&id) {
                then
            } else if merge.kept_notes.contains(&id) {
                let body = bodies.get(&id);
                body.map_or(then, |body| Some(note_sides(note, body)))
            } else {
                Some(note_sides(note, &note.body))
            };
            base.notes.extend(sides.map(|sides| (id, sides)));
        }
        base
    }

    /// What differs was settled to differ: a person decided that what the target shows stays.
    pub fn accepted(mut merge: Merge) -> Merge {
        merge.edited.clear();
        merge.edited_notes.clear();
        merge
    }

    /// The base of a target that nobody has edited since it was last in line, when that was not kept.
    pub fn untouched(desired: &Desired, observed: &Observed) -> Self {
        let mut base = Self::settled(desired, observed);
        for (source, _) in base.fields.values_mut() {
            source.clear();
        }
        base.brought.clear();
        base.shown.clear();
        base
    }

    fn settled(desired: &Desired, observed: &Observed) -> Self {
        let brought: BTreeSet<String> = desired
            .labels
            .iter()
            .map(|label| label.title.clone())
            .collect();
        Self {
            fields: fields(desired, observed)
                .into_iter()
                .map(|(field, source, target)| (field, (source, target)))
                .collect(),
            shown: brought.intersection(&observed.labels).cloned().collect(),
            brought,
            notes: BTreeMap::new(),
        }
    }
}

/// A digest long enough to tell two states of one field apart.
fn digest(write: impl FnOnce(&mut Fingerprint)) -> String {
    let mut print = Fingerprint::new("side/1");
    write(&mut print);
    let mut digest = print.finish();
    digest.truncate(16);
    digest
}

fn note_sides(note: &DesiredNote, body: &str) -> (String, String) {
    let source = digest(|print| {
        print.text(&note.body);
    });
    if alike(&note.body, body) {
        return (source.clone(), source);
    }
    let target = digest(|print| {
        print.text(body);
    });
    (source, target)
}

/// Every field that is merged as a whole: digests of what either side says.
fn fields(desired: &Desired, observed: &Observed) -> Vec<(Field, String, String)> {
    let text = |text: &str| {
        digest(|print| {
            print.text(text);
        })
    };
    let number = |number: Option<i64>| {
        digest(|print| {
            print.number(number);
        })
    };
    let flag = |flag: bool| {
        digest(|print| {
            print.flag(flag);
        })
    };
    let day = |day: Option<chrono::NaiveDate>| {
        let days = day.map(|day| chrono::Datelike::num_days_from_ce(&day));
        number(days.map(i64::from))
    };
    let closed = |state: State| flag(state == State::Closed);
    let told = if alike(&desired.description, &observed.description) {
        text(&desired.description)
    } else {
        text(&observed.description)
    };
    let weight = if observed.has_weight {
        observed.weight
    } else {
        desired.weight
    };
    vec![
        (Field::Title, text(&desired.title), text(&observed.title)),
        (Field::Description, text(&desired.description), told),
        (Field::State, closed(desired.state), closed(observed.state)),
        (
            Field::IssueType,
            text(desired.issue_type.as_str()),
            text(observed.issue_type.as_str()),
        ),
        (
            Field::DueDate,
            day(desired.due_date),
            day(observed.due_date),
        ),
        (Field::Weight, number(desired.weight), number(weight)),
        (
            Field::Estimate,
            number(Some(desired.estimate)),
            number(Some(observed.estimate)),
        ),
        (
            Field::Confidential,
            flag(desired.confidential),
            flag(observed.confidential),
        ),
    ]
}

fn keep(desired: &mut Desired, field: Field, observed: &Observed) {
    match field {
        Field::Title => desired.title.clone_from(&observed.title),
        Field::Description => desired.description.clone_from(&observed.description),
        Field::State => desired.state = observed.state,
        Field::IssueType => desired.issue_type = observed.issue_type.clone(),
        Field::DueDate => desired.due_date = observed.due_date,
        Field::Weight if observed.has_weight => desired.weight = observed.weight,
        Field::Estimate => desired.estimate = observed.estimate,
        Field::Confidential => desired.confidential = observed.confidential,
        Field::Weight | Field::Labels | Field::Comments => {}
    }
}

#[cfg(test)]
mod tests;
