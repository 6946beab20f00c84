//! The rules as a person writes them and as they are kept.

use super::RuleError;
use crate::issue::State;
use chrono::NaiveDate;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Rules, unchecked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Document {
    /// Which reactions are counted in the footer. (Stands first, where a file has what is in no
    /// table.)
    #[serde(skip_serializing_if = "is_default")]
    pub reactions: Reactions,
    /// Which labels cross, and under what name.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: LabelDocument,
    /// Which issues cross.
    #[serde(skip_serializing_if = "is_default")]
    pub only: FilterDocument,
    /// Who people of the source are on the target.
    #[serde(skip_serializing_if = "is_default")]
    pub users: UserDocument,
}

/// Rules for the source's labels.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LabelDocument {
    /// Labels that the target lacks are created; `false`: only those that it has are put on.
    #[serde(skip_serializing_if = "is_true")]
    pub create: bool,
    /// Labels for what the target has no field for (milestone, iteration, epic, assignees).
    #[serde(skip_serializing_if = "is_true")]
    pub planning: bool,
    /// Put before each name that is not mapped.
    #[serde(skip_serializing_if = "is_default")]
    pub prefix: String,
    /// Put after each name that is not mapped.
    #[serde(skip_serializing_if = "is_default")]
    pub suffix: String,
    /// Titles that do not cross.
    #[serde(skip_serializing_if = "is_default")]
    pub skip: BTreeSet<String>,
    /// Regular expressions: if there are any, only titles that one of them finds something in
    /// cross.
    #[serde(skip_serializing_if = "is_default")]
    pub include: Vec<String>,
    /// Regular expressions: titles that one of them finds something in do not cross.
    #[serde(skip_serializing_if = "is_default")]
    pub exclude: Vec<String>,
    /// The source's title, and the target's. What is mapped crosses whatever the other rules say.
    #[serde(skip_serializing_if = "is_default")]
    pub map: BTreeMap<String, String>,
}

impl Default for LabelDocument {
    fn default() -> Self {
        Self {
            create: true,
            planning: true,
            prefix: String::new(),
            suffix: String::new(),
            skip: BTreeSet::new(),
            include: Vec::new(),
            exclude: Vec::new(),
            map: BTreeMap::new(),
        }
    }
}

/// Conditions; an issue crosses that meets all that are given.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FilterDocument {
    /// It carries at least one of these.
    #[serde(skip_serializing_if = "is_default")]
    pub any_label: BTreeSet<String>,
    /// It carries all of these.
    #[serde(skip_serializing_if = "is_default")]
    pub all_labels: BTreeSet<String>,
    /// It carries none of these.
    #[serde(skip_serializing_if = "is_default")]
    pub no_label: BTreeSet<String>,
    /// It is of one of these types.
    #[serde(skip_serializing_if = "is_default")]
    pub types: BTreeSet<String>,
    /// It belongs to one of these milestones.
    #[serde(skip_serializing_if = "is_default")]
    pub milestones: BTreeSet<String>,
    /// It is in this state when it is first mirrored.
    #[serde(skip_serializing_if = "is_default")]
    pub state: Option<State>,
    /// It was created on this day (UTC) or later.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "day")]
    pub created_since: Option<NaiveDate>,
    /// It was changed on this day (UTC) or later.
    #[serde(skip_serializing_if = "is_default", deserialize_with = "day")]
    pub updated_since: Option<NaiveDate>,
    /// What becomes of a copy whose issue does not meet the conditions any more.
    #[serde(skip_serializing_if = "is_default")]
    pub when_left: WhenLeft,
}

/// What becomes of a copy whose issue has left what its mirror takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenLeft {
    /// It stays as it is; nothing more of the issue crosses.
    #[default]
    Stop,
    /// It is kept in line as before.
    Follow,
    /// As `Stop`, and it is closed, with a line that says why.
    Close,
}

/// Which reactions are counted in the footer of a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reactions {
    /// None.
    #[default]
    None,
    /// Thumbs up and down, of which the issue itself tells.
    Votes,
    /// All; they have to be read for each issue.
    All,
}

/// Rules for people.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserDocument {
    /// Who is mentioned on the source is mentioned on the target, if the map names them.
    #[serde(skip_serializing_if = "is_default")]
    pub mentions: bool,
    /// The source's username, and the target's.
    #[serde(skip_serializing_if = "is_default")]
    pub map: BTreeMap<String, String>,
}

impl Document {
    /// As it is kept; empty for no rules.
    pub(super) fn text(&self) -> String {
        if is_default(self) {
            return String::new();
        }
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what was kept.
    ///
    /// # Errors
    /// It is none of this version's.
    pub fn read(text: &str) -> Result<Self, RuleError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| {
            RuleError::new(
                "set that is kept",
                format!("cannot be read by this version ({error})"),
                "update this program, or set the mirror's rules anew",
            )
        })
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands every field by reference"
)]
fn is_true(value: &bool) -> bool {
    *value
}

/// A day, as text or as a date of a format that has dates of its own (which comes as a map of one
/// entry).
fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    struct Day;

    impl<'de> Visitor<'de> for Day {
        type Value = NaiveDate;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a day like 2026-01-31")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<NaiveDate, E> {
            text.parse()
                .map_err(|_| E::custom(format!("\"{text}\" is no day; write it like 2026-01-31")))
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NaiveDate, A::Error> {
            let entry = map.next_entry::<String, String>()?;
            let (_, text) = entry.ok_or_else(|| A::Error::custom("no day is given"))?;
            self.visit_str(&text)
        }
    }

    deserializer.deserialize_any(Day).map(Some)
}
