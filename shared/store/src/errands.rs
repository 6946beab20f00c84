//! Errands: what people want of a GitLab, from the asking to what came of it.

mod ends;
mod listed;
#[cfg(test)]
mod plans;

pub use ends::MadeMirror;
pub(crate) use ends::{done, end_lost};
pub use listed::{ErrandEntry, ErrandFilter, ErrandState};

use crate::{Owe, Store, StoreError, database::PATIENCE, work::owe_in};
use mirror_core::{
    errand::Errand,
    ids::ErrandId,
    job::{Job, Priority},
};
use sha2::{Digest, Sha256};
use sqlx::types::Json;

/// An errand to be.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// What is wanted.
    pub errand: &'a Errand,
    /// Who or what asks.
    pub by: &'a str,
    /// The asker's own key: who asks for the same under the same key again, because an answer was
    /// lost say, gets the same errand.
    pub key: Option<&'a str>,
}

/// An errand that was asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// Which.
    pub id: ErrandId,
    /// It had been asked for before, under the same key.
    pub before: bool,
}

const ASK: &str = "\
INSERT INTO errands (kind, instance_id, mirror_id, parameters, state, asked_by, idempotency_key,
                     asked_at)
VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7)
ON CONFLICT (idempotency_key) DO NOTHING
RETURNING id";

const BY_KEY: &str = "SELECT id FROM errands WHERE idempotency_key = $1";

impl Store {
    /// Asks for an errand, and owes it, in one transaction. Under the same key the same errand is
    /// the one that was asked for first, for as long as that is on record.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`], [`StoreError::NoSuchInstance`].
    pub async fn ask(&self, asking: &Asking<'_>) -> Result<Asked, StoreError> {
        let errand = asking.errand;
        let digest = asking.key.map(|key| digest(errand, key));
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let new: Option<(i64,)> = tx
            .query(ASK)
            .bind(errand.kind())
            .bind(errand.instance().map(|instance| instance.0))
            .bind(errand.mirror().map(|mirror| mirror.0))
            .bind(Json(errand))
            .bind(asking.by)
            .bind(digest.as_deref())
            .bind(now)
            .fetch_optional()
            .await
            .map_err(|error| orphan(errand, error))?;
        let Some((id,)) = new else {
            let (id,) = tx.query(BY_KEY).bind(digest).fetch_one().await?;
            let id = ErrandId(id);
            return Ok(Asked { id, before: true });
        };
        let id = ErrandId(id);
        let owe = Owe::changed(Job::Errand { errand: id }, Priority::ByHand);
        owe_in(&mut tx, &[owe], now).await?;
        tx.commit().await?;
        Ok(Asked { id, before: false })
    }
}

/// The key holds for exactly what was asked for.
fn digest(errand: &Errand, key: &str) -> String {
    let digest = Sha256::new()
        .chain_update(format!("{errand:?}\0{key}"))
        .finalize();
    hex::encode(digest)
}

fn orphan(errand: &Errand, error: sqlx::Error) -> StoreError {
    let orphan = error
        .as_database_error()
        .is_some_and(|error| error.is_foreign_key_violation());
    match (errand.mirror(), errand.instance()) {
        (Some(mirror), _) if orphan => StoreError::NoSuchMirror(mirror),
        (None, Some(instance)) if orphan => StoreError::NoSuchInstance(instance),
        (Some(_) | None, Some(_) | None) => error.into(),
    }
}
