//! Stories about the core that need a judge from outside.

// Tells the lints that the functions around the tests, too, are tests.
#![cfg(test)]

mod corpora;
mod judges;
mod markdown_cases;
mod markdown_exceptions;
mod markdown_fragments;
mod markdown_mentions;
mod markdown_properties;
mod markdown_references;
mod markdown_uploads;
