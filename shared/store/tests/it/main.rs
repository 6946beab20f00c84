//! Stories of the record. Most are told on every database the store runs on.

// Tells the lints that the functions around the tests, too, are tests.
#![cfg(test)]

mod access;
mod adopting;
mod audit;
mod both_ways;
mod claiming;
mod copying;
mod creating;
mod crowds;
mod edits;
mod errands;
mod faults;
mod files;
mod filters;
mod gone;
mod history;
mod hooks;
mod issue_links;
mod jobs;
mod listed;
mod mapping;
mod mirroring;
mod model;
mod moves;
mod owing;
mod pairs;
mod references;
mod rules;
mod runs;
mod schedule;
mod schemas;
mod servers;
mod service;
mod settings;
mod sharing;
mod tickets;
mod transfers;
mod world;
