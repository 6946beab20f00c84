//! Who asks, and from where.

mod client;
pub(crate) mod cookie;
mod identify;
mod role;
mod trail;

pub(crate) use client::Client;
pub use client::{ProxiesError, TrustedProxies};
pub(crate) use identify::{LoggedIn, identify};
pub(crate) use role::RoleName;
pub(crate) use trail::Trail;
