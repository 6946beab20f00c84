//! Two simulated GitLabs, the engine between them, and a judge that looks at the GitLabs alone.

mod clock;
mod copies;
mod deaths;
mod ends;
mod heard;
mod judge;
mod service;
mod stage;
mod strikes;
mod turns;
mod watch;
mod wire;
mod world;

pub(crate) use clock::{LEASE, TestClock};
pub(crate) use copies::{Copy, body_of, claim_of, copies};
pub(crate) use ends::end_of;
pub(crate) use judge::{reads_like, shown};
pub(crate) use service::{Service, cipher};
pub(crate) use stage::{Stage, issue, note};
pub(crate) use strikes::{a_talk, with_an_edit_due};
pub(crate) use watch::{SECRET, exposed, secret};
pub(crate) use wire::direct_client;
pub(crate) use world::World;
