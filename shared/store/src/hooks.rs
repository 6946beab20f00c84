//! By what a source's hook is known, and that it told.

use crate::{
    Cipher, Fence, Owe, Store, StoreError, database::PATIENCE, errands, time::micros, work::owe_in,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    errand::ErrandReport,
    hook::Hint,
    ids::{ErrandId, MirrorId},
    job::{Job, Priority},
    ports::Entropy,
};
use std::fmt;

/// By what a hook is known. Written only: nobody is ever shown them.
#[derive(Clone, PartialEq, Eq)]
pub struct HookSecrets {
    /// What every request carries.
    pub token: String,
    /// Under what requests are signed, `whsec_…`.
    pub signing_key: String,
}

impl fmt::Debug for HookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HookSecrets").finish_non_exhaustive()
    }
}

/// What became of a hook's word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// The issue is owed.
    Owed,
    /// The same request was taken before; nothing is owed for it.
    Replayed,
    /// Nothing is owed for it: the issue is of a project that is not the mirror's source, or the
    /// mirror looks for nothing by itself.
    Unheeded,
}

const OF: &str = "\
SELECT token, signing_key, next_token, next_signing, errand_id FROM hooks WHERE mirror_id = $1";

const PREPARE: &str = "\
INSERT INTO hooks (mirror_id, url, next_token, next_signing, errand_id)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (mirror_id) DO UPDATE SET
    url = excluded.url, next_token = excluded.next_token, next_signing = excluded.next_signing,
    errand_id = excluded.errand_id";

const SET: &str = "\
UPDATE hooks SET hook_id = $2, token = next_token, signing_key = next_signing,
                 next_token = NULL, next_signing = NULL, registered_at = $4
WHERE mirror_id = $1 AND errand_id = $3 AND next_token IS NOT NULL";

// What has no next turn looks for nothing by itself.
const HEEDS: &str = "\
SELECT m.source_project_id, c.next_scan_at IS NOT NULL
FROM mirrors m JOIN mirror_issue_configs c ON c.mirror_id = m.id WHERE m.id = $1";

const RECEIVE: &str = "\
INSERT INTO hook_receipts (mirror_id, webhook_id, received_at) VALUES ($1, $2, $3)
ON CONFLICT (mirror_id, webhook_id) DO NOTHING";

const PRUNE: &str = "DELETE FROM hook_receipts WHERE received_at < $1";

type Sealed = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
);

fn place(mirror: MirrorId, what: &str) -> String {
    format!("hooks/{mirror}/{what}")
}

fn opened(
    mirror: MirrorId,
    token: Option<String>,
    signing_key: Option<String>,
    cipher: &Cipher,
) -> Result<Option<HookSecrets>, StoreError> {
    let (Some(token), Some(signing_key)) = (token, signing_key) else {
        return Ok(None);
    };
    Ok(Some(HookSecrets {
        token: cipher.open(&place(mirror, "token"), &token)?,
        signing_key: cipher.open(&place(mirror, "signing"), &signing_key)?,
    }))
}

impl Store {
    /// Keeps the secrets that an errand is about to give a hook, before it does. Who does the same
    /// errand again goes on with those that were kept first, and gets these.
    ///
    /// # Errors
    /// [`StoreError::Fenced`]; [`StoreError::Sealed`].
    pub async fn prepare_hook(
        &self,
        fence: &Fence,
        (errand, mirror): (ErrandId, MirrorId),
        url: &str,
        fresh: HookSecrets,
        (cipher, entropy): (&Cipher, &dyn Entropy),
    ) -> Result<HookSecrets, StoreError> {
        let seal = |what: &str, secret: &str| cipher.seal(&place(mirror, what), secret, entropy);
        let token = seal("token", &fresh.token)?;
        let signing = seal("signing", &fresh.signing_key)?;
        let mut tx = self.begin_fenced(fence).await?;
        let kept: Option<Sealed> = tx.query(OF).bind(mirror.0).fetch_optional().await?;
        if let Some((_, _, next_token, next_signing, Some(of))) = kept
            && of == errand.0
            && let Some(kept) = opened(mirror, next_token, next_signing, cipher)?
        {
            return Ok(kept);
        }
        tx.query(PREPARE)
            .bind(mirror.0)
            .bind(url)
            .bind(token)
            .bind(signing)
            .bind(errand.0)
            .execute()
            .await?;
        tx.commit().await?;
        Ok(fresh)
    }

    /// The hook has those secrets now, and no others are good any more. Ends the errand with it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn hook_is_set(
        &self,
        fence: &Fence,
        (errand, mirror): (ErrandId, MirrorId),
        hook_id: i64,
        report: &ErrandReport,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        let set = tx.query(SET).bind(mirror.0).bind(hook_id);
        set.bind(errand.0).bind(now).execute().await?;
        errands::done(&mut tx, errand, report, now).await?;
        tx.commit().await
    }

    /// The secrets that a mirror's hook may have: those in force, and those that an errand is about
    /// to set. None if there is no such mirror, or no hook.
    ///
    /// # Errors
    /// [`StoreError::Sealed`].
    pub async fn hook_secrets(
        &self,
        mirror: MirrorId,
        cipher: &Cipher,
    ) -> Result<Vec<HookSecrets>, StoreError> {
        let row: Option<Sealed> = self.read(OF).bind(mirror.0).fetch_optional().await?;
        let Some((token, signing, next_token, next_signing, _)) = row else {
            return Ok(Vec::new());
        };
        let current = opened(mirror, token, signing, cipher)?;
        let next = opened(mirror, next_token, next_signing, cipher)?;
        Ok(current.into_iter().chain(next).collect())
    }

    /// A source told that something about an issue changed: it is owed, as urgently as if a person
    /// had asked. `id`: what no other request has, where it is signed, so that nobody can send it again.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn hook_told(
        &self,
        mirror: MirrorId,
        hint: Hint,
        id: Option<&str>,
    ) -> Result<Told, StoreError> {
        let heeds: Option<(i64, bool)> = self.read(HEEDS).bind(mirror.0).fetch_optional().await?;
        let (source, heeds) = heeds.ok_or(StoreError::NoSuchMirror(mirror))?;
        if !heeds || hint.project.is_some_and(|told| told.0 != source) {
            return Ok(Told::Unheeded);
        }
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        if let Some(id) = id {
            let receive = tx.query(RECEIVE).bind(mirror.0).bind(id).bind(now);
            if receive.execute().await? == 0 {
                return Ok(Told::Replayed);
            }
        }
        let iid = hint.iid;
        let owe = Owe::changed(Job::SyncIssue { mirror, iid }, Priority::ByHand);
        owe_in(&mut tx, &[owe], now).await?;
        tx.commit().await?;
        Ok(Told::Owed)
    }

    /// Forgets the requests that were taken before this time: by then they are too old to be taken
    /// again.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn prune_hook_receipts(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut tx = self.begin_light(PATIENCE).await?;
        let pruned = tx.query(PRUNE).bind(micros(before)).execute().await?;
        tx.commit().await?;
        Ok(pruned)
    }
}
