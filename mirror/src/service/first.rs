//! The first administrator, while nobody was let in yet.

use super::deployment::Deployment;
use crate::{exit::misconfigured, output};
use mirror_api::{TrustedProxies, credential};
use mirror_runtime::Environment;

/// Whose word is taken for where a request comes from: addresses and networks, commas between.
const TRUSTED_PROXIES: &str = "ISSUE_MIRROR_TRUSTED_PROXIES";

/// Tells whoever started the service a code, by which they become its first administrator.
pub(super) async fn offer_setup(deployment: &Deployment) -> anyhow::Result<()> {
    let minted = credential::setup_code(&*deployment.entropy);
    if deployment.store.offer_setup(&minted.digest).await? {
        output::note(&format!(
            "nobody may log in yet; whoever gives this code within a day becomes the first \
             administrator: {} (POST /api/setup; or use `issue-mirror user create`)",
            minted.secret
        ));
    }
    Ok(())
}

/// The proxies, by the environment.
pub(super) fn proxies(environment: &Environment) -> anyhow::Result<TrustedProxies> {
    let Some(text) = environment.text(TRUSTED_PROXIES)? else {
        return Ok(TrustedProxies::default());
    };
    text.parse()
        .map_err(|error| misconfigured(format!("{TRUSTED_PROXIES}: {error}")))
}
