//! What went wrong with one request, and what that says about its effect.

mod failure;
mod fate;
mod kind;

pub use failure::Error;
pub use fate::Fate;
pub use kind::{Conflict, ErrorKind, TokenFault};
