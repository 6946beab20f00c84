//! The real binary as a child process between two simulated GitLabs; judged by what these hold and
//! were asked, by its exit code, and by what it says.

mod adopting;
mod attachments;
mod bad_input;
mod both_ways;
mod figures;
mod given_up;
mod held;
mod help;
mod killed;
mod links;
mod lost_answers;
pub(crate) mod oracle;
mod planning;
mod protecting;
mod rules;
pub(crate) mod stage;
mod tls;
mod told_to_stop;
mod unreadable;
pub(crate) mod world;
