//! The engine against two simulated GitLabs, judged by what these hold in the end.

mod crashes;
mod figures;
mod first_sync;
mod lost_answers;
mod plans;
mod support;
