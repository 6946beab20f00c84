//! Edits on both sides of a mirrored issue, told apart by what both were when they were last settled
//! (the base). Where the target's people's edits are to be kept, this says what stays.

mod back;
mod base;
mod comments;
mod field;
mod issue;
#[cfg(test)]
mod pair_tests;
#[cfg(test)]
mod tests;

pub use back::{flows_back, going_back, own_time};
pub use base::Base;
pub use comments::{Compared, comment, copied, gone_comment, unedited};
pub use field::Field;
pub use issue::Merge;

use crate::{fingerprint::Fingerprint, ids::NoteId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// What becomes of edits that people make on the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum EditPolicy {
    /// The source says how a copy looks.
    #[default]
    Overwrite,
    /// What somebody edited there stays.
    Protect,
}

impl EditPolicy {
    /// The word for it, in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overwrite => "overwrite",
            Self::Protect => "protect",
        }
    }
}

impl fmt::Display for EditPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not the word of a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownEditPolicy;

impl fmt::Display for UnknownEditPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write overwrite or protect")
    }
}

impl std::error::Error for UnknownEditPolicy {}

impl FromStr for EditPolicy {
    type Err = UnknownEditPolicy;

    fn from_str(text: &str) -> Result<Self, UnknownEditPolicy> {
        [Self::Overwrite, Self::Protect]
            .into_iter()
            .find(|policy| policy.name() == text)
            .ok_or(UnknownEditPolicy)
    }
}

/// What a person decided about an edit on the target.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It is overwritten.
    UseSource,
    /// It stays, until the source changes there, too.
    UseTarget,
}

impl Resolution {
    /// Its name in the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::UseSource => "use_source",
            Self::UseTarget => "use_target",
        }
    }

    /// Reads its name in the record.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::UseSource, Self::UseTarget]
            .into_iter()
            .find(|resolution| resolution.name() == name)
    }
}

/// How a mirror merges.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ways {
    /// What becomes of edits on the target.
    pub on_edit: EditPolicy,
    /// State, weight and estimate flow back to the source: it is half of a pair.
    pub flows_back: bool,
}

impl Ways {
    /// Whether nothing is merged: the source says how a copy looks.
    pub fn overwrites_all(self) -> bool {
        self == Self::default()
    }

    fn rule(self, field: Field) -> Rule {
        match (field, self.on_edit) {
            (Field::State | Field::Weight | Field::Estimate, _) if self.flows_back => {
                Rule::FlowBack
            }
            (_, EditPolicy::Protect) => Rule::Protect,
            (_, EditPolicy::Overwrite) => Rule::Overwrite,
        }
    }
}

/// What becomes of an edit of one field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rule {
    Overwrite,
    Protect,
    /// It flows back; where both sides have changed, the original holds.
    FlowBack,
}

/// What is to become of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Merged {
    /// Both sides say the same, or differ as they did when they were settled.
    Settled,
    /// Only the source has changed: the target follows.
    Follow,
    /// Only the target has changed: it stays.
    Kept,
    /// Both have, or nobody knows who has: it stays, and a person is asked.
    Conflict,
}

/// Merges one field. `base` is what source and target were when they were last settled.
pub fn merge<T: PartialEq>(base: Option<(&T, &T)>, source: &T, target: &T) -> Merged {
    if source == target {
        return Merged::Settled;
    }
    let Some((source_then, target_then)) = base else {
        return Merged::Conflict;
    };
    match (source == source_then, target == target_then) {
        (true, true) => Merged::Settled,
        (false, true) => Merged::Follow,
        (true, false) => Merged::Kept,
        (false, false) => Merged::Conflict,
    }
}

/// What either side says of something, in digests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "(String, String)", into = "(String, String)")]
pub struct Sides {
    /// What the source was rendered to.
    pub source: String,
    /// What the target showed.
    pub target: String,
}

impl From<(String, String)> for Sides {
    fn from((source, target): (String, String)) -> Self {
        Self { source, target }
    }
}

impl From<Sides> for (String, String) {
    fn from(sides: Sides) -> Self {
        (sides.source, sides.target)
    }
}

impl Sides {
    fn pair(&self) -> (&String, &String) {
        (&self.source, &self.target)
    }

    /// Both say this.
    fn same(digest: String) -> Self {
        Self {
            source: digest.clone(),
            target: digest,
        }
    }
}

/// What of an issue was edited.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum What {
    /// A field of the issue.
    Field(Field),
    /// The copy of this comment.
    Comment(NoteId),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Comment(note) => write!(f, "comment (source note {note})"),
        }
    }
}

/// Something that was edited on the target, and stays.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Edit {
    /// What.
    pub what: What,
    /// The source has changed there, too, or nobody knows whether it has: a person is to decide.
    pub conflict: bool,
    /// What either side says.
    pub sides: Sides,
    /// The same for people, source first; `None` for what is hidden from the public.
    pub values: Option<(String, String)>,
}

/// What a person decided about an edit, and what both sides said then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Decided {
    /// Which side holds.
    pub resolution: Resolution,
    /// What was decided between. Once the target says something else, the decision is void.
    pub sides: Sides,
}

/// What a person decided, by what it is about.
pub type Decisions = BTreeMap<What, Decided>;

/// The decision about this, if it was about what the target says now.
fn decided<'a>(decisions: &'a Decisions, what: What, target: &str) -> Option<&'a Decided> {
    let decided = decisions.get(&what)?;
    (decided.sides.target == target).then_some(decided)
}

/// A digest long enough to tell two states of one field apart.
fn digest(text: &str) -> String {
    let mut print = Fingerprint::new("side/1");
    print.text(text);
    let mut digest = print.finish();
    digest.truncate(16);
    digest
}

/// A value for people: no more of it than they would read side by side.
fn shown(text: &str) -> String {
    const MOST: usize = 10_000;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
