//! For tests and benchmarks, of whatever crate.

mod counts;
mod database;
mod filled;
#[cfg(test)]
mod still;

pub use counts::miscounted;
#[cfg(test)]
pub(crate) use counts::{MIRRORS_MISCOUNTED, RUNS_MISCOUNTED};
pub use database::{TestDatabase, TestDatabaseError, VARIABLE};
pub use filled::{Filled, fill};
#[cfg(test)]
pub(crate) use still::Still;
