//! Mirroring by itself: the parts that a service is made of, in one process or in many.

mod alone;
mod arguments;
mod deployment;
mod first;
mod migrate;
mod poison;
mod roles;
mod telling;
mod working;

pub(crate) use arguments::{ApiArguments, DeploymentArguments, RoleArguments, WorkerArguments};
pub(crate) use deployment::{Deployment, Schema, is_shared};
pub(crate) use migrate::migrate;
pub(crate) use roles::{all, api, scheduler, worker};
