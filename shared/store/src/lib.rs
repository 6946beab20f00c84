//! The record of Issue Mirror: what is mirrored, what is known of each mirrored thing, what is
//! intended and what is owed. The only place that speaks SQL.
//!
//! One concrete [`Store`], on SQLite or PostgreSQL. Three kinds of calls:
//!
//! - reads, which see the last committed state and never wait for a writer;
//! - writes that stand for themselves;
//! - fenced writes, which take the [`Fence`] that [`Store::start`] gave: in their own transaction
//!   they check that the row of work still runs under that ticket, and are refused with
//!   [`StoreError::Fenced`] once the lease was lost.
//!
//! No statement calls a clock: [`Store::now`] is bound wherever a time is needed.

mod access;
mod adoptions;
mod audit;
mod both_ways;
mod cipher;
mod connect;
mod connect_error;
mod copy;
#[cfg(test)]
mod counted;
mod database;
mod edits;
mod errands;
mod error;
mod fault;
mod faults;
mod fence;
mod gone;
mod happened;
mod hooks;
mod impostors;
mod instances;
mod intents;
mod issue_links;
mod issues;
mod listed;
mod mirrors;
mod moves;
mod notes;
mod open;
mod queues;
#[cfg(test)]
mod reads;
mod references;
mod requests;
mod reseal;
mod rules;
mod runs;
mod schedule;
mod schema;
mod seen;
mod server_time;
mod service;
mod settings;
mod sql;
mod targets;
#[cfg(feature = "testing")]
pub mod testing;
mod threads;
mod time;
mod transfers;
mod unlink;
mod uploads;
mod url;
mod walks;
mod work;
mod workers;

pub use access::{
    ApiToken, Handle, HandleError, LoginGate, NewToken, NewUser, Role, RoleError, Session, User,
    UserChange,
};
pub use adoptions::{AskedPair, Pair, PairConflict};
pub use audit::{AuditEntry, AuditFilter, Audited};
pub use cipher::{Cipher, UnsealError};
pub use connect::{ConnectOptions, TimeSource};
pub use connect_error::ConnectError;
pub use database::Store;
pub use edits::KeptEdit;
pub use errands::{Asked, Asking, ErrandEntry, ErrandFilter, ErrandState, MadeMirror};
pub use error::{OpenError, StoreError};
pub use fence::Fence;
pub use gone::{Caution, Missed, Removals};
pub use happened::{Happened, Happening, Place};
pub use hooks::{HookSecrets, Told};
pub use impostors::SightedImpostor;
pub use instances::Instance;
pub use issues::{Found, IssueFilter, ListedIssue, Side, StatusCount};
pub use listed::ListedMirror;
pub use mirrors::{Mirror, MirrorEnd, NewMirror, Watermarks};
pub use moves::MovedTo;
pub use queues::Queue;
pub use requests::Answered;
pub use reseal::Resealed;
pub use rules::{KNOWN_EVERYWHERE, KeptRules};
pub use runs::{
    Effort, Requested, Run, RunCounts, RunFilter, RunGroup, RunKind, RunRequest, RunStatus, Took,
};
pub use schedule::{DueMirror, Schedule, Turn};
pub use schema::Migrated;
pub use service::{InstanceAccess, InstanceEntry};
pub use settings::{Changed, Settings};
pub use targets::{Dropped, TargetFact, TargetFacts};
pub use transfers::{Transfer, TransferState};
pub use unlink::Unlinked;
pub use url::{DatabaseUrl, DatabaseUrlError};
pub use walks::{Adoption, TargetWalk, Twin};
pub use work::{
    Attempt, Claimed, Claiming, Dealt, DueSummary, End, Ending, JobEntry, JobError, JobFilter, Owe,
    Reclaimed, Started, Swept, UnknownJob, WorkRow, WorkState, WorkTotals,
};
pub use workers::{NewWorker, Worker};
