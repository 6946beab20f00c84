//! Content for a simulated GitLab: a believable project for people to look at, plain ones for
//! figures, wild ones for tests. The same seed and clock make the same content.

mod cast;
mod demo;
mod dice;
mod edits;
mod fragments;
mod pictures;
mod plain;
mod rich;
mod script;
mod stories;

pub use demo::{SeededProject, demo, empty_target};
pub use edits::edit_something;
pub use plain::plain;
pub use rich::rich;

#[cfg(test)]
mod tests;
