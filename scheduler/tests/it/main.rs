//! Stories of handing out and taking back, on a real record and a real delivery.

// `cfg(test)` tells the lints that the helper functions, too, are tests.
#[cfg(test)]
mod dispatching;
#[cfg(test)]
mod redis_lost;
#[cfg(test)]
mod redis_server;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod sweeping;
#[cfg(test)]
mod ticking;
#[cfg(test)]
mod world;
