//! What a running process needs of its machine: time, randomness, environment, the state folder
//! with its key and locks, logging, a clean end, and an end for a process that hangs.
//!
//! Everything here is the one home of something that is banned elsewhere (`clippy.toml`).

pub mod clock;
pub mod entropy;
pub mod environment;
pub mod file_lock;
pub mod key;
mod key_change;
pub mod process;
pub mod secret;
pub mod shutdown;
pub mod state_dir;
pub mod telemetry;
pub mod testing;
pub mod watchdog;

pub use clock::SystemClock;
pub use entropy::{SeededEntropy, SystemEntropy};
pub use environment::Environment;
pub use secret::Secret;
pub use shutdown::Shutdown;
