//! `audit`: who changed what.

use super::{table, time::Since};
use crate::{
    exit::Ending,
    progress,
    service::{Deployment, DeploymentArguments, Schema},
};
use chrono::{DateTime, Utc};
use clap::Args;
use mirror_runtime::Environment;
use mirror_store::{AuditFilter, Audited};
use serde::Serialize;
use serde_json::Value;

/// How `audit` is used.
pub(crate) const EXAMPLE: &str = "\
Example:
  issue-mirror audit --since 7d --what mirror.
  issue-mirror audit --object mirror/7 --json";

/// `audit`
#[derive(Args, Debug)]
pub(crate) struct AuditArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// Only since then: `7d`, `12h`, `2026-11-01`, `2026-11-01T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = Since::parse)]
    since: Option<Since>,
    /// Only of this one: `user:anna`, `token:ci`, `cli:root`
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Only what begins so: `mirror.`, `token.revoke`
    #[arg(long, value_name = "WHAT")]
    what: Option<String>,
    /// Only of this thing: `mirror/7`
    #[arg(long, value_name = "OBJECT")]
    object: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value = "50")]
    limit: u32,
    /// Print JSON, with what was before and after
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    at: DateTime<Utc>,
    who: String,
    what: String,
    object: String,
    before: Option<Value>,
    after: Option<Value>,
    request_id: Option<String>,
    address: Option<String>,
}

impl From<Audited> for Shown {
    fn from(entry: Audited) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            who: entry.who,
            what: entry.what,
            object: entry.object,
            before: entry.before,
            after: entry.after,
            request_id: entry.request_id,
            address: entry.address,
        }
    }
}

/// Runs `audit`.
pub(crate) async fn audit(
    arguments: &AuditArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    progress::init_logging(environment, "warn")?;
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let filter = AuditFilter {
        who: arguments.who.clone(),
        what: arguments.what.clone(),
        object: arguments.object.clone(),
        since: arguments.since.map(|since| since.before(store.now())),
        ..AuditFilter::default()
    };
    let found = store.audited(&filter, arguments.limit).await?;
    let rows: Vec<Shown> = found.into_iter().map(Shown::from).collect();
    table::print(
        &rows,
        arguments.json,
        &["WHEN", "WHO", "WHAT", "OBJECT", "FROM"],
        |row| {
            vec![
                table::time(Some(row.at)),
                row.who.clone(),
                row.what.clone(),
                row.object.clone(),
                row.address.clone().unwrap_or_default(),
            ]
        },
        "nothing was changed, or not since then",
    )?;
    Ok(Ending::Well)
}
