//! For tests and benchmarks, of whatever crate.

mod counts;
mod database;
mod filled;
mod hooked;
#[cfg(test)]
mod still;

#[cfg(test)]
pub(crate) use counts::MISCOUNTED;
pub use counts::miscounted;
pub use database::{TestDatabase, TestDatabaseError, VARIABLE};
pub use filled::{Filled, fill};
pub use hooked::hook;
#[cfg(test)]
pub(crate) use still::Still;
