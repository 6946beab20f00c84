//! Stories of the queue as its users see it.

mod delivering;
mod limiter;
mod saturation;
