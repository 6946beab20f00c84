//! How work and requests flow: [`delivery`] moves tickets from the dispatcher to the workers,
//! [`budget`] decides when a request may leave.
//!
//! Neither is a record. What is owed lives in the store; a lost ticket or a forgotten count makes
//! work late, never lost.

pub mod budget;
pub mod delivery;
pub mod names;
