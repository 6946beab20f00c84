//! What is known of each source issue under a mirror.

mod find;
mod record;
mod row;

pub use find::Side;
pub(crate) use record::{save, target_taken};
