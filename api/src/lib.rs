//! What a service tells about itself over HTTP, and what it is told. It never talks to a GitLab: what
//! it wants of one is asked for on the record, and done by workers.
//!
//! | path | for |
//! |---|---|
//! | `/healthz` | whoever restarts a process that hangs: 200 while it answers at all |
//! | `/readyz` | load balancers and people: 200 or 503, each part by name |
//! | `/metrics` | Prometheus |
//! | `/api/…` | operators and their programs; described by `/api/openapi.json`, and for reading at `/api/reference/` |

mod access;
mod auth;
mod body;
pub mod credential;
mod edge;
mod etag;
mod hook;
mod idempotency;
mod metrics;
mod openapi;
mod page;
pub mod password;
mod problem;
mod routes;
mod serve;
mod state;
pub mod why;
mod words;
mod wrong;

pub use auth::{ProxiesError, TrustedProxies};
pub use metrics::Metrics;
pub use openapi::openapi;
pub use routes::router;
pub use serve::serve;
pub use state::ApiState;
