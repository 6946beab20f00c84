//! What is known of each source issue under a mirror.

mod find;
pub(crate) mod list;
mod record;
mod row;

pub use find::Side;
pub use list::{Found, IssueFilter, ListedIssue, StatusCount};
pub(crate) use record::{save, target_taken};
