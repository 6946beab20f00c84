//! Owing: one row per thing that may be owed, however often it is asked for.

use crate::{
    Store, StoreError,
    database::{PATIENCE, Tx},
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::{Job, Priority},
};

/// One thing to be owed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owe {
    /// What.
    pub job: Job,
    /// How urgent. A row keeps the highest it was asked for with.
    pub priority: Priority,
    /// Not before this time; `None` is now.
    pub run_at: Option<DateTime<Utc>>,
    /// Something was seen to have changed. Only this revives a dead letter; this or
    /// [`Priority::ByHand`] brings a row forward that waits for a later time.
    pub changed: bool,
}

impl Owe {
    /// Owed now, because something changed.
    pub fn changed(job: Job, priority: Priority) -> Self {
        Self {
            job,
            priority,
            run_at: None,
            changed: true,
        }
    }

    /// These issues of a mirror, owed now because something changed.
    pub(crate) fn issues(
        mirror: MirrorId,
        iids: impl IntoIterator<Item = Iid>,
        priority: Priority,
    ) -> Vec<Self> {
        let jobs = iids.into_iter().map(|iid| Job::SyncIssue { mirror, iid });
        jobs.map(|job| Self::changed(job, priority)).collect()
    }

    /// Owed now, as a matter of routine.
    pub fn routine(job: Job, priority: Priority) -> Self {
        Self {
            job,
            priority,
            run_at: None,
            changed: false,
        }
    }
}

// $8: may bring forward. What is out at a worker is noted as owed once more; whether that is acted
// upon is decided where the worker's answer comes in.
const OWE: &str = "\
INSERT INTO work (kind, key, mirror_id, priority, state, run_at, attempts, crashes, ticket,
                  rerun_changed, created_at, updated_at)
VALUES ($1, $2, $3, $4, 'pending', $5, 0, 0, 0, false, $6, $6)
ON CONFLICT (key) DO UPDATE SET
    priority = CASE
        WHEN work.state IN ('done', 'dead') THEN excluded.priority
        WHEN work.priority > excluded.priority THEN work.priority
        ELSE excluded.priority END,
    run_at = CASE
        WHEN work.state IN ('done', 'dead') THEN excluded.run_at
        WHEN work.state <> 'pending' OR NOT $8 THEN work.run_at
        WHEN work.run_at <= excluded.run_at THEN work.run_at
        WHEN work.not_before > excluded.run_at THEN work.not_before
        ELSE excluded.run_at END,
    attempts = CASE WHEN work.state IN ('done', 'dead') THEN 0 ELSE work.attempts END,
    crashes = CASE WHEN work.state IN ('done', 'dead') THEN 0 ELSE work.crashes END,
    rerun_at = CASE
        WHEN work.state NOT IN ('queued', 'running') THEN NULL
        WHEN work.rerun_at <= excluded.run_at THEN work.rerun_at
        ELSE excluded.run_at END,
    rerun_changed = CASE
        WHEN work.state NOT IN ('queued', 'running') THEN false
        ELSE work.rerun_changed OR $7 END,
    state = CASE WHEN work.state IN ('done', 'dead') THEN 'pending' ELSE work.state END,
    updated_at = excluded.updated_at
WHERE work.state <> 'dead' OR $7";

impl Store {
    /// Owes these, in one transaction.
    ///
    /// For each: a row that is new, or done, becomes pending. A pending one keeps the higher
    /// priority, and is brought forward if something changed or a person asked, but never before
    /// a time that a limit set. One that is out at a worker runs once more afterwards. A dead
    /// letter comes back only if something changed. A paused mirror's rows wait.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn owe(&self, owes: &[Owe]) -> Result<(), StoreError> {
        if owes.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin(PATIENCE).await?;
        owe_in(&mut tx, owes, self.now()).await?;
        tx.commit().await
    }
}

/// As [`Store::owe`], in the transaction that records why.
pub(crate) async fn owe_in(
    tx: &mut Tx,
    owes: &[Owe],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    // Everybody holds many rows in the order of their keys.
    let mut owes: Vec<(String, &Owe)> = owes.iter().map(|owe| (owe.job.key(), owe)).collect();
    owes.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (key, owe) in owes {
        let mirror = owe.job.mirror();
        tx.query(OWE)
            .bind(owe.job.kind())
            .bind(key)
            .bind(mirror.map(|mirror| mirror.0))
            .bind(owe.priority as i64)
            .bind(owe.run_at.map_or(now, micros))
            .bind(now)
            .bind(owe.changed)
            .bind(owe.changed || owe.priority == Priority::ByHand)
            .execute()
            .await
            .map_err(|error| {
                let orphan = error
                    .as_database_error()
                    .is_some_and(|error| error.is_foreign_key_violation());
                match mirror.filter(|_| orphan) {
                    Some(mirror) => StoreError::NoSuchMirror(mirror),
                    None => error.into(),
                }
            })?;
    }
    Ok(())
}
