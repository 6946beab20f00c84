//! How an errand goes on and ends, written by whoever holds its row of work.

use crate::{
    Fence, NewMirror, Store, StoreError,
    database::{PATIENCE, Tx},
    mirrors::insert_mirror,
    sql::{Text, plain},
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    errand::{Errand, ErrandReport},
    ids::{ErrandId, MirrorId},
};
use serde_json::Value;
use sqlx::types::Json;

/// What became of a mirror to be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MadeMirror {
    /// It was made, and its errand is done.
    New(MirrorId),
    /// The two projects are a mirror already; nothing was changed.
    Already(MirrorId),
}

const START: &str = "\
UPDATE errands SET state = 'running', started_at = COALESCE(started_at, $2), problem = NULL
WHERE id = $1 AND state IN ('waiting', 'running')
RETURNING parameters";

const WAIT: &str = "\
UPDATE errands SET state = 'waiting', problem = $2
WHERE id = $1 AND state IN ('waiting', 'running')";

const DONE: &str = "\
UPDATE errands SET state = 'done', result = $2, problem = NULL, ended_at = $3
WHERE id = $1 AND state IN ('waiting', 'running')";

const FAIL: &str = "\
UPDATE errands SET state = 'failed', problem = $2, ended_at = $3
WHERE id = $1 AND state IN ('waiting', 'running')";

// The row of work goes with it: nothing else would ever forget it.
const PRUNE: Text = Text {
    sqlite: "DELETE FROM errands WHERE id IN (
                 SELECT id FROM errands WHERE ended_at < $1 ORDER BY ended_at LIMIT $2)
             RETURNING id",
    postgres: "DELETE FROM errands WHERE id IN (
                 SELECT id FROM errands WHERE ended_at < $1 ORDER BY ended_at LIMIT $2
                 FOR UPDATE SKIP LOCKED)
             RETURNING id",
};

const FORGET_WORK: &str = "DELETE FROM work WHERE key = $1 AND state IN ('done', 'dead')";

const LOST: &str = "\
its worker was lost while it ran, again and again; ask for it anew, and look at the workers' memory \
and logs if that happens again";

impl Store {
    /// What the errand is; `None` if there is nothing to be done: it has ended, or is gone with its
    /// mirror or its instance.
    ///
    /// # Errors
    /// [`StoreError::Fenced`]; [`StoreError::Unreadable`] if only a newer version knows it.
    pub async fn start_errand(
        &self,
        fence: &Fence,
        id: ErrandId,
    ) -> Result<Option<Errand>, StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        let query = tx.query(START).bind(id.0).bind(self.now());
        let row: Option<(Json<Value>,)> = query.fetch_optional().await?;
        let Some((Json(parameters),)) = row else {
            return Ok(None);
        };
        let errand = serde_json::from_value(parameters).map_err(|_| StoreError::Unreadable {
            what: "an errand of a kind",
        })?;
        tx.commit().await?;
        Ok(Some(errand))
    }

    /// It will be tried again; until then people are told why.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn errand_waits(
        &self,
        fence: &Fence,
        id: ErrandId,
        why: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(WAIT).bind(id.0).bind(plain(why)).execute().await?;
        tx.commit().await
    }

    /// It ended well, and this came of it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn errand_done(
        &self,
        fence: &Fence,
        id: ErrandId,
        report: &ErrandReport,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        done(&mut tx, id, report, self.now()).await?;
        tx.commit().await
    }

    /// It failed for good.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn errand_failed(
        &self,
        fence: &Fence,
        id: ErrandId,
        problem: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        fail(&mut tx, id, problem, self.now()).await?;
        tx.commit().await
    }

    /// Makes the mirror that an errand is about, and ends the errand, in one transaction: who comes
    /// second finds the errand done rather than its mirror there already.
    ///
    /// # Errors
    /// [`StoreError::SameProject`]; [`StoreError::Fenced`].
    pub async fn errand_makes_mirror(
        &self,
        fence: &Fence,
        id: ErrandId,
        new: &NewMirror,
        warnings: Vec<String>,
    ) -> Result<MadeMirror, StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        let made = insert_mirror(&mut tx, new, now).await?;
        if let MadeMirror::New(mirror_id) = made {
            let report = ErrandReport::Connected {
                mirror_id,
                warnings,
            };
            done(&mut tx, id, &report, now).await?;
            tx.commit().await?;
        }
        Ok(made)
    }

    /// Forgets up to `batch` errands that ended before this time; returns how many.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn prune_errands(
        &self,
        before: DateTime<Utc>,
        batch: u32,
    ) -> Result<u64, StoreError> {
        let mut tx = self.begin_light(PATIENCE).await?;
        let query = tx.query(PRUNE).bind(micros(before)).bind(i64::from(batch));
        let pruned: Vec<(i64,)> = query.fetch_all().await?;
        for (id,) in &pruned {
            let key = format!("errand/{id}");
            tx.query(FORGET_WORK).bind(key).execute().await?;
        }
        tx.commit().await?;
        Ok(u64::try_from(pruned.len()).unwrap_or(u64::MAX))
    }
}

pub(crate) async fn done(
    tx: &mut Tx,
    id: ErrandId,
    report: &ErrandReport,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let query = tx.query(DONE).bind(id.0).bind(Json(report)).bind(now);
    query.execute().await?;
    Ok(())
}

async fn fail(
    tx: &mut Tx,
    id: ErrandId,
    problem: &str,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let query = tx.query(FAIL).bind(id.0).bind(plain(problem)).bind(now);
    query.execute().await?;
    Ok(())
}

/// Its work was given up by a sweep: it killed each of its workers.
pub(crate) async fn end_lost(
    tx: &mut Tx,
    id: ErrandId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    fail(tx, id, LOST, now).await
}
