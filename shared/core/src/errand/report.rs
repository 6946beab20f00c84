//! What came of an errand. Shown to people, so nothing secret and no text of a hidden issue is in it.

use crate::ids::MirrorId;
use serde::{Deserialize, Serialize};

/// What came of an errand that ended well.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ErrandReport {
    /// Of a look at an instance.
    Instance(InstanceReport),
    /// Of a plan.
    Plan(DrawnPlan),
    /// Of a hook.
    Hook {
        /// The hook's number at the source's GitLab.
        hook_id: i64,
        /// Where it tells.
        url: String,
        /// It is new; otherwise one that told there was set anew.
        created: bool,
        /// Every request will be signed, not only carry a secret.
        signed: bool,
    },
    /// Of a mapping that went.
    Unlinked {
        /// The copy was deleted, now or by an earlier try.
        target_deleted: bool,
    },
    /// Of a mirror that was made.
    Connected {
        /// The mirror.
        mirror_id: MirrorId,
        /// What a person should know of it.
        warnings: Vec<String>,
    },
}

/// How an instance answered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InstanceReport {
    /// Nothing is in the way of mirroring.
    pub well: bool,
    /// One thing each.
    pub findings: Vec<InstanceFinding>,
}

/// Something found out about an instance.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InstanceFinding {
    /// `reachable`, `token`, `scopes`, `expiry`, `user`, `version`, `limits`.
    pub about: String,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub what: String,
    /// What to do about it; empty where nothing needs doing.
    pub mend: String,
}

/// How something is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, with a drawback.
    Warn,
    /// In the way.
    Bad,
}

/// What a sync would send.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct DrawnPlan {
    /// Issues with something to send.
    pub issues: Vec<DrawnIssue>,
    /// Issues in line, or left out.
    pub others: u64,
    /// Requests that a sync will send to change something, or to carry files.
    pub requests: u64,
    /// What could not be planned, and why.
    pub not_planned: Vec<String>,
    /// Issues that were planned but are not shown, because there are too many.
    pub issues_cut: u64,
    /// Steps that are not shown, because there are too many.
    pub steps_cut: u64,
    /// Issues that are due and were not looked at, because there are too many.
    pub not_looked_at: u64,
}

/// What a sync would send for an issue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DrawnIssue {
    /// Its number at the source.
    pub issue: i64,
    /// Its copy will be created.
    pub create: bool,
    /// Its copy will be deleted.
    pub delete: bool,
    /// The requests it takes.
    pub requests: u64,
    /// In order.
    pub steps: Vec<DrawnStep>,
}

/// One step in words.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DrawnStep {
    /// `+`, `~` or `-`.
    pub sign: char,
    /// What.
    pub what: String,
    /// The requests it takes.
    pub requests: u64,
}
