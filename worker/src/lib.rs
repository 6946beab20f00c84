//! Executes jobs: finds what changed under a mirror, and brings one mirrored issue in line with its
//! source. A job re-reads both sides, computes a plan, applies it and records it; what it needs of
//! the outside comes in through the [`Context`].

mod context;
mod error;
mod events;
mod execute;
mod facts;
mod jobs;
mod lease;
mod link;
mod stages;
mod target_labels;

pub use context::{Context, Links, Mode, Settings};
pub use error::{Side, SyncError};
pub use events::{Event, Events, Notice};
pub use execute::execute;
pub use facts::Facts;
pub use link::{End, Link};
pub use target_labels::TargetLabels;
