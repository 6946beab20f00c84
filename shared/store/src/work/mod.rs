//! What is owed, and the going round of its tickets: owe, claim, start, end, sweep.

mod claim;
mod claim_errands;
mod close;
mod deal;
mod end;
mod hands;
mod history;
mod jobs;
mod lease;
mod owe;
#[cfg(test)]
pub(crate) mod plans;
mod report;
mod sweep;
mod totals;

pub(crate) use claim::read_priority;
pub use claim::{Claimed, Claiming, Dealt};
pub use end::End;
pub use history::{Attempt, Ending};
pub use jobs::{JobEntry, JobError, JobFilter};
pub use lease::{Started, UnknownJob};
pub use owe::Owe;
pub(crate) use owe::owe_in;
pub use report::{DueSummary, WorkRow, WorkState};
pub use sweep::{Reclaimed, Swept};
pub use totals::WorkTotals;
