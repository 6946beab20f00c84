//! The client against servers that behave well and badly, by an injected clock.

mod body;
mod limits;
mod pages;
mod projects;
mod retries;
mod support;
mod timeouts;
mod tls;
mod tokens;
mod uploads;
