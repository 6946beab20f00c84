//! Executes jobs: finds what changed under a mirror, and brings one mirrored issue in line with its
//! source. A job re-reads both sides, computes a plan, applies it and records it; what it needs of
//! the outside comes in through the [`Context`].
//!
//! # What things cost
//!
//! In requests, when all goes well; the tests hold it to this (`tests/it/figures.rs`).
//!
//! | what | requests |
//! |---|---|
//! | a scan that finds nothing changed | 1 on each side |
//! | a scan that finds much | 1 on each side, and 1 for each 100 issues on a side |
//! | a scan of an empty project | 1 more, because a list that may not be read is empty, too |
//! | a new issue, with title, text, type, weight, due date and labels | 1 |
//! | … that has comments | 1 for each 100 threads, twice but for the last 100; and 1 a comment |
//! | … that starts an internal thread | 1 more for each such start |
//! | … closed, estimated, with logged time | 1 each |
//! | … with a label that the target lacks | 1 for each label, and 1 for the list of labels, at most every five minutes |
//! | … with a file that the target lacks | 2 for each file, however often it is mentioned |
//! | the first confidential issue on a target, the first internal comment | 1 more |
//! | a changed issue | 1 to read its copy, and 1 for all of title, text, labels, weight, due date and type; 1 each for state, estimate, time, hiding; 2 for showing |
//! | … that has comments | 1 for each 100 threads, as above; 1 for each that is new or edited |
//! | an issue whose last read lies within a minute of its last change | 1 to read it again, for up to 50 such issues; and its comments, as above |
//! | … with a file announced with more than 8 MiB | 3 for each file, and the issue and its comments read once more |
//! | … with more than 100 comments to be created | for each 100 of them the issue, its copy and its comments read once more |
//! | a text that refers to an issue whose mirror came later | 1 to read it again, for up to 50 such issues, and its comments; then as a changed issue |
//! | somebody whom the rules give an account on the target, assigned or mentioned | 1 to look the account up, at most every five minutes; 2 more where the target does not let them be assigned |
//! | any issue that is looked at, where all reactions are to be counted | 1 for each 100 of them, at least 1 |
//! | a create whose answer is lost | 1 or more to look for it |
//! | an issue adopted after lost state | 1 for its labels' history, and its copy and comments read |

mod accounts;
mod connect;
mod context;
mod each;
mod error;
mod events;
mod execute;
mod facts;
mod jobs;
mod lease;
mod link;
mod links;
mod planned;
mod service;
mod stages;
mod target_labels;

pub use accounts::Accounts;
pub use connect::{Connector, Dial, Means, network};
pub use context::{Context, Mode};
pub use each::Each;
pub use error::{Side, SyncError};
pub use events::{Event, Events, Notice};
pub use execute::execute;
pub use facts::Facts;
pub use jobs::transfer_upload::Transfers;
pub use lease::InHand;
pub use link::{End, Link, Settings};
pub use links::Links;
pub use planned::Planned;
pub use service::{Drained, GRACE, Service, UntilShutdown};
pub use target_labels::TargetLabels;
