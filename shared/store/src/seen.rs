//! What a walk of the target saw of issues that are mapped already.

use crate::{Fence, Store, StoreError, database::Tx, time::micros};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, MirrorId},
    mapping::TargetIssue,
};

const REFRESH: &str = "\
UPDATE issue_mappings
SET target_updated_at = $3, target_notes_count = $4, target_digest = $5, updated_at = $6
WHERE mirror_id = $1 AND target_issue_id = $2";

const FORGET_ONE: &str = "\
UPDATE issue_mappings SET source_content_hash = NULL, updated_at = $3
WHERE mirror_id = $1 AND source_issue_iid = $2";

const FORGET_NOTES_OF_ONE: &str = "\
UPDATE comment_mappings SET source_content_hash = NULL, updated_at = $3
WHERE issue_mapping_id = (
    SELECT id FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2)";

const FORGET_ALL: &str = "\
UPDATE issue_mappings SET source_content_hash = NULL, updated_at = $2 WHERE mirror_id = $1";

const FORGET_NOTES_OF_ALL: &str = "\
UPDATE comment_mappings SET source_content_hash = NULL, updated_at = $2
WHERE issue_mapping_id IN (SELECT id FROM issue_mappings WHERE mirror_id = $1)";

impl Store {
    /// Makes the next job of these issues (`None`: of all of the mirror) compare with the target
    /// field by field, comments included: somebody edited there, or everything is to be compared.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn forget_fingerprints(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iids: Option<&[Iid]>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        match iids {
            None => {
                for text in [FORGET_ALL, FORGET_NOTES_OF_ALL] {
                    tx.query(text).bind(mirror.0).bind(now).execute().await?;
                }
            }
            Some(iids) => forget_in(&mut tx, mirror, iids, now).await?,
        }
        tx.commit().await
    }
}

pub(crate) async fn forget_in(
    tx: &mut Tx,
    mirror: MirrorId,
    iids: &[Iid],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for iid in iids {
        for text in [FORGET_ONE, FORGET_NOTES_OF_ONE] {
            let query = tx.query(text).bind(mirror.0).bind(iid.0);
            query.bind(now).execute().await?;
        }
    }
    Ok(())
}

/// Records what a listing of the target showed of these issues.
pub(crate) async fn refresh_in(
    tx: &mut Tx,
    mirror: MirrorId,
    seen: &[TargetIssue],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for target in seen {
        tx.query(REFRESH)
            .bind(mirror.0)
            .bind(target.id.0)
            .bind(micros(target.updated_at))
            .bind(target.notes_count)
            .bind(&target.digest)
            .bind(now)
            .execute()
            .await?;
    }
    Ok(())
}
