//! Files that went from a source project to a target project.

use crate::{
    Fence, Store, StoreError,
    database::{PATIENCE, Tx},
    sql::Query,
};
use mirror_core::{
    ids::MirrorId,
    mapping::{UploadKey, UploadOutcome},
};
use std::collections::HashMap;

const ONE: &str = "\
SELECT target_url, file_size, refused FROM attachment_mappings
WHERE source_instance_id = $1 AND source_project_id = $2 AND source_secret = $3
  AND filename = $4 AND target_instance_id = $5 AND target_project_id = $6";

// The first transfer stands, so that a link once rendered stays; a refusal gives way to one.
const SAVE: &str = "\
INSERT INTO attachment_mappings (
    source_instance_id, source_project_id, source_secret, filename, target_instance_id,
    target_project_id, target_url, file_size, refused, uploaded_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (source_instance_id, source_project_id, source_secret, filename,
             target_instance_id, target_project_id)
DO UPDATE SET target_url = excluded.target_url, file_size = excluded.file_size,
              refused = excluded.refused, uploaded_at = excluded.uploaded_at
WHERE attachment_mappings.target_url IS NULL";

#[derive(sqlx::FromRow)]
struct UploadRow {
    target_url: Option<String>,
    file_size: Option<i64>,
    refused: Option<String>,
}

impl From<UploadRow> for UploadOutcome {
    fn from(row: UploadRow) -> Self {
        match row.target_url {
            Some(url) => Self::Transferred {
                url,
                size: row.file_size.unwrap_or_default(),
            },
            None => Self::Refused {
                reason: row.refused.unwrap_or_default(),
            },
        }
    }
}

const FORGET_REFUSED: &str = "\
DELETE FROM attachment_mappings
WHERE refused IS NOT NULL AND EXISTS (
    SELECT 1 FROM mirrors m
    WHERE m.id = $1 AND m.source_instance_id = attachment_mappings.source_instance_id
      AND m.source_project_id = attachment_mappings.source_project_id
      AND m.target_instance_id = attachment_mappings.target_instance_id
      AND m.target_project_id = attachment_mappings.target_project_id)";

impl Store {
    /// Forgets which files of a mirror were refused, so that each is tried once more.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn forget_refused_uploads(
        &self,
        fence: &Fence,
        mirror: MirrorId,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(FORGET_REFUSED).bind(mirror.0).execute().await?;
        tx.commit().await
    }

    /// How the transfers of these files ended; nothing for those never tried.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn uploads(
        &self,
        keys: &[UploadKey],
    ) -> Result<HashMap<UploadKey, UploadOutcome>, StoreError> {
        let mut known = HashMap::with_capacity(keys.len());
        for key in keys {
            if let Some(outcome) = one(self.read(ONE), key).await? {
                known.insert(key.clone(), outcome);
            }
        }
        Ok(known)
    }

    /// Records how a transfer ended, and returns what stands. Where two workers carried the same
    /// file, the first one's link stands for both. Not fenced: a file is no one issue's.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn record_upload(
        &self,
        key: &UploadKey,
        outcome: &UploadOutcome,
    ) -> Result<UploadOutcome, StoreError> {
        let (url, size, refused) = match outcome {
            UploadOutcome::Transferred { url, size } => (Some(url), Some(*size), None),
            UploadOutcome::Refused { reason } => (None, None, Some(reason)),
        };
        let mut tx: Tx = self.begin(PATIENCE).await?;
        tx.query(SAVE)
            .bind(key.source_instance.0)
            .bind(key.source_project.0)
            .bind(&key.secret)
            .bind(&key.filename)
            .bind(key.target_instance.0)
            .bind(key.target_project.0)
            .bind(url)
            .bind(size)
            .bind(refused)
            .bind(self.now())
            .execute()
            .await?;
        let stands = one(tx.query(ONE), key).await?;
        tx.commit().await?;
        Ok(stands.unwrap_or_else(|| outcome.clone()))
    }
}

async fn one(query: Query<'_>, key: &UploadKey) -> Result<Option<UploadOutcome>, StoreError> {
    let row: Option<UploadRow> = query
        .bind(key.source_instance.0)
        .bind(key.source_project.0)
        .bind(&key.secret)
        .bind(&key.filename)
        .bind(key.target_instance.0)
        .bind(key.target_project.0)
        .fetch_optional()
        .await?;
    Ok(row.map(UploadOutcome::from))
}
