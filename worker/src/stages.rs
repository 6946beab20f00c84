//! The stages of the walk: discover, read, settle, carry files, apply, record.

pub(crate) mod adopt;
pub(crate) mod apply;
pub(crate) mod ascending;
pub(crate) mod back;
pub(crate) mod case;
pub(crate) mod copies;
pub(crate) mod edits;
pub(crate) mod filter;
pub(crate) mod found_again;
pub(crate) mod found_files;
pub(crate) mod gone;
pub(crate) mod hide;
pub(crate) mod issue_links;
pub(crate) mod lookup;
pub(crate) mod moved;
pub(crate) mod notes;
pub(crate) mod people;
pub(crate) mod preserve;
pub(crate) mod reactions;
pub(crate) mod references;
pub(crate) mod settle;
pub(crate) mod source_walk;
pub(crate) mod target_walk;
pub(crate) mod twins;
pub(crate) mod uploads;
pub(crate) mod vanished;
