//! Large files that are carried by jobs of their own, and the issues that wait for them.

use crate::{Fence, Owe, Store, StoreError, database::PATIENCE, runs::attach_found, work::owe_in};
use mirror_core::{
    ids::{Iid, MirrorId, TransferId},
    job::{Job, Priority},
    mapping::UploadKey,
};

/// A file that is to be carried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// The hex secret in the upload's link.
    pub secret: String,
    /// The file's name.
    pub filename: String,
    /// The issues that wait for it.
    pub waiters: Vec<Iid>,
}

/// How the job that is to carry a file stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum TransferState {
    /// It is owed, or runs.
    UnderWay,
    /// It was given up.
    Dead,
}

const ENSURE: &str = "\
INSERT INTO upload_transfers (mirror_id, source_secret, filename, created_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (mirror_id, source_secret, filename) DO UPDATE SET filename = excluded.filename
RETURNING id";

const WAIT: &str = "\
INSERT INTO upload_waiters (transfer_id, source_iid) VALUES ($1, $2) ON CONFLICT DO NOTHING";

const STATE: &str = "\
SELECT w.state FROM upload_transfers t
JOIN work w ON w.key = 'transfer_upload/' || t.mirror_id || '/' || t.id
WHERE t.mirror_id = $1 AND t.source_secret = $2 AND t.filename = $3";

const ONE: &str = "\
SELECT source_secret, filename FROM upload_transfers WHERE mirror_id = $1 AND id = $2";

const WAITERS: &str = "\
SELECT source_iid FROM upload_waiters WHERE transfer_id = $1 ORDER BY source_iid";

const RELEASE: &str = "DELETE FROM upload_waiters WHERE transfer_id = $1 AND source_iid = $2";

// One between the same instances that was turned away because all places were taken. Those that failed
// or are throttled have a time of their own.
const NEXT: &str = "\
UPDATE work SET run_at = $1, updated_at = $1
WHERE state = 'pending' AND id IN (
    SELECT w.id FROM upload_transfers t
    JOIN work w ON w.key = 'transfer_upload/' || t.mirror_id || '/' || t.id
    JOIN mirrors m ON m.id = t.mirror_id
    JOIN mirrors o ON o.source_instance_id = m.source_instance_id
                  AND o.target_instance_id = m.target_instance_id
    WHERE o.id = $2 AND t.id IN (SELECT transfer_id FROM upload_waiters)
      AND w.state = 'pending' AND w.run_at > $1 AND w.not_before IS NULL AND w.attempts = 0
    ORDER BY t.id LIMIT 1)";

impl Store {
    /// How the job that is to carry a file for this mirror stands; `None`: there is none.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn transfer_state(
        &self,
        mirror: MirrorId,
        key: &UploadKey,
    ) -> Result<Option<TransferState>, StoreError> {
        let state = self.read(STATE).bind(mirror.0);
        let state = state.bind(&key.secret).bind(&key.filename);
        let state: Option<(String,)> = state.fetch_optional().await?;
        Ok(match state.as_ref().map(|(state,)| state.as_str()) {
            None | Some("done") => None,
            Some("dead") => Some(TransferState::Dead),
            Some(_) => Some(TransferState::UnderWay),
        })
    }

    /// Owes the transfers of these files, for an issue that waits for them and whose job is held by
    /// the fence. Runs that wait for the issue wait for them, too. Each is sure to end after this,
    /// and to set the issue free then ([`Store::release_waiters`]).
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn owe_transfers(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        files: &[UploadKey],
        priority: Priority,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        let mut files: Vec<&UploadKey> = files.iter().collect();
        files.sort_by_key(|key| (&key.secret, &key.filename));
        let mut jobs = Vec::with_capacity(files.len());
        for key in files {
            let ensure = tx.query(ENSURE).bind(mirror.0);
            let ensure = ensure.bind(&key.secret).bind(&key.filename).bind(now);
            let (id,): (i64,) = ensure.fetch_one().await?;
            tx.query(WAIT).bind(id).bind(iid.0).execute().await?;
            jobs.push(Job::TransferUpload {
                mirror,
                transfer: TransferId(id),
            });
        }
        let owes: Vec<Owe> = jobs
            .iter()
            .map(|job| Owe::routine(*job, priority))
            .collect();
        owe_in(&mut tx, &owes, now).await?;
        attach_found(&mut tx, fence.work, jobs.into_iter()).await?;
        tx.commit().await
    }

    /// A file that is to be carried.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn transfer(
        &self,
        mirror: MirrorId,
        id: TransferId,
    ) -> Result<Option<Transfer>, StoreError> {
        let one = self.read(ONE).bind(mirror.0).bind(id.0);
        let Some((secret, filename)) = one.fetch_optional::<(String, String)>().await? else {
            return Ok(None);
        };
        let waiters: Vec<(i64,)> = self.read(WAITERS).bind(id.0).fetch_all().await?;
        Ok(Some(Transfer {
            secret,
            filename,
            waiters: waiters.into_iter().map(|(iid,)| Iid(iid)).collect(),
        }))
    }

    /// Sets the issues free that wait for a transfer, and one transfer between the same instances that
    /// was turned away for want of a place. Not fenced: an issue that is set free in vain looks, and waits again.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn release_waiters(
        &self,
        mirror: MirrorId,
        id: TransferId,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let waiters: Vec<(i64,)> = tx.query(WAITERS).bind(id.0).fetch_all().await?;
        // Each keeps the urgency it has.
        let iids = waiters.iter().map(|(iid,)| Iid(*iid));
        let issues = Owe::issues(mirror, iids, Priority::Backfill);
        // The issues first: one that begins to wait holds its own row when it comes to the others.
        owe_in(&mut tx, &issues, now).await?;
        for (iid,) in waiters {
            tx.query(RELEASE).bind(id.0).bind(iid).execute().await?;
        }
        tx.query(NEXT).bind(now).bind(mirror.0).execute().await?;
        tx.commit().await
    }
}
