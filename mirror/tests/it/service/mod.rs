//! The service as processes: all in one on a file, and scaled out over PostgreSQL and Redis, killed,
//! starved and misled; judged by what the simulated GitLabs hold.

mod access;
mod alone;
mod bad_input;
mod chaos;
mod draining;
mod first;
mod fleet;
mod http;
mod keys;
mod over_http;
mod poison;
mod servers;
mod trail;
