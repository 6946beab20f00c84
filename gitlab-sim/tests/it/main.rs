//! Each test is one fact about how GitLab behaves, seen on the wire.

// Tells the lints that the functions around the tests, too, are tests.
#![cfg(test)]

mod creating;
mod editions;
mod faults;
mod labels;
mod limits;
mod listing;
mod notes;
mod paging;
mod quick_actions;
mod references;
mod rights;
mod site;
mod socket;
mod threads;
mod time;
mod touching;
mod updating;
mod uploads;
