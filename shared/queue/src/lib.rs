//! How work and requests flow: [`delivery`] moves tickets from the dispatcher to the workers,
//! [`signals`] wakes those who wait for either, [`budget`] decides when a request may leave.
//! Each works within one process, or over [Redis](connection::Redis) among many.
//!
//! None is a record. What is owed lives in the store; a lost ticket or a forgotten count makes
//! work late, never lost.

pub mod budget;
pub mod connection;
pub mod delivery;
pub mod names;
pub mod signals;
