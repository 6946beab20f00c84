//! Stories of the queue as its users see it.

// `cfg(test)` tells the lints that the helper functions, too, are tests.
#[cfg(test)]
mod asking;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod delivering;
#[cfg(test)]
mod limiter;
#[cfg(test)]
mod redis_server;
#[cfg(test)]
mod redis_troubles;
#[cfg(test)]
mod saturation;
#[cfg(test)]
mod simulated_gitlab;
