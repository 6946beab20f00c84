//! What a copy keeps of its original besides what it says: its number, and when it was written and
//! closed. GitLab lets an Owner set these, and nobody else.

use crate::{ids::Iid, issue::Issue};
use chrono::{DateTime, Utc};
use std::{fmt, str::FromStr};

/// Whether copies keep number and times.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Preserve {
    /// Where token and target allow it.
    #[default]
    Auto,
    /// They are numbered and dated as they are made.
    Never,
    /// Or they are not made.
    Require,
}

impl Preserve {
    /// The word for it, in settings and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Never => "never",
            Self::Require => "require",
        }
    }
}

impl fmt::Display for Preserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Not a word of [`Preserve`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownPreserve;

impl fmt::Display for UnknownPreserve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("write auto, never or require")
    }
}

impl std::error::Error for UnknownPreserve {}

impl FromStr for Preserve {
    type Err = UnknownPreserve;

    fn from_str(text: &str) -> Result<Self, UnknownPreserve> {
        [Self::Auto, Self::Never, Self::Require]
            .into_iter()
            .find(|one| one.name() == text)
            .ok_or(UnknownPreserve)
    }
}

/// An original's own number and times.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Its number.
    pub iid: Iid,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was closed, if it is.
    pub closed_at: Option<DateTime<Utc>>,
}

impl From<&Issue> for Origin {
    fn from(issue: &Issue) -> Self {
        Self {
            iid: issue.iid,
            created_at: issue.created_at,
            closed_at: issue.closed_at,
        }
    }
}

/// Which of these the target is asked to keep, while an issue is first imported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Kept {
    /// The number.
    pub iid: bool,
    /// When issue and comments were created.
    pub created_at: bool,
    /// When the issue was closed.
    pub closed_at: bool,
}
