//! A rule that cannot be followed.

/// A rule that cannot be followed, why, and the mend.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the rule {rule} {why}; {mend}")]
pub struct RuleError {
    /// Which, as its file names it: `labels.include "^(a"`.
    pub rule: String,
    /// What is wrong with it.
    pub why: String,
    /// What to do about it.
    pub mend: String,
}

impl RuleError {
    pub(super) fn new(
        rule: impl Into<String>,
        why: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self {
            rule: rule.into(),
            why: why.into(),
            mend: mend.into(),
        }
    }
}
