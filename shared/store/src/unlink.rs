//! Issues that a person takes out of a mirror, and puts back.

use crate::{
    Store, StoreError,
    database::PATIENCE,
    sql::{Text, on_work},
};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::{Job, Priority},
};

/// How a wish about one issue ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unlinked {
    /// It is so, of this source issue.
    Done(Iid),
    /// A job of it is out at a worker just now.
    Busy,
    /// There is no such mapping, or it was so already.
    Nothing,
}

/// Why its mapping is blocked.
const WHY: &str = "a person took it out of the mirror";

const FIND: &str = "\
SELECT source_issue_iid, sync_status FROM issue_mappings WHERE mirror_id = $1 AND id = $2";

// Held, so that no ticket of it starts meanwhile.
const OUT: Text = on_work!(
    "key = $1",
    in_turn,
    "SELECT state FROM work WHERE id IN (SELECT id FROM held) AND state IN ('queued', 'running')"
);

const UNLINK: &str = "\
UPDATE issue_mappings SET sync_status = 'blocked', sync_error = $3, source_content_hash = NULL,
                          title = NULL, updated_at = $4
WHERE mirror_id = $1 AND id = $2";

const RELINK: &str = "\
UPDATE issue_mappings SET sync_status = 'pending', sync_error = NULL, updated_at = $3
WHERE mirror_id = $1 AND id = $2 AND sync_status = 'blocked'";

const FORGET_EDITS: &str = "DELETE FROM target_edits WHERE issue_mapping_id = $1";

impl Store {
    /// Takes an issue out of its mirror: nothing of it crosses any more, and its copy is left as it
    /// is. The mapping stays on record, so that the copy is known for what it is and never made
    /// again.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn unlink_issue(
        &self,
        mirror: MirrorId,
        mapping: i64,
    ) -> Result<Unlinked, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let found: Option<(i64, String)> = tx
            .query(FIND)
            .bind(mirror.0)
            .bind(mapping)
            .fetch_optional()
            .await?;
        let Some((iid, status)) = found else {
            return Ok(Unlinked::Nothing);
        };
        if status == "blocked" {
            return Ok(Unlinked::Nothing);
        }
        let job = Job::SyncIssue {
            mirror,
            iid: Iid(iid),
        };
        let out: Option<(String,)> = tx.query(OUT).bind(job.key()).fetch_optional().await?;
        if out.is_some() {
            return Ok(Unlinked::Busy);
        }
        tx.query(UNLINK)
            .bind(mirror.0)
            .bind(mapping)
            .bind(WHY)
            .bind(self.now())
            .execute()
            .await?;
        tx.query(FORGET_EDITS).bind(mapping).execute().await?;
        tx.commit().await?;
        Ok(Unlinked::Done(Iid(iid)))
    }

    /// Puts an issue back that a person took out; it is brought in line at once.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn relink_issue(
        &self,
        mirror: MirrorId,
        mapping: i64,
    ) -> Result<Unlinked, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let found: Option<(i64, String)> = tx
            .query(FIND)
            .bind(mirror.0)
            .bind(mapping)
            .fetch_optional()
            .await?;
        let Some((iid, _)) = found.filter(|(_, status)| status == "blocked") else {
            return Ok(Unlinked::Nothing);
        };
        let job = Job::SyncIssue {
            mirror,
            iid: Iid(iid),
        };
        let owe = crate::Owe::changed(job, Priority::ByHand);
        crate::work::owe_in(&mut tx, &[owe], now).await?;
        tx.query(RELINK)
            .bind(mirror.0)
            .bind(mapping)
            .bind(now)
            .execute()
            .await?;
        tx.commit().await?;
        Ok(Unlinked::Done(Iid(iid)))
    }
}
