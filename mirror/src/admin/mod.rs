//! Administration of a service: what it mirrors, what it does, what it waits for.

mod add;
mod adopt;
mod audit;
mod instances;
mod issues;
mod jobs;
mod key;
mod mirrors;
mod pair;
mod password;
mod rules;
mod runs;
mod table;
mod time;
mod tokens;
mod users;
mod who;
mod workers;

pub(crate) use audit::{AuditArguments, EXAMPLE as AUDIT_EXAMPLE, audit};
pub(crate) use instances::{InstancesCommand, instances};
pub(crate) use issues::{IssuesCommand, issues};
pub(crate) use jobs::{JobsCommand, jobs};
pub(crate) use key::{EXAMPLE as KEY_EXAMPLE, KeyCommand, key};
pub(crate) use mirrors::{MirrorsCommand, mirrors};
pub(crate) use pair::refuse_half;
pub(crate) use runs::{RunsCommand, held_back, runs};
pub(crate) use tokens::{EXAMPLE as TOKEN_EXAMPLE, TokenCommand, tokens};
pub(crate) use users::{EXAMPLE as USER_EXAMPLE, UserCommand, users};
pub(crate) use workers::{WorkersArguments, workers};
