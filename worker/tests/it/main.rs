//! The engine against two simulated GitLabs, judged by what these hold in the end.

// Tells the lints that the functions around the tests, too, are tests.
#![cfg(test)]

mod confidential;
mod crashes;
mod discovering;
mod editions;
mod figures;
mod first_sync;
mod leases;
mod lost_answers;
mod ours_only;
mod plans;
mod rings;
mod storms;
mod support;
mod switches;
mod whose_fault;
