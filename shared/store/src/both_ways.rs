//! Two mirrors in opposite directions that a person has declared a pair.

use crate::{
    Store, StoreError,
    database::{PATIENCE, Tx},
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::ids::{Iid, MirrorId};

const OTHER: &str = "SELECT pair_id FROM mirror_issue_configs WHERE mirror_id = $1";

const OPPOSITE: &str = "\
SELECT a.id FROM mirrors a JOIN mirrors b
    ON a.source_instance_id = b.target_instance_id AND a.source_project_id = b.target_project_id
   AND a.target_instance_id = b.source_instance_id AND a.target_project_id = b.source_project_id
WHERE a.id = $1 AND b.id = $2";

// What happened to copies before counts as well, so both are walked whole.
const DECLARE: &str = "\
UPDATE mirror_issue_configs SET
    pair_id = $2,
    next_scan_at = CASE WHEN next_scan_at IS NULL THEN NULL ELSE $3 END,
    next_full_at = CASE WHEN next_scan_at IS NULL THEN next_full_at ELSE $3 END,
    revision = revision + 1, updated_at = $4
WHERE mirror_id = $1 AND (pair_id IS NULL OR pair_id <> $2)";

const END: &str = "\
UPDATE mirror_issue_configs SET pair_id = NULL, revision = revision + 1, updated_at = $2
WHERE mirror_id = $1";

const ORIGINAL: &str = "\
SELECT source_issue_iid FROM issue_mappings
WHERE mirror_id = $1 AND target_issue_iid = $2 AND NOT is_reverse";

const IS_REVERSE: &str = "\
SELECT is_reverse FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2";

// Also once they are a pair no more: what was carried stays carried.
const CARRIED_BACK: &str = "\
SELECT r.carried_spent
FROM issue_mappings i
JOIN mirrors a ON a.id = i.mirror_id
JOIN mirrors b
    ON a.source_instance_id = b.target_instance_id AND a.source_project_id = b.target_project_id
   AND a.target_instance_id = b.source_instance_id AND a.target_project_id = b.source_project_id
JOIN issue_mappings r ON r.mirror_id = b.id AND r.source_issue_iid = i.target_issue_iid
WHERE i.mirror_id = $1 AND i.source_issue_iid = $2 AND r.is_reverse";

impl Store {
    /// The mirror in the opposite direction that this one is a pair with.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn pair_of(&self, mirror: MirrorId) -> Result<Option<MirrorId>, StoreError> {
        let row: Option<(Option<i64>,)> = self.read(OTHER).bind(mirror.0).fetch_optional().await?;
        let (other,) = row.ok_or(StoreError::NoSuchMirror(mirror))?;
        Ok(other.map(MirrorId))
    }

    /// Declares two mirrors a pair, and has everything looked at. `false`: they do not lead from one
    /// project into the other and back.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn declare_pair(&self, one: MirrorId, other: MirrorId) -> Result<bool, StoreError> {
        for mirror in [one, other] {
            self.mirror(mirror).await?;
        }
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let opposite: Option<(i64,)> = tx
            .query(OPPOSITE)
            .bind(one.0)
            .bind(other.0)
            .fetch_optional()
            .await?;
        if opposite.is_none() {
            return Ok(false);
        }
        // In the order of their numbers, as everybody takes them.
        for (mirror, with) in [
            (one.min(other), one.max(other)),
            (one.max(other), one.min(other)),
        ] {
            declare(&mut tx, mirror, with, now).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Two mirrors are a pair no more: each mirrors one way. `false`: they were none.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn end_pair(&self, mirror: MirrorId) -> Result<bool, StoreError> {
        let Some(other) = self.pair_of(mirror).await? else {
            return Ok(false);
        };
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        for half in [mirror.min(other), mirror.max(other)] {
            tx.query(END).bind(half.0).bind(now).execute().await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Whether an issue is a copy whose original the mirror's target is.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn is_reverse(&self, mirror: MirrorId, iid: Iid) -> Result<bool, StoreError> {
        let query = self.read(IS_REVERSE).bind(mirror.0).bind(iid.0);
        let row: Option<(bool,)> = query.fetch_optional().await?;
        Ok(row.is_some_and(|(is_reverse,)| is_reverse))
    }

    /// Seconds that were logged on the copy of an issue and carried back to it.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn carried_back(&self, mirror: MirrorId, iid: Iid) -> Result<i64, StoreError> {
        let query = self.read(CARRIED_BACK).bind(mirror.0).bind(iid.0);
        let row: Option<(Option<i64>,)> = query.fetch_optional().await?;
        Ok(row.and_then(|(carried,)| carried).unwrap_or(0))
    }

    /// The source issue that a target issue is the mirror of.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn original_of(
        &self,
        mirror: MirrorId,
        target: Iid,
    ) -> Result<Option<Iid>, StoreError> {
        let query = self.read(ORIGINAL).bind(mirror.0).bind(target.0);
        let row: Option<(i64,)> = query.fetch_optional().await?;
        Ok(row.map(|(iid,)| Iid(iid)))
    }
}

async fn declare(
    tx: &mut Tx,
    mirror: MirrorId,
    with: MirrorId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    tx.query(DECLARE)
        .bind(mirror.0)
        .bind(with.0)
        .bind(micros(now))
        .bind(now)
        .execute()
        .await?;
    Ok(())
}
