//! GitLab's text machinery: what it executes, what it links, what a reader sees.

mod command_names;
pub mod duration;
mod entities;
mod html;
mod markdown;
pub mod quick_actions;
mod reference_patterns;
pub mod references;
mod sanitize;
pub mod visible;
