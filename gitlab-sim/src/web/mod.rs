//! The pages that people look at, at the addresses GitLab has them: projects, issues, threads.
//!
//! They show everything, as an administrator sees it, and need no login.

mod activity;
mod files;
mod frame;
mod issue;
mod issue_list;
mod people;
mod pieces;
mod projects;
mod routes;
mod sidebar;
mod site;

pub use routes::router;
