//! `mirrors adopt`: issues that were on the target before their mirror.

use super::who;
use crate::{
    exit::Ending,
    output, pairs,
    service::{Deployment, DeploymentArguments, Schema},
};
use clap::Args;
use mirror_core::ids::{Iid, MirrorId};
use mirror_runtime::Environment;
use serde_json::json;
use std::path::PathBuf;

/// `mirrors adopt`
#[derive(Args, Debug)]
pub(crate) struct AdoptArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The mirror
    #[arg(value_name = "ID")]
    id: i64,
    /// Which target issue is the mirror of which source issue: CSV with the header
    /// `source_iid,target_iid`. Title, text and fields of these are overwritten
    #[arg(value_name = "FILE", required_unless_present = "drop")]
    file: Option<PathBuf>,
    /// Do not adopt the pair of this source issue any more. Can be given again
    #[arg(long, value_name = "N", conflicts_with = "file", value_parser = clap::value_parser!(i64).range(1..))]
    drop: Vec<i64>,
}

pub(super) async fn adopt(
    arguments: &AdoptArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    let pairs = arguments.file.as_deref().map(pairs::read).transpose()?;
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let mirror = store.mirror(MirrorId(arguments.id)).await?.id;
    if let Some(pairs) = pairs {
        pairs::ask(store, mirror, &pairs).await?;
        let told = pairs
            .iter()
            .map(|pair| json!({"source_iid": pair.source.0, "target_iid": pair.target.0}))
            .collect();
        who::did(store, environment, "mirror.adopt", mirror, Some(told)).await?;
        deployment.signals.owed();
        output::line(&format!(
            "{} adopted by mirror {mirror}'s next jobs; `issue-mirror jobs list` tells of those that \
             cannot be",
            match pairs.len() {
                1 => "1 issue is".to_owned(),
                count => format!("{count} issues are"),
            }
        ));
    }
    for source in &arguments.drop {
        let dropped = store.forget_adoption(mirror, Iid(*source)).await?;
        if dropped {
            let after = json!({"source_iid": source});
            who::did(
                store,
                environment,
                "mirror.drop_adoption",
                mirror,
                Some(after),
            )
            .await?;
        }
        output::line(&if dropped {
            format!("the pair of #{source} is dropped")
        } else {
            format!("no pair of #{source} waits to be adopted")
        });
    }
    Ok(Ending::Well)
}
