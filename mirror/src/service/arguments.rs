//! What the commands of a service are given.

use clap::Args;
use std::{net::SocketAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

/// Which deployment is meant. Database and Redis come from `DATABASE_URL` and `REDIS_URL`, because
/// they hold passwords.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct DeploymentArguments {
    /// Where the key is kept, and the record unless DATABASE_URL names another place
    /// [default: $XDG_STATE_HOME/issue-mirror]
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
}

/// `scheduler`
#[derive(Args, Debug)]
pub(crate) struct RoleArguments {
    #[command(flatten)]
    pub(crate) deployment: DeploymentArguments,
    /// Answer /healthz, /readyz and /metrics here [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
}

/// `api`
#[derive(Args, Debug)]
pub(crate) struct ApiArguments {
    #[command(flatten)]
    pub(crate) deployment: DeploymentArguments,
    /// Answer here
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
}

/// `all`, `worker`
#[derive(Args, Debug)]
pub(crate) struct WorkerArguments {
    #[command(flatten)]
    pub(crate) deployment: DeploymentArguments,
    /// Jobs under way at once in this process
    #[arg(long, value_name = "N", default_value = "16")]
    pub(crate) concurrency: NonZeroUsize,
    /// How long jobs may go on after SIGTERM before they are left to their leases, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = crate::cli::seconds)]
    pub(crate) grace: Duration,
    /// Answer /healthz, /readyz and /metrics here [default: nowhere]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// A proxy for all requests, `http://proxy:3128` [default: the environment's]
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
    /// Certificates (PEM) trusted besides the system's, on every instance
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
}
