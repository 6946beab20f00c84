//! Runs: a scan and the jobs it caused, counted.
//!
//! A run owns memberships, not work: which rows it waits for. The end of a row settles the
//! memberships that are older than the ticket that ended, in the same transaction; a run has ended
//! when none is open. So a row may be waited for by several runs, and what a cancelled run had
//! found is owed still.

mod cancel;
mod complete;
mod list;
mod membership;
mod report;
mod request;
mod run;

#[cfg(test)]
pub(crate) use list::{BY_STATUS, PAGE, REASONS};
pub use list::{RunFilter, RunGroup};

pub(crate) use membership::{Settled, attach_found, settle_lost};
#[cfg(test)]
pub(crate) use report::ONE;
pub(crate) use request::TAKE_TURN;
pub use request::{Requested, RunRequest};
pub use run::{Effort, Run, RunCounts, RunKind, RunStatus, Took};
