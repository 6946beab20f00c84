//! Stories of the record. Most are told on every database the store runs on.

mod adopting;
mod claiming;
mod creating;
mod files;
mod history;
mod mapping;
mod mirroring;
mod model;
mod owing;
mod sharing;
mod tickets;
mod world;
