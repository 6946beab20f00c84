//! The client against servers that behave well and badly, by an injected clock.

// `cfg(test)` tells the lints that the helper functions, too, are tests.
#[cfg(test)]
mod body;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod network;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod projects;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod simulator;
#[cfg(test)]
mod support;
#[cfg(test)]
mod timeouts;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod uploads;
