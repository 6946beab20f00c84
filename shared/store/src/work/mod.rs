//! What is owed, and the going round of its tickets: owe, claim, start, end, sweep.

mod claim;
mod close;
mod end;
mod history;
mod lease;
mod owe;
mod report;
mod sweep;

pub use claim::Claimed;
pub use end::End;
pub use history::{Attempt, Ending};
pub use lease::{Started, UnknownJob};
pub use owe::Owe;
pub(crate) use owe::owe_in;
pub use report::{DueSummary, WorkRow, WorkState};
pub use sweep::{Reclaimed, Swept};
