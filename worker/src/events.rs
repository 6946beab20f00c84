//! What happens while jobs run, for whoever shows it: a progress bar, a log, a summary.

use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, MirrorId},
    outcome::Outcome,
    plan::Plan,
};
use std::sync::Arc;

/// Something that happened. Carries no text of an issue, so that it may be shown to anybody who may
/// see the mirror.
#[derive(Clone, Debug)]
pub enum Event {
    /// A scan found issues that are due.
    Found {
        /// The mirror.
        mirror: MirrorId,
        /// How many.
        owed: u64,
    },
    /// A scan is through.
    Scanned {
        /// The mirror.
        mirror: MirrorId,
    },
    /// A job for an issue ended well.
    Issue {
        /// The mirror.
        mirror: MirrorId,
        /// The source issue.
        iid: Iid,
        /// How.
        outcome: Outcome,
        /// Comments written.
        comments: u64,
        /// Files carried over.
        attachments: u64,
    },
    /// A large file was carried over, by a job of its own.
    Carried {
        /// The mirror.
        mirror: MirrorId,
    },
    /// A job waits for a known time; no attempt is burnt.
    Waiting {
        /// The mirror.
        mirror: MirrorId,
        /// The source issue; `None` for the scan.
        iid: Option<Iid>,
        /// Until when, by the store's clock.
        until: DateTime<Utc>,
        /// For what.
        why: String,
    },
    /// A job failed.
    Failed {
        /// The mirror.
        mirror: MirrorId,
        /// The source issue; `None` for the scan.
        iid: Option<Iid>,
        /// What happened, with its causes.
        error: String,
        /// It will not be tried again by itself.
        gave_up: bool,
    },
    /// The mirror rests until what is at fault is mended.
    Paused {
        /// The mirror.
        mirror: MirrorId,
        /// What is at fault, and the mend.
        reason: String,
    },
    /// Something a person should know of a mirrored issue.
    Notice(MirrorId, Iid, Notice),
    /// In plan mode: what would be sent for an issue.
    Planned {
        /// The mirror.
        mirror: MirrorId,
        /// The source issue.
        iid: Iid,
        /// The steps.
        plan: Plan,
        /// The issue is confidential: its text must not be shown.
        confidential: bool,
    },
}

/// Something a person should know of a mirrored issue.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Notice {
    /// The target does not take a field.
    FieldDropped {
        /// Its name.
        field: String,
    },
    /// Copies are to keep their numbers, and another issue has one of them.
    NumberTaken,
    /// The target has no such label, and the mirror's rules create none.
    LabelLeft {
        /// Its name there.
        title: String,
    },
    /// The rules name a user of the target who is not there.
    NoSuchUser {
        /// The source's name.
        from: String,
        /// The target's name.
        to: String,
    },
    /// The rules name users, and not this assignee.
    NotInUserMap {
        /// The source's name.
        username: String,
    },
    /// The target does not let somebody be assigned.
    NotAssignable {
        /// The target's name.
        username: String,
    },
    /// A file stays a link to the source.
    UploadLeft {
        /// Why.
        why: String,
    },
    /// A text is longer than GitLab takes; it ends in a link to the whole.
    TextCut,
    /// The target's issue takes no more comments: later ones stay at the source.
    CommentsFull,
    /// A comment was refused for good.
    NoteRefused {
        /// GitLab's words.
        why: String,
    },
    /// A comment was deleted at the source, but its copy was answered on the target: it stays, without
    /// its text.
    AnsweredCommentGone,
    /// A comment was deleted at the source, but the target does not let its copy be deleted.
    CommentStays {
        /// Why.
        why: String,
    },
    /// So many of an issue's comments are gone at the source that a person should see to it.
    CommentsGone {
        /// How many.
        count: usize,
    },
    /// An issue is out of sight at the source: its copy was hidden.
    CopyHidden,
    /// An issue is gone at the source.
    OriginalGone {
        /// What became of its copy.
        copy: &'static str,
    },
    /// Somebody edited the copy, and that stays.
    EditKept {
        /// What.
        what: String,
        /// The source has changed there, too: a person is to decide.
        conflict: bool,
    },
    /// Both sides of a pair were changed: the original's holds.
    EditLost {
        /// What.
        what: String,
    },
    /// A thread of the target cannot be resolved.
    ThreadStays {
        /// Why.
        why: String,
    },
    /// The target executed something of a mirrored text. Must not happen; please report it.
    CommandExecuted,
    /// The target changed a text while storing it.
    TextAltered,
    /// Logged time on both sides differs and what was carried is not known any more.
    TimeUnknown,
    /// A duplicate, made by a request that landed late, was put out of action.
    TwinDisarmed {
        /// The duplicate.
        target_iid: Iid,
    },
}

/// Receives events; called from jobs, so it must not block.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl Events {
    /// Hands every event to `receive`.
    pub fn new(receive: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }

    /// Nobody listens.
    pub fn none() -> Self {
        Self::new(|_| {})
    }

    pub(crate) fn emit(&self, event: Event) {
        (self.0)(event);
    }
}
