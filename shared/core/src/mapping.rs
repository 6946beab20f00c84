//! What is recorded about a mirrored issue, its comments, its files, and the creates under way.

use crate::{
    ids::{Iid, InstanceId, IntentId, IssueId, MirrorId, NoteId, ProjectId, UserId},
    merge::{Base, Sides},
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What is known of one source issue under one mirror. Exists from the first read, before there is
/// a target, so that a skipped issue is settled too.
#[derive(Clone, PartialEq, Debug)]
pub struct IssueMapping {
    /// The mirror.
    pub mirror: MirrorId,
    /// The source issue.
    pub source_iid: Iid,
    /// The source issue's id.
    pub source_id: IssueId,
    /// Its title, for people to find it by; none of a confidential one, nor of one that is gone.
    pub title: Option<String>,
    /// The mirror of it, once there is one.
    pub target: Option<TargetIssue>,
    /// What the last complete read of the source found.
    pub read: Option<SourceRead>,
    /// Digest of everything rendered for it, when it was last brought in line; `None` makes the
    /// next job compare with the target field by field.
    pub fingerprint: Option<String>,
    /// Labels that were absent before we added them.
    pub owned_labels: BTreeSet<String>,
    /// People who were not assigned before we assigned them.
    pub owned_assignees: BTreeSet<UserId>,
    /// Seconds of logged time carried from source to target so far; `None` when that knowledge was
    /// lost with the state.
    pub carried_spent: Option<i64>,
    /// What both sides were when they were last settled; `None` when that knowledge was lost with the
    /// state, or was never kept.
    pub base: Option<Base>,
    /// The source issue is itself the copy of this target, made by the other half of a pair: what its
    /// people do flows back.
    pub is_reverse: bool,
    /// How it stands.
    pub status: MappingStatus,
}

impl IssueMapping {
    /// A person took the issue out of the mirror: nothing of it crosses any more.
    pub fn is_unlinked(&self) -> bool {
        matches!(self.status, MappingStatus::Blocked(_))
    }
}

/// The mirror of an issue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetIssue {
    /// Unique in the target's instance.
    pub id: IssueId,
    /// Its number in the target project.
    pub iid: Iid,
    /// `updated_at` of the last answer that showed it.
    pub updated_at: DateTime<Utc>,
    /// `user_notes_count` of the last answer that showed it, and the notes we added since.
    pub notes_count: i64,
    /// Digest of the fields we care for, of the last answer that showed it: tells somebody's edit
    /// from the echo of our own.
    pub digest: Option<String>,
}

/// What a complete read of a source issue found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceRead {
    /// The instance's own clock when the read began.
    pub read_at: DateTime<Utc>,
    /// `updated_at` as read.
    pub updated_at: DateTime<Utc>,
    /// `user_notes_count` as read.
    pub notes_count: i64,
}

/// How a mapping stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status", content = "reason")]
pub enum MappingStatus {
    /// Never brought in line yet.
    Pending,
    /// In line when last looked at.
    Synced,
    /// Left out, for a reason that a person can read.
    Skipped(String),
    /// A person took the issue out of the mirror, until one puts it back.
    Blocked(String),
    /// Failed; owed still.
    Failed(String),
}

/// What is known of one source note.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteMapping {
    /// The source note.
    pub source_note: NoteId,
    /// The thread it stands in, on the source.
    pub source_discussion: String,
    /// The mirror of it; `None` when it was skipped.
    pub target_note: Option<NoteId>,
    /// The thread it stands in, on the target.
    pub target_discussion: Option<String>,
    /// Digest of what was rendered for it.
    pub fingerprint: Option<String>,
    /// Why it is left out (permanently refused, …).
    pub skipped: Option<String>,
    /// What both sides were when they were last settled; `None` as with issues.
    pub base: Option<Sides>,
}

/// A file's way from a source to a target project. Keyed by the source upload and the target
/// project, so that ten mentions of one file are one transfer.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct UploadKey {
    /// The source's instance.
    pub source_instance: InstanceId,
    /// The source project.
    pub source_project: ProjectId,
    /// The hex secret in the upload's link.
    pub secret: String,
    /// The file's name, percent-decoded.
    pub filename: String,
    /// The target's instance.
    pub target_instance: InstanceId,
    /// The target project.
    pub target_project: ProjectId,
}

/// How a file's transfer ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UploadOutcome {
    /// It is there.
    Transferred {
        /// The link as the target gave it (`/uploads/<secret>/<name>`).
        url: String,
        /// Bytes.
        size: i64,
    },
    /// It will not be; an absolute link to the source stands instead.
    Refused {
        /// Why, for a person.
        reason: String,
    },
}

/// What is about to be created on a target. Recorded before it is sent, because the answer may
/// never arrive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Intent {
    /// Ours.
    pub id: IntentId,
    /// The mirror.
    pub mirror: MirrorId,
    /// The source issue concerned.
    pub source_iid: Iid,
    /// What.
    pub what: Intended,
    /// When the request last was about to leave, by the store's clock.
    pub sent_at: DateTime<Utc>,
    /// It was sent a second time; look again later for a twin.
    pub resent: bool,
    /// The answer arrived, even if the lease had been lost by then: the created id.
    pub candidate: Option<i64>,
}

/// What an intent is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Intended {
    /// The mirror of the issue.
    Issue {
        /// The target instance's own clock shortly before it was sent, where known: a look-up need
        /// not go further back.
        since: Option<DateTime<Utc>>,
        /// It asked for its original's number: sent twice it is there once.
        #[serde(default)]
        numbered: bool,
        /// What it asked for, where it is to be told from what somebody made of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        asked: Option<Box<Base>>,
    },
    /// The mirror of one of its notes.
    Note {
        /// The source note.
        source_note: NoteId,
    },
    /// A signed difference of logged time.
    Time {
        /// Seconds, signed.
        step: i64,
        /// The target's total before.
        before: i64,
    },
}

impl Intended {
    /// Whether both are about the same thing.
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Issue { .. }, Self::Issue { .. }) | (Self::Time { .. }, Self::Time { .. }) => {
                true
            }
            (Self::Note { .. }, Self::Note { .. }) => self == other,
            (Self::Issue { .. } | Self::Note { .. } | Self::Time { .. }, _) => false,
        }
    }

    /// The same sent once more, as it is asked for by now. It is looked for since it was first sent.
    #[must_use]
    pub fn again(self, now: Self) -> Self {
        match (self, now) {
            (
                Self::Issue {
                    since, numbered, ..
                },
                Self::Issue { asked, .. },
            ) => Self::Issue {
                since,
                numbered,
                asked,
            },
            (first, _) => first,
        }
    }
}

/// An object on the target that carries our marker but that we may not trust: written by somebody
/// who is none of our users. It blocks the create and waits for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Impostor {
    /// The issue that carries the marker.
    pub target_iid: Iid,
    /// Who wrote it.
    pub author: UserId,
}
