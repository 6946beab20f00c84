//! What can go wrong with the record.

use crate::{
    Handle,
    fault::{Fault, fault, is_damaged},
};
use mirror_core::{
    ids::{Iid, InstanceId, InstanceName, IssueId, MirrorId, NoteId, RunId},
    mapping::Intent,
};
use std::{io, path::PathBuf};

/// A call to the store that did not succeed. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The lease was lost: another worker may hold the row by now. Stop before the next write.
    #[error("the lease on this work was lost")]
    Fenced,
    /// The issue has an open intent already; it must be looked up and settled first.
    #[error("an earlier create for issue {} is not settled yet", .0.source_iid)]
    IntentOpen(Box<Intent>),
    /// The intent is not there (any more).
    #[error("the intended create is not on record")]
    NoSuchIntent,
    /// The source issue is mapped to another target issue than the one to be recorded: a twin.
    #[error("issue {source_iid} is mapped to another target issue (id {mapped})")]
    AlreadyMapped {
        /// The source issue.
        source_iid: Iid,
        /// The target it is mapped to, and stays mapped to.
        mapped: IssueId,
    },
    /// The source note is mapped to another target note than the one to be recorded: a twin.
    #[error("note {source_note} is mapped to another target note (id {mapped})")]
    NoteMapped {
        /// The source note.
        source_note: NoteId,
        /// The target it is mapped to, and stays mapped to.
        mapped: NoteId,
    },
    /// The target issue or note is the mirror of something else under the same mirror.
    #[error("this target is recorded as the mirror of something else")]
    TargetTaken,
    /// Nothing is recorded of the issue yet.
    #[error("nothing is recorded of issue {0}")]
    NoSuchIssue(Iid),
    /// No such mirror.
    #[error("there is no mirror {0}")]
    NoSuchMirror(MirrorId),
    /// No such instance.
    #[error("there is no instance {0}")]
    NoSuchInstance(InstanceId),
    /// No such run, or it has ended.
    #[error("run {0} is not under way")]
    NoSuchRun(RunId),
    /// A mirror of a project into itself.
    #[error("source and target are the same project")]
    SameProject,
    /// Another registered instance answers to this name.
    #[error("the name {0} belongs to another registered instance")]
    NameTaken(InstanceName),
    /// Another instance has this title.
    #[error("there is another instance called {0}")]
    TitleTaken(String),
    /// Another person, or another token, is called so.
    #[error("there is another one called {0}; choose another name")]
    HandleTaken(Handle),
    /// Nobody is called so.
    #[error("there is no user {0}")]
    NoSuchUser(String),
    /// No such token, or it is revoked.
    #[error("there is no such token, or it is revoked already")]
    NoSuchToken,
    /// Nobody would be left who lets others in.
    #[error("{0} is the last administrator; make another one first")]
    LastAdmin(String),
    /// The code is not good, or not any more.
    #[error(
        "this code is not good (any more): the service tells a new one at its start, as long as nobody \
         was let in"
    )]
    SetupClosed,
    /// A stored secret does not open.
    #[error(transparent)]
    Sealed(#[from] crate::UnsealError),
    /// There is no place for a copy of the record.
    #[error(
        "no copy of the record could be made; look whether the folder for temporary files has room"
    )]
    NoCopy(#[source] Box<OpenError>),
    /// A row holds what this version cannot read.
    #[error("the record holds {what} that this version cannot read")]
    Unreadable {
        /// What, without its contents.
        what: &'static str,
    },
    /// Others held what was needed for too long, or got in each other's way.
    #[error("the database stayed locked by others")]
    Busy,
    /// The database server cannot be reached, or broke off: it restarts, or the network does.
    #[error("the database cannot be reached")]
    Unreachable(#[source] sqlx::Error),
    /// The database accepts no writing: a standby, a file or a disk that may only be read.
    #[error(
        "the database is read-only; a server that accepts writing, or rights to the file, mend it"
    )]
    ReadOnly(#[source] sqlx::Error),
    /// The disk under the database is full.
    #[error("the database has no space left; free some of its disk")]
    Full(#[source] sqlx::Error),
    /// The database's user may not do this.
    #[error("the database's user lacks a right; grant it the rights on all tables")]
    Denied(#[source] sqlx::Error),
    /// The tables are not those of this version.
    #[error("the schema is not this version's; run issue-mirror migrate with the newest version")]
    Schema(#[source] sqlx::Error),
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] sqlx::Error),
}

impl StoreError {
    /// Whether the job may succeed when it is run again, from a fresh look at the record. What is
    /// wrong with the database itself says nothing against the job, so that is included.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => !is_damaged(error),
            Self::Busy
            | Self::Unreachable(_)
            | Self::ReadOnly(_)
            | Self::Full(_)
            | Self::Denied(_)
            | Self::Schema(_)
            | Self::NoCopy(_)
            | Self::IntentOpen(_)
            | Self::NoSuchIntent
            | Self::AlreadyMapped { .. }
            | Self::NoteMapped { .. } => true,
            Self::Fenced
            | Self::TargetTaken
            | Self::NoSuchIssue(_)
            | Self::NoSuchMirror(_)
            | Self::NoSuchInstance(_)
            | Self::NoSuchRun(_)
            | Self::SameProject
            | Self::NameTaken(_)
            | Self::TitleTaken(_)
            | Self::HandleTaken(_)
            | Self::NoSuchUser(_)
            | Self::NoSuchToken
            | Self::LastAdmin(_)
            | Self::SetupClosed
            | Self::Sealed(_)
            | Self::Unreadable { .. } => false,
        }
    }

    /// That somebody else is called so, if it is that.
    pub(crate) fn taken(error: sqlx::Error, name: &Handle) -> Self {
        let taken = error
            .as_database_error()
            .is_some_and(|error| error.is_unique_violation());
        if taken {
            Self::HandleTaken(name.clone())
        } else {
            error.into()
        }
    }

    /// Whether the lease was lost, so that the job must stop and record nothing more.
    pub fn is_fenced(&self) -> bool {
        matches!(self, Self::Fenced)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match fault(&error) {
            Fault::Busy => Self::Busy,
            Fault::Unreachable => Self::Unreachable(error),
            Fault::ReadOnly => Self::ReadOnly(error),
            Fault::Full => Self::Full(error),
            Fault::Denied | Fault::WrongPassword => Self::Denied(error),
            Fault::Schema => Self::Schema(error),
            Fault::Unreadable => Self::Unreadable { what: "a value" },
            Fault::Damaged | Fault::NoDatabase | Fault::Other => Self::Database(error),
        }
    }
}

/// A state file that could not be opened. The text ends with the mend.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An SQLite database, but of another program.
    #[error(
        "{} is a database of another program; choose another --state-dir or move the file away",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Damaged, or no database at all.
    #[error(
        "{} is damaged or not a database ({detail}); move it away: the next run finds what was \
         mirrored by the markers on the target",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What the check found.
        detail: String,
    },
    /// Written by an older version, or not prepared at all.
    #[error(
        "{} has the schema of an older version ({found}, this one needs {known}); run issue-mirror \
         migrate",
        path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The schema's number in the file; 0 if it has none.
        found: i64,
        /// The one this version needs.
        known: i64,
    },
    /// Written by a newer version of this program.
    #[error(
        "{} was written by a newer version (schema {found}, this one knows {known}); update \
         issue-mirror",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema's number in the file.
        found: i64,
        /// The newest this version knows.
        known: i64,
    },
    /// Another process kept it locked.
    #[error(
        "{} stayed locked by another process; wait for that one to end and try again",
        path.display()
    )]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be read or made.
    #[error("cannot open {}; check that the folder exists and is yours", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The record is on a database server, so there is no file to copy.
    #[error(
        "the record is on a database server and cannot be copied to {}; use the server's own backup",
        path.display()
    )]
    NotAFile {
        /// The copy that was asked for.
        path: PathBuf,
    },
    /// The schema could not be brought up to date.
    #[error(
        "cannot bring the schema of {} up to date; restore the file from a backup, or move it away",
        path.display()
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// The database failed.
    #[error("cannot work with {}; check the disk and the file's permissions", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
}
