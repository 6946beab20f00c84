//! `mirrors pair`: what the people of a copy do flows back to its original.

use super::{mirrors::OneArguments, who};
use crate::{
    exit::{Ending, misconfigured},
    output,
    service::{Deployment, DeploymentArguments, Schema},
};
use clap::Args;
use mirror_core::ids::MirrorId;
use mirror_runtime::Environment;
use mirror_store::Store;
use serde_json::json;

/// `mirrors pair`
#[derive(Args, Debug)]
pub(crate) struct PairArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The mirror
    #[arg(value_name = "ID")]
    id: i64,
    /// The mirror between the same projects in the opposite direction
    #[arg(value_name = "OTHER")]
    other: i64,
}

pub(super) async fn pair(
    arguments: &PairArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let (one, other) = (MirrorId(arguments.id), MirrorId(arguments.other));
    if !store.declare_pair(one, other).await? {
        return Err(misconfigured(format!(
            "mirrors {one} and {other} do not lead from one project into another and back; add the \
             way back with `issue-mirror mirrors add DST SRC`, then name the two"
        )));
    }
    let after = Some(json!({"pair": other.0}));
    who::did(store, environment, "mirror.pair", one, after).await?;
    deployment.signals.owed();
    output::line(&format!(
        "mirrors {one} and {other} are a pair: comments, state, weight, estimate and logged time of \
         copies flow back, those of before as well; their next scans look at everything"
    ));
    Ok(Ending::Well)
}

pub(super) async fn unpair(
    arguments: &OneArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let id = MirrorId(arguments.id);
    let store = &deployment.store;
    let ended = store.end_pair(id).await?;
    if ended {
        who::did(store, environment, "mirror.unpair", id, None).await?;
    }
    output::line(&if ended {
        format!("mirror {id} and its other half mirror one way each from now on")
    } else {
        format!("mirror {id} is no half of a pair")
    });
    Ok(Ending::Well)
}

/// One half of a pair is not run alone: what flows back needs the other.
pub(crate) async fn refuse_half(store: &Store, id: MirrorId) -> anyhow::Result<()> {
    let Some(other) = store.pair_of(id).await? else {
        return Ok(());
    };
    Err(misconfigured(format!(
        "mirror {id} is a pair with mirror {other}, which a service alone runs; start \
         `issue-mirror all`, or end the pair with `issue-mirror mirrors unpair {id}`"
    )))
}
