//! The difference between what a mirror should look like and what it looks like, as a list of
//! steps. A step is one thing to send; `plan` prints them, `sync` sends them.

mod diff;
mod mend;
mod notes;
#[cfg(test)]
mod notes_tests;
mod people;
#[cfg(test)]
mod people_tests;
mod step;
#[cfg(test)]
mod tests;

pub use diff::{Known, NEUTRAL_TITLE, diff, expected};
pub use mend::{Prints, mend};
pub use notes::{GoneNote, KnownNotes, diff_notes, is_sweep};
pub use people::{SEVERAL_ASSIGNEES, labels, reassign};
pub use step::{IssueEdit, NewIssue, NewNote, Plan, Step};
