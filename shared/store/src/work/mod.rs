//! What is owed, and the going round of its tickets: owe, claim, start, end, sweep.

mod alike;
mod claim;
mod claim_errands;
mod close;
mod deal;
mod end;
mod hands;
mod history;
mod job_lists;
mod jobs;
mod lease;
mod owe;
#[cfg(test)]
pub(crate) mod plans;
mod report;
mod sweep;
mod totals;

pub(crate) use alike::fingerprint;
pub(crate) use claim::read_priority;
pub use claim::{Claimed, Claiming, Dealt};
pub use end::End;
#[cfg(test)]
pub(crate) use history::ATTEMPTS;
pub use history::{Attempt, Ending};
pub use job_lists::JobFilter;
#[cfg(test)]
pub(crate) use job_lists::{DEAD, LAST_OWED_BEFORE, PENDING, QUEUED, RUNNING, UNFINISHED};
#[cfg(test)]
pub(crate) use jobs::{BY_KEY, ERRORS, ONE};

pub use jobs::{JobEntry, JobError};
pub use lease::{Started, UnknownJob};
pub use owe::Owe;
pub(crate) use owe::owe_in;
#[cfg(test)]
pub(crate) use report::DUE;
pub use report::{DueSummary, WorkRow, WorkState};
pub use sweep::{Reclaimed, Swept};
#[cfg(test)]
pub(crate) use totals::TOTALS;
pub use totals::WorkTotals;
