//! The engine against two simulated GitLabs, judged by what these hold in the end.

// Tells the lints that the functions around the tests, too, are tests.
#![cfg(test)]

mod adopting;
mod confidential;
mod connecting;
mod crashes;
mod discovering;
mod editions;
mod figures;
mod first_sync;
mod hidden_parts;
mod large_files;
mod late_requests;
mod leases;
mod long_threads;
mod lost_answers;
mod mending;
mod ours_only;
mod plans;
mod poison;
mod references;
mod rings;
mod serving;
mod storms;
mod support;
mod switches;
mod waiting;
mod whose_fault;
