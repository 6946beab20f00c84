//! Which processes work, for people and for finding out that none does.

use crate::{Store, StoreError, database::PATIENCE, time::micros};
use chrono::{DateTime, Utc};

/// A process that works.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewWorker<'a> {
    /// Of this one start; leases carry it.
    pub name: &'a str,
    /// The machine.
    pub host: &'a str,
    /// The process there.
    pub pid: u32,
    /// Of the program.
    pub version: &'a str,
    /// Jobs at once.
    pub concurrency: usize,
}

/// A process that worked lately.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct Worker {
    /// Of this one start.
    pub name: String,
    /// The machine.
    pub host: String,
    /// The process there.
    pub pid: i64,
    /// Of the program.
    pub version: String,
    /// Jobs at once.
    pub concurrency: i64,
    /// Jobs now.
    pub running: i64,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it last gave a sign of life.
    pub heartbeat_at: DateTime<Utc>,
    /// It takes no new work.
    pub draining: bool,
}

const ALIVE: &str = "\
INSERT INTO workers (name, host, pid, version, concurrency, started_at, heartbeat_at, draining)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
ON CONFLICT (name) DO UPDATE SET
    heartbeat_at = excluded.heartbeat_at, draining = excluded.draining
RETURNING drain_asked";

const ASK_DRAIN: &str = "UPDATE workers SET drain_asked = true WHERE name = $1";

const GONE: &str = "DELETE FROM workers WHERE name = $1";

const LIST: &str = "\
SELECT name, host, pid, version, concurrency,
       (SELECT COUNT(*) FROM work x
        WHERE x.state IN ('queued', 'running') AND x.state = 'running' AND x.owner = w.name)
           AS running,
       started_at, heartbeat_at, draining
FROM workers w ORDER BY started_at, name";

const PRUNE: &str = "DELETE FROM workers WHERE heartbeat_at < $1";

impl Store {
    /// A sign of life; the first one registers the worker. `true`: a person wants it to take no new
    /// work.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn worker_is_alive(
        &self,
        worker: &NewWorker<'_>,
        draining: bool,
    ) -> Result<bool, StoreError> {
        let mut tx = self.begin_light(PATIENCE).await?;
        let (asked,): (bool,) = tx
            .query(ALIVE)
            .bind(worker.name)
            .bind(worker.host)
            .bind(i64::from(worker.pid))
            .bind(worker.version)
            .bind(i64::try_from(worker.concurrency).unwrap_or(i64::MAX))
            .bind(self.now())
            .bind(draining)
            .fetch_one()
            .await?;
        tx.commit().await?;
        Ok(asked)
    }

    /// Has a worker take no new work: it ends what it does, and then itself. `false`: there is none
    /// of this name.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn ask_drain(&self, name: &str) -> Result<bool, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let asked = tx.query(ASK_DRAIN).bind(name).execute().await?;
        tx.commit().await?;
        Ok(asked == 1)
    }

    /// It has ended in good order.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn worker_is_gone(&self, name: &str) -> Result<(), StoreError> {
        let mut tx = self.begin_light(PATIENCE).await?;
        tx.query(GONE).bind(name).execute().await?;
        tx.commit().await
    }

    /// Those that gave a sign of life lately, oldest first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn workers(&self) -> Result<Vec<Worker>, StoreError> {
        Ok(self.read(LIST).fetch_all().await?)
    }

    /// Forgets those whose last sign of life is older than this; returns how many.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn prune_workers(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut tx = self.begin_light(PATIENCE).await?;
        let pruned = tx.query(PRUNE).bind(micros(before)).execute().await?;
        tx.commit().await?;
        Ok(pruned)
    }
}
