//! Has the source tell of changes as they happen. Done twice, there is one hook still: one that
//! tells there is looked for first, since GitLab takes any number with the same address.

use super::{Came, connector, refused};
use crate::{Context, Side, SyncError, error::On, lease::Lease};
use base64::{Engine, engine::general_purpose::STANDARD};
use mirror_core::{
    errand::ErrandReport,
    ids::{ErrandId, MirrorId, ProjectId},
    ports::Entropy,
};
use mirror_gitlab::{Client, ErrorKind, Hook, HookSpec};
use mirror_store::HookSecrets;
use url::Url;

pub(super) async fn run(
    cx: &Context,
    lease: &Lease,
    (id, mirror): (ErrandId, MirrorId),
    url: &str,
) -> Result<Came, SyncError> {
    let connector = connector(cx)?;
    let address = Url::parse(url).ok().filter(|url| url.has_host());
    if !address.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
        return Err(refused(format!(
            "a hook cannot tell at {url}; give the web address of this service that the source's \
             GitLab reaches"
        )));
    }
    let source = cx.store.mirror(mirror).await?.source;
    let client = connector.client(Side::Source, source.instance).await?;
    let refusal = |error| denied(&source.path, url, error);
    let there = client.hooks(source.project).await.map_err(refusal)?;
    // Kept before they are sent: whoever comes second sends the same.
    let fresh = secrets(&*cx.entropy);
    let with = (connector.cipher(), &*cx.entropy);
    let secrets = cx
        .store
        .prepare_hook(&lease.fence, (id, mirror), url, fresh, with)
        .await?;
    let spec = HookSpec {
        url,
        token: &secrets.token,
        signing_token: &secrets.signing_key,
    };
    let mut ours = there.into_iter().filter(|hook| hook.url == url);
    cx.may_write(lease)?;
    let (hook, created) = match ours.next() {
        Some(hook) => (client.set_hook(source.project, hook.id, &spec).await, false),
        None => (client.create_hook(source.project, &spec).await, true),
    };
    let hook = hook.map_err(refusal)?;
    for double in ours {
        cx.may_write(lease)?;
        remove(&client, source.project, &double).await?;
    }
    let report = ErrandReport::Hook {
        hook_id: hook.id,
        url: hook.url,
        created,
        signed: hook.signs,
    };
    let of = (id, mirror);
    cx.store
        .hook_is_set(&lease.fence, of, hook.id, &report)
        .await?;
    Ok(Came::Recorded)
}

/// A create whose answer was lost may have left one more.
async fn remove(client: &Client, project: ProjectId, double: &Hook) -> Result<(), SyncError> {
    match client.delete_hook(project, double.id).await {
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(()),
        done => done.on(Side::Source),
    }
}

fn denied(path: &str, url: &str, error: mirror_gitlab::Error) -> SyncError {
    let side = Side::Source;
    let kind = error.kind();
    if matches!(
        kind,
        ErrorKind::Forbidden | ErrorKind::InsufficientScope { .. } | ErrorKind::NotFound
    ) {
        return refused(format!(
            "the hooks of {path} are a Maintainer's, with a token of scope api ({error}); store \
             such a token for the source, or go without a hook: it is polled anyway"
        ));
    }
    if matches!(kind, ErrorKind::Validation { .. }) {
        return refused(format!(
            "the source's GitLab takes no hook at {url} ({error}); give an address that it may \
             reach, or have its administrator allow local ones"
        ));
    }
    SyncError::GitLab {
        side,
        source: error,
    }
}

fn secrets(entropy: &dyn Entropy) -> HookSecrets {
    HookSecrets {
        token: hex::encode(random(entropy)),
        signing_key: format!("whsec_{}", STANDARD.encode(random(entropy))),
    }
}

fn random(entropy: &dyn Entropy) -> Vec<u8> {
    (0..4)
        .flat_map(|_| entropy.next_u64().to_le_bytes())
        .collect()
}
