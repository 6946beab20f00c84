//! `mirrors rules`: which labels and issues a mirror takes.

use super::who;
use crate::{
    exit::Ending,
    output, rules,
    service::{Deployment, DeploymentArguments, Schema},
};
use clap::Args;
use mirror_core::{ids::MirrorId, rules::Rules};
use mirror_runtime::Environment;
use mirror_store::{KNOWN_EVERYWHERE, Store};
use serde_json::json;
use std::path::PathBuf;

/// `mirrors rules`
#[derive(Args, Debug)]
pub(crate) struct RulesArguments {
    #[command(flatten)]
    deployment: DeploymentArguments,
    /// The mirror
    #[arg(value_name = "ID")]
    id: i64,
    /// Go by the rules in this file (TOML; docs/rules.md) from now on
    #[arg(long, value_name = "FILE")]
    set: Option<PathBuf>,
    /// Forget the rules: everything is mirrored, under its own name
    #[arg(long, conflicts_with = "set")]
    clear: bool,
}

/// Shows a mirror's rules, or sets them.
pub(super) async fn run(
    arguments: &RulesArguments,
    environment: &Environment,
) -> anyhow::Result<Ending> {
    let given = if arguments.clear {
        Some(Rules::none().clone())
    } else {
        arguments.set.as_deref().map(rules::read).transpose()?
    };
    let deployment = Deployment::open(&arguments.deployment, environment, Schema::AsItIs).await?;
    let store = &deployment.store;
    let id = MirrorId(arguments.id);
    let Some(given) = given else {
        let text = rules::written(&store.rules(id).await?.text)?;
        output::line(if text.is_empty() {
            "# no rules: everything is mirrored, under its own name"
        } else {
            text.trim_end()
        });
        return Ok(Ending::Well);
    };
    if set(store, id, &given).await? {
        let after = Some(json!({"rules": given.text()}));
        who::did(store, environment, "mirror.rules", id, after).await?;
        deployment.signals.owed();
        output::line(&format!(
            "mirror {id} goes by other rules from now on; its next scan looks at everything"
        ));
    } else {
        output::line(&format!("mirror {id} went by these rules already"));
    }
    Ok(Ending::Well)
}

/// Sets the rules of a mirror that workers may know by its old ones. `false`: they are the same.
async fn set(store: &Store, id: MirrorId, rules: &Rules) -> anyhow::Result<bool> {
    let known_at = store.now() + KNOWN_EVERYWHERE;
    Ok(store.set_rules(id, rules.text(), known_at).await?)
}

/// Sets the rules of a mirror that is added. If it is new, no worker knows it by any.
pub(super) async fn set_first(
    store: &Store,
    id: MirrorId,
    rules: &Rules,
    new: bool,
) -> anyhow::Result<()> {
    if new {
        store.set_rules(id, rules.text(), store.now()).await?;
    } else {
        set(store, id, rules).await?;
    }
    Ok(())
}
