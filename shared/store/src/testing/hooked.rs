//! A mirror whose source has a hook, without a source.

use crate::{Asking, Cipher, HookSecrets, Store, StoreError};
use chrono::TimeDelta;
use mirror_core::{
    errand::{Errand, ErrandReport},
    ids::MirrorId,
    ports::Entropy,
};
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(60);

/// Does what a worker does that registers a hook with these secrets, and has the mirror heed it. Nothing
/// else may be due.
///
/// # Errors
/// If the database fails; [`StoreError::Unreadable`] if something else was due.
pub async fn hook(
    store: &Store,
    mirror: MirrorId,
    secrets: HookSecrets,
    with: (&Cipher, &dyn Entropy),
) -> Result<(), StoreError> {
    let url = format!("https://mirror.example/api/hooks/gitlab/{mirror}");
    let errand = Errand::RegisterHook {
        mirror,
        url: url.clone(),
    };
    let asking = Asking {
        errand: &errand,
        by: "somebody",
        key: None,
    };
    let of = (store.ask(&asking).await?.id, mirror);
    let claimed = store.claim(1, 1, LEASE).await?.pop();
    let started = match claimed {
        Some(claimed) => store.start(claimed.ticket, "worker", LEASE).await?,
        None => None,
    };
    let started = started.ok_or(StoreError::Unreadable { what: "an errand" })?;
    let fence = started.fence;
    store.prepare_hook(&fence, of, &url, secrets, with).await?;
    let report = ErrandReport::Hook {
        hook_id: 4,
        url,
        created: true,
        signed: true,
    };
    store.hook_is_set(&fence, of, 4, &report).await?;
    let mut schedule = store.schedule(mirror).await?;
    schedule.next_scan_at = Some(store.now() + TimeDelta::days(1));
    store.set_schedule(mirror, &schedule).await
}
