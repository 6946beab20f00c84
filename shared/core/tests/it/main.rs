//! Stories about the core that need a judge from outside.

mod markdown_cases;
mod markdown_exceptions;
mod markdown_fragments;
mod markdown_mentions;
mod markdown_properties;
mod markdown_references;
mod markdown_uploads;
