//! Sweeping up after workers that were lost, and old history.

use super::{alike::fingerprint, history::write_lost};
use crate::{
    Store, StoreError,
    database::PATIENCE,
    errands::end_lost,
    runs::settle_lost,
    sql::{Text, on_work},
    time::micros,
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::{MirrorId, WorkId},
    job::Job,
};

/// What a sweep did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Swept {
    /// Rows that are pending again.
    pub returned: u64,
    /// Rows that lost their worker too often in a row: dead letters now.
    pub dead: u64,
}

/// What a process that is no more had left behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reclaimed {
    /// Tickets never started.
    pub queued: u64,
    /// Rows that ran.
    pub running: u64,
    /// Runs that never ended.
    pub runs: u64,
}

/// Losses of a worker in a row after which the work is thought to be what kills it.
const CRASHES: i64 = 3;
/// After one loss less, work is tried apart from other such work: what kills its worker then dies
/// without those that only ran beside it, and they end well.
const SUSPECT: i64 = CRASHES - 1;
/// How long one suspect waits after another.
const APART: TimeDelta = TimeDelta::seconds(3);
/// So many suspects are told apart.
const PLACES: i64 = 16;
const LOST: &str = "its worker was lost while it ran";

// `rerun` is kept: who asked meanwhile still waits. A change seen meanwhile gives another chance,
// as it would to a dead letter.
pub(super) const SWEEP: Text = on_work!(
    "state IN ('queued', 'running') AND lease_until <= $1 ORDER BY lease_until LIMIT $2",
    free,
    "UPDATE work SET
        state = CASE WHEN state = 'running' AND crashes + 1 >= $3 AND NOT rerun_changed
                     THEN 'dead' ELSE 'pending' END,
        attempts = CASE WHEN state <> 'running' THEN attempts
                        WHEN crashes + 1 >= $3 AND rerun_changed THEN 0
                        ELSE attempts + 1 END,
        crashes = CASE WHEN state <> 'running' THEN crashes
                       WHEN crashes + 1 >= $3 AND rerun_changed THEN 0
                       ELSE crashes + 1 END,
        last_error = CASE WHEN state = 'running' THEN $4 ELSE last_error END,
        error_fingerprint = CASE WHEN state = 'running' THEN $5 ELSE error_fingerprint END,
        lease_until = NULL, updated_at = $1
     WHERE id IN (SELECT id FROM held)
     RETURNING id, state, started_at IS NOT NULL, ticket, crashes, key"
);

const PUT_APART: &str =
    "UPDATE work SET run_at = $2, not_before = $2 WHERE id = $1 AND state = 'pending'";

// The whole process is known to be gone, which says nothing against this work: no dead letters.
const RECLAIM: Text = on_work!(
    "mirror_id = $1 AND state IN ('queued', 'running')",
    in_turn,
    "UPDATE work SET
        state = 'pending',
        attempts = CASE WHEN state = 'running' THEN attempts + 1 ELSE attempts END,
        last_error = CASE WHEN state = 'running' THEN $3 ELSE last_error END,
        error_fingerprint = CASE WHEN state = 'running' THEN $4 ELSE error_fingerprint END,
        lease_until = NULL, updated_at = $2
     WHERE id IN (SELECT id FROM held)
     RETURNING id, started_at IS NOT NULL"
);

const END_LEASES: Text = on_work!(
    "mirror_id = $1 AND state IN ('queued', 'running')",
    in_turn,
    "UPDATE work SET lease_until = $2, updated_at = $2 WHERE id IN (SELECT id FROM held)"
);

const INTERRUPT_RUNS: &str = "\
UPDATE issue_sync_jobs SET status = 'interrupted', completed_at = $2
WHERE mirror_id = $1 AND status = 'running'";

const FORGET_OPEN: &str = "\
DELETE FROM run_memberships
WHERE settled_at IS NULL AND run_id IN (
    SELECT id FROM issue_sync_jobs WHERE mirror_id = $1 AND status = 'interrupted')";

const PRUNE: Text = Text {
    sqlite: "\
DELETE FROM work_attempts WHERE id IN (
    SELECT id FROM work_attempts WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)",
    // Two that prune at once share the rows instead of waiting for each other's.
    postgres: "\
WITH held AS MATERIALIZED (
    SELECT id FROM work_attempts WHERE ended_at < $1 ORDER BY ended_at LIMIT $2
    FOR UPDATE SKIP LOCKED)
DELETE FROM work_attempts WHERE id IN (SELECT id FROM held)",
};

/// When a suspect has its turn: by its issue, since what ran beside each other are others.
fn apart(key: &str) -> TimeDelta {
    let place = match Job::from_key(key) {
        Some(Job::SyncIssue { iid, .. }) => iid.0.rem_euclid(PLACES),
        Some(Job::TransferUpload { transfer, .. }) => transfer.0.rem_euclid(PLACES),
        Some(Job::Errand { errand }) => errand.0.rem_euclid(PLACES),
        Some(Job::ScanMirror { .. } | Job::CheckInstance { .. }) | None => 0,
    };
    i32::try_from(place).map_or(TimeDelta::zero(), |place| APART * place)
}

impl Store {
    /// Takes back up to `batch` rows whose lease has ended: a ticket never started loses nothing,
    /// a row that ran has an attempt more and is dead after the third loss in a row.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn sweep(&self, batch: u32) -> Result<Swept, StoreError> {
        self.sweep_as_of(self.now(), batch).await
    }

    /// As [`Store::sweep`], at this time: the latest that the caller knows to be right.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn sweep_as_of(&self, now: DateTime<Utc>, batch: u32) -> Result<Swept, StoreError> {
        let now = micros(now);
        let mut tx = self.begin_light(PATIENCE).await?;
        let rows: Vec<(i64, String, bool, i64, i64, String)> = tx
            .query(SWEEP)
            .bind(now)
            .bind(i64::from(batch))
            .bind(CRASHES)
            .bind(LOST)
            .bind(fingerprint(LOST))
            .fetch_all()
            .await?;
        let mut swept = Swept::default();
        for (id, state, ran, ticket, crashes, key) in rows {
            if state == "dead" {
                swept.dead += 1;
                settle_lost(&mut tx, (id, ticket), LOST, now).await?;
                if let Some(Job::Errand { errand }) = Job::from_key(&key) {
                    end_lost(&mut tx, errand, now).await?;
                }
            } else {
                swept.returned += 1;
            }
            if ran {
                write_lost(&mut tx, WorkId(id), now, LOST).await?;
                if crashes == SUSPECT {
                    let apart = tx.query(PUT_APART).bind(id).bind(now + apart(&key));
                    apart.execute().await?;
                }
            }
        }
        tx.commit().await?;
        Ok(swept)
    }

    /// Takes back all of a mirror's rows at once, without waiting for their leases. Only for who
    /// knows that no other process works on the mirror (`sync` holds its lock): what was left is
    /// a killed process's. A row that ran has an attempt more; none dies of it.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn reclaim(&self, mirror: MirrorId) -> Result<Reclaimed, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let rows: Vec<(i64, bool)> = tx
            .query(RECLAIM)
            .bind(mirror.0)
            .bind(now)
            .bind(LOST)
            .bind(fingerprint(LOST))
            .fetch_all()
            .await?;
        let mut reclaimed = Reclaimed::default();
        for (id, ran) in rows {
            if ran {
                reclaimed.running += 1;
                write_lost(&mut tx, WorkId(id), now, LOST).await?;
            } else {
                reclaimed.queued += 1;
            }
        }
        reclaimed.runs = tx
            .query(INTERRUPT_RUNS)
            .bind(mirror.0)
            .bind(now)
            .execute()
            .await?;
        tx.query(FORGET_OPEN).bind(mirror.0).execute().await?;
        tx.commit().await?;
        Ok(reclaimed)
    }

    /// Ends the leases of all of a mirror's rows now, so that the next sweep takes them back. Only
    /// for who knows that no other process works on the mirror. Unlike [`Store::reclaim`] it
    /// leaves runs under way, and counts the loss of a worker: work that kills every process is
    /// given up in the end.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn take_back(&self, mirror: MirrorId) -> Result<u64, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let ended = tx
            .query(END_LEASES)
            .bind(mirror.0)
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await?;
        Ok(ended)
    }

    /// Forgets up to `batch` attempts that ended before this time; returns how many.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn prune_attempts(
        &self,
        before: DateTime<Utc>,
        batch: u32,
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin_light(PATIENCE).await?;
        let pruned = tx
            .query(PRUNE)
            .bind(micros(before))
            .bind(i64::from(batch))
            .execute()
            .await?;
        tx.commit().await?;
        Ok(pruned)
    }
}
