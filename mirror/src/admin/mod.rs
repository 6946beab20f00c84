//! Administration of a service: what it mirrors, what it does, what it waits for.

mod add;
mod adopt;
mod instances;
mod issues;
mod jobs;
mod mirrors;
mod pair;
mod rules;
mod runs;
mod table;
mod why;
mod workers;

pub(crate) use instances::{InstancesCommand, instances};
pub(crate) use issues::{IssuesCommand, issues};
pub(crate) use jobs::{JobsCommand, jobs};
pub(crate) use mirrors::{MirrorsCommand, mirrors};
pub(crate) use pair::refuse_half;
pub(crate) use runs::{RunsCommand, held_back, runs};
pub(crate) use workers::{WorkersArguments, workers};
