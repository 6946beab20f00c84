//! What a person wants mirrored otherwise than by default: which labels, which issues, whom for
//! whom.
//!
//! [`Document`] is what they write and what is kept; [`Rules`] is the same, checked and ready to be
//! asked. Nothing else makes [`Rules`], so that whoever holds them holds sound ones.

mod document;
mod error;
mod filter;
mod labels;
mod users;

pub use document::{Document, FilterDocument, LabelDocument, Reactions, UserDocument, WhenLeft};
pub use error::RuleError;
pub use filter::{Filter, Outside};
pub use labels::LabelRules;
pub use users::UserRules;

use crate::fingerprint::Fingerprint;
use std::sync::{Arc, LazyLock};

/// The rules of one mirror.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Which labels cross, and under what name.
    pub labels: LabelRules,
    /// Which issues cross.
    pub filter: Filter,
    /// Who people of the source are on the target.
    pub users: UserRules,
    /// Which reactions are counted in the footer.
    pub reactions: Reactions,
    text: String,
}

static NONE: LazyLock<Arc<Rules>> = LazyLock::new(Arc::default);

impl Rules {
    /// No rules: everything crosses, under its own name.
    pub fn none() -> &'static Arc<Self> {
        &NONE
    }

    /// Checks what a person wrote.
    ///
    /// # Errors
    /// The first rule that cannot be followed, why, and the mend.
    pub fn new(document: &Document) -> Result<Self, RuleError> {
        Ok(Self {
            labels: LabelRules::new(&document.labels)?,
            filter: Filter::new(&document.only)?,
            users: UserRules::new(&document.users)?,
            reactions: document.reactions,
            text: document.text(),
        })
    }

    /// Reads what [`Rules::text`] gave.
    ///
    /// # Errors
    /// As [`Rules::new`]; and for a text that is none of this version's.
    pub fn read(text: &str) -> Result<Self, RuleError> {
        Self::new(&Document::read(text)?)
    }

    /// The rules as they are kept; empty for none.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Digest of the rules; empty for none. What was mirrored under another is to be looked at
    /// again.
    pub fn digest(&self) -> String {
        if self.text.is_empty() {
            return String::new();
        }
        let mut print = Fingerprint::new("rules/1");
        print.text(&self.text);
        print.finish()
    }
}

#[cfg(test)]
mod tests;
