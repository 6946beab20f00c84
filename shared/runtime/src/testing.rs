//! Clocks that tests move. Not behind a feature: they are small, and a feature would be built twice.

mod manual_clock;
mod tokio_clock;

pub use manual_clock::ManualClock;
pub use tokio_clock::TokioClock;
