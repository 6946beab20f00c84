//! Mirrors that rest because a token or a project is at fault, until a look finds that mended.

use crate::{
    Owe, Store, StoreError,
    database::{PATIENCE, Tx},
    mirrors::RECALL,
    work::owe_in,
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::MirrorId,
    job::{Job, Priority},
    retry::next_look,
};

// Of many jobs that find a fault the first tells it; what a person said is not written over.
const PAUSE: &str = "\
UPDATE mirrors SET paused = $2, at_fault = true, updated_at = $3 WHERE id = $1 AND paused IS NULL";

const RESTATE: &str = "\
UPDATE mirrors SET paused = $2, updated_at = $3 WHERE id = $1 AND at_fault AND paused <> $2";

const MENDED: &str = "\
UPDATE mirrors SET paused = NULL, at_fault = false, updated_at = $2 WHERE id = $1 AND at_fault";

const CALL_OFF: &str = "\
UPDATE work SET state = 'done', last_error = NULL, error_fingerprint = NULL, updated_at = $2
WHERE key = $1 AND state = 'pending'";

impl Store {
    /// Lets a mirror rest for a fault, with the mend in its reason, and owes a look at it in a
    /// minute; as [`Store::pause_mirror`] in all else. `false`: it rests already, for whatever
    /// reason, and is left as it is.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn pause_for_fault(&self, id: MirrorId, reason: &str) -> Result<bool, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let pause = tx.query(PAUSE).bind(id.0).bind(reason).bind(now);
        if pause.execute().await? == 0 {
            return Ok(false);
        }
        let first = TimeDelta::from_std(next_look(0)).unwrap_or_default();
        let look = Owe {
            run_at: Some(now + first),
            ..Owe::changed(Job::CheckInstance { mirror: id }, Priority::Incremental)
        };
        // First, because everybody holds many rows in the order of their keys.
        owe_in(&mut tx, &[look], now).await?;
        tx.query(RECALL).bind(id.0).bind(now).execute().await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Says anew what is at fault with a mirror that rests for a fault.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn restate_fault(&self, id: MirrorId, reason: &str) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let restate = tx.query(RESTATE).bind(id.0).bind(reason);
        restate.bind(self.now()).execute().await?;
        tx.commit().await
    }

    /// Ends the rest of a mirror that was at fault. `false`: it does not rest, or a person had it
    /// rest.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn resume_mended(&self, id: MirrorId) -> Result<bool, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let mended = tx.query(MENDED).bind(id.0).bind(self.now());
        let mended = mended.execute().await?;
        tx.commit().await?;
        Ok(mended == 1)
    }
}

/// A person has decided: nobody need look any more.
pub(crate) async fn call_off_look(
    tx: &mut Tx,
    mirror: MirrorId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let look = Job::CheckInstance { mirror };
    tx.query(CALL_OFF)
        .bind(look.key())
        .bind(now)
        .execute()
        .await?;
    Ok(())
}
