//! What a run looks at, how it stands, what it did.

use crate::StoreError;
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{MirrorId, RunId},
    sent::SentRequests,
};

/// What a run looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunKind {
    /// Everything.
    Full,
    /// What changed.
    Incremental,
    /// One issue.
    SingleIssue,
}

impl RunKind {
    /// As people and the database call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full_sync",
            Self::Incremental => "incremental_sync",
            Self::SingleIssue => "single_issue",
        }
    }

    pub(super) fn read(name: &str) -> Result<Self, StoreError> {
        match name {
            "full_sync" => Ok(Self::Full),
            "incremental_sync" => Ok(Self::Incremental),
            "single_issue" => Ok(Self::SingleIssue),
            _ => Err(StoreError::Unreadable {
                what: "a run's kind",
            }),
        }
    }
}

/// How a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunStatus {
    /// Under way.
    Running,
    /// Ended, nothing failed.
    Completed,
    /// Ended, something failed and is owed still.
    Partial,
    /// Could not do its work at all.
    Failed,
    /// Its process ended before it did.
    Interrupted,
    /// A person ended it; what it had found is owed still.
    Cancelled,
}

impl RunStatus {
    /// As people and the database call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Cancelled => "cancelled",
        }
    }

    /// As [`RunStatus::name`] writes it.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] for another word.
    pub fn read(name: &str) -> Result<Self, StoreError> {
        match name {
            "running" => Ok(Self::Running),
            "completed" => Ok(Self::Completed),
            "partial" => Ok(Self::Partial),
            "failed" => Ok(Self::Failed),
            "interrupted" => Ok(Self::Interrupted),
            "cancelled" => Ok(Self::Cancelled),
            _ => Err(StoreError::Unreadable {
                what: "a run's status",
            }),
        }
    }
}

/// What a run did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RunCounts {
    /// Issues looked at.
    pub processed: i64,
    /// Of these, created on the target.
    pub created: i64,
    /// Changed on the target.
    pub updated: i64,
    /// In line already.
    pub unchanged: i64,
    /// Left out on purpose.
    pub skipped: i64,
    /// Given up, or owed still when the run was ended before its time.
    pub failed: i64,
    /// Comments created.
    pub comments: i64,
    /// Files transferred.
    pub attachments: i64,
    /// Requests sent.
    pub api_calls: i64,
    /// How often a request had to wait: for its turn, for a limit to pass, or after a failure.
    pub waits: i64,
}

/// What one try at a row of work took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Effort {
    /// Comments created.
    pub comments: i64,
    /// Files transferred.
    pub attachments: i64,
    /// Requests sent.
    pub api_calls: i64,
    /// How often one had to wait: for its turn, for a limit to pass, or after a failure.
    pub waits: i64,
}

/// What one try at a row of work took, in numbers and one by one.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Took {
    /// In numbers, for the runs that wait for it.
    pub effort: Effort,
    /// The requests it sent, kept with the try.
    pub requests: SentRequests,
}

/// A run on record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Ours.
    pub id: RunId,
    /// Of which mirror.
    pub mirror: MirrorId,
    /// What it looked at.
    pub kind: RunKind,
    /// How it stands.
    pub status: RunStatus,
    /// Who or what asked for it.
    pub requested_by: String,
    /// What it did; of one under way, what it has done so far.
    pub counts: RunCounts,
    /// What it still waits for: jobs that are not settled. None once it has ended.
    pub open: i64,
    /// What went wrong.
    pub error_details: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
}
