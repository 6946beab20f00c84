//! The engine against two simulated GitLabs, judged by what these hold in the end.

// Tells the lints that the functions around the tests, too, are tests.
#![cfg(test)]

mod adopting;
mod adopting_pairs;
mod answers;
mod both_ways;
mod ceilings;
mod confidential;
mod connecting;
mod crashes;
mod discovering;
mod disturbed;
mod editions;
mod errand_plans;
mod errands;
mod figures;
mod filters;
mod first_sync;
mod flips;
mod gone_comments;
mod gone_issues;
mod hidden_files;
mod hidden_parts;
mod issue_links;
mod label_rules;
mod large_files;
mod late_requests;
mod leases;
mod long_threads;
mod lost_answers;
mod lost_record;
mod mending;
mod mentions;
mod moved_issues;
mod ours_only;
mod owned_people;
mod people;
mod plans;
mod poison;
mod preserved;
mod protecting;
mod reactions;
mod references;
mod rings;
mod serving;
mod storms;
mod support;
mod switches;
mod threads;
mod titles;
mod unlinked;
mod waiting;
mod whole;
mod whose_fault;
