//! What a GitLab tells through a hook: whether it is that GitLab, and of which issue it tells. Pure;
//! what is told is a hint, never taken for the issue itself.

mod payload;
mod proof;

pub use payload::{Heard, read};
pub(crate) use proof::proven;
