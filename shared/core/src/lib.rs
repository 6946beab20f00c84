//! The pure heart of Issue Mirror: what an issue is, what its mirror should look like, and what is
//! to be done about the difference. No I/O, no clock, no randomness: those come in as values, or
//! through the traits of [`ports`].

pub mod desired;
pub mod discover;
pub mod drawing;
pub mod errand;
pub mod fingerprint;
pub mod gone;
pub mod hook;
pub mod ids;
pub mod issue;
pub mod issue_links;
pub mod job;
pub mod labels;
pub mod mapping;
pub mod markdown;
pub mod merge;
pub mod outcome;
pub mod peer;
pub mod people;
pub mod plan;
pub mod ports;
pub mod preserve;
pub mod project;
pub mod provenance;
pub mod render;
pub mod retry;
pub mod rules;
pub mod sent;
