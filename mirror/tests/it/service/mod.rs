//! The service as processes: all in one on a file, and scaled out over PostgreSQL and Redis, killed,
//! starved and misled; judged by what the simulated GitLabs hold.

mod alone;
mod bad_input;
mod chaos;
mod fleet;
mod poison;
mod servers;
