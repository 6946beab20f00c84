//! Asking for a run: one that is under way already is joined.

use super::{membership::attach, run::RunKind};
use crate::{
    Owe, Store, StoreError,
    database::{PATIENCE, Tx},
    work::owe_in,
};
use mirror_core::{
    ids::{Iid, MirrorId, RunId},
    job::{Job, Priority},
};

/// A run to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunRequest<'a> {
    /// Of this mirror.
    pub mirror: MirrorId,
    /// What it looks at.
    pub kind: RunKind,
    /// What it begins with: the scan, or the issues asked for.
    pub jobs: &'a [Job],
    /// How urgent these are.
    pub priority: Priority,
    /// Who or what asks, for people.
    pub by: &'a str,
}

/// The run that serves a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Requested {
    /// Its id.
    pub run: RunId,
    /// It was under way already, and looks again at what was asked for.
    pub coalesced: bool,
}

// One at a time, or two who ask at once would each begin a run.
pub(crate) const TAKE_TURN: &str = "UPDATE mirrors SET updated_at = $2 WHERE id = $1";

const UNDER_WAY: &str = "\
SELECT id FROM issue_sync_jobs
WHERE mirror_id = $1 AND job_type = $2 AND status = 'running'
  AND EXISTS (SELECT 1 FROM run_memberships m WHERE m.run_id = issue_sync_jobs.id)
ORDER BY id LIMIT 1";

const BEGIN: &str = "\
INSERT INTO issue_sync_jobs (mirror_id, job_type, status, requested_by, started_at)
VALUES ($1, $2, 'running', $3, $4)
RETURNING id";

const ASK_FOR: &str = "\
INSERT INTO run_issues (run_id, iid) VALUES ($1, $2) ON CONFLICT (run_id, iid) DO NOTHING";

const ASKED_FOR: &str = "SELECT iid FROM run_issues WHERE run_id = $1 ORDER BY iid";

impl Store {
    /// Which issues a run of single issues was asked for, by all who joined it.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn asked_for(&self, run: RunId) -> Result<Vec<Iid>, StoreError> {
        let rows: Vec<(i64,)> = self.read(ASKED_FOR).bind(run.0).fetch_all().await?;
        Ok(rows.into_iter().map(|(iid,)| Iid(iid)).collect())
    }

    /// Owes what a run begins with, and notes the run that waits for it. One of the same kind that
    /// is under way is joined: it then ends only after these jobs have run from now on.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn request_run(&self, request: &RunRequest<'_>) -> Result<Requested, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let requested = self.request_run_in(&mut tx, request).await?;
        tx.commit().await?;
        Ok(requested)
    }

    /// As [`Store::request_run`], in the transaction of what causes it.
    pub(crate) async fn request_run_in(
        &self,
        tx: &mut Tx,
        request: &RunRequest<'_>,
    ) -> Result<Requested, StoreError> {
        let now = self.now();
        let mirror = request.mirror;
        let taken = tx.query(TAKE_TURN).bind(mirror.0).bind(now);
        if taken.execute().await? == 0 {
            return Err(StoreError::NoSuchMirror(mirror));
        }
        let under_way: Option<(i64,)> = tx
            .query(UNDER_WAY)
            .bind(mirror.0)
            .bind(request.kind.name())
            .fetch_optional()
            .await?;
        let (id, coalesced) = match under_way {
            Some((id,)) => (id, true),
            None => {
                let (id,): (i64,) = tx
                    .query(BEGIN)
                    .bind(mirror.0)
                    .bind(request.kind.name())
                    .bind(request.by)
                    .bind(now)
                    .fetch_one()
                    .await?;
                (id, false)
            }
        };
        let owes: Vec<Owe> = request
            .jobs
            .iter()
            .map(|job| Owe::changed(*job, request.priority))
            .collect();
        owe_in(tx, &owes, now).await?;
        for job in request.jobs {
            attach(tx, RunId(id), job).await?;
            if let (RunKind::SingleIssue, Job::SyncIssue { iid, .. }) = (request.kind, job) {
                tx.query(ASK_FOR).bind(id).bind(iid.0).execute().await?;
            }
        }
        Ok(Requested {
            run: RunId(id),
            coalesced,
        })
    }
}
