//! The client against a GitLab that nobody wrote for it.

mod faults;
mod files;
mod gitlab;
mod issues;
mod threads;

use gitlab::{Gitlab, comment, created, new_issue};
