//! How the target's threads were left: resolved or not.

use crate::{Fence, Store, StoreError};
use mirror_core::ids::{Iid, MirrorId};
use std::collections::BTreeMap;

const OF_ISSUE: &str = "\
SELECT t.source_discussion_id, t.resolved
FROM issue_mappings i JOIN thread_mappings t ON t.issue_mapping_id = i.id
WHERE i.mirror_id = $1 AND i.source_issue_iid = $2";

const SAVE: &str = "\
INSERT INTO thread_mappings (
    issue_mapping_id, source_discussion_id, resolved, created_at, updated_at)
SELECT id, $3, $4, $5, $5
FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2
ON CONFLICT (issue_mapping_id, source_discussion_id) DO UPDATE SET
    resolved = excluded.resolved, updated_at = excluded.updated_at";

impl Store {
    /// How the threads of an issue's copy were left, by the source's thread: resolved or not. One
    /// that was never resolved may be missing.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn threads(
        &self,
        mirror: MirrorId,
        iid: Iid,
    ) -> Result<BTreeMap<String, bool>, StoreError> {
        let rows: Vec<(String, bool)> = self
            .read(OF_ISSUE)
            .bind(mirror.0)
            .bind(iid.0)
            .fetch_all()
            .await?;
        Ok(rows.into_iter().collect())
    }

    /// Records how a thread was left.
    ///
    /// # Errors
    /// [`StoreError::Fenced`]; [`StoreError::NoSuchIssue`] before anything is recorded of the
    /// issue.
    pub async fn record_thread(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        source_discussion: &str,
        resolved: bool,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        let saved = tx
            .query(SAVE)
            .bind(mirror.0)
            .bind(iid.0)
            .bind(source_discussion)
            .bind(resolved)
            .bind(now)
            .execute()
            .await?;
        if saved == 0 {
            return Err(StoreError::NoSuchIssue(iid));
        }
        tx.commit().await
    }
}
