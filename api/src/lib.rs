//! What a service tells about itself over HTTP. It never talks to a GitLab.
//!
//! | path | for |
//! |---|---|
//! | `/healthz` | whoever restarts a process that hangs: 200 while it answers at all |
//! | `/readyz` | load balancers and people: 200 or 503, each part by name |
//! | `/metrics` | Prometheus |

mod metrics;
mod routes;
mod serve;
mod state;

pub use metrics::Metrics;
pub use routes::router;
pub use serve::serve;
pub use state::ApiState;
