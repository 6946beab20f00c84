//! Recording what is known of a source issue.

use super::row::status_columns;
use crate::{
    Fence, Store, StoreError, database::Tx, intents::settle_intent, sql::plain, time::micros,
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::{Iid, IntentId, IssueId, MirrorId},
    mapping::{IssueMapping, MappingStatus, SourceRead},
};
use sqlx::types::Json;

// A recorded target is never replaced or lost: whoever read the mapping before the target was
// filled in must look again.
const SAVE: &str = "\
INSERT INTO issue_mappings (
    mirror_id, source_issue_id, source_issue_iid, target_issue_id, target_issue_iid,
    target_updated_at, target_notes_count, source_read_at, source_updated_at, source_notes_count,
    source_read_lag, source_content_hash, owned_labels, carried_spent, sync_status, sync_error,
    last_synced_at, target_digest, owned_assignees, base, is_reverse, title, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $21,
        $22, $23, $20, $20)
ON CONFLICT (mirror_id, source_issue_iid) DO UPDATE SET
    source_issue_id = excluded.source_issue_id,
    target_issue_id = excluded.target_issue_id,
    target_issue_iid = excluded.target_issue_iid,
    target_updated_at = excluded.target_updated_at,
    target_notes_count = excluded.target_notes_count,
    target_digest = excluded.target_digest,
    source_read_at = excluded.source_read_at,
    source_updated_at = excluded.source_updated_at,
    source_notes_count = excluded.source_notes_count,
    source_read_lag = excluded.source_read_lag,
    source_content_hash = excluded.source_content_hash,
    owned_labels = excluded.owned_labels,
    owned_assignees = excluded.owned_assignees,
    carried_spent = excluded.carried_spent,
    base = excluded.base,
    is_reverse = excluded.is_reverse,
    title = excluded.title,
    sync_status = excluded.sync_status,
    sync_error = excluded.sync_error,
    last_synced_at = COALESCE(excluded.last_synced_at, issue_mappings.last_synced_at),
    updated_at = excluded.updated_at
WHERE issue_mappings.target_issue_id IS NULL
   OR issue_mappings.target_issue_id = excluded.target_issue_id";

const MAPPED: &str = "\
SELECT target_issue_id FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2";

const CARRIED: &str = "\
UPDATE issue_mappings SET carried_spent = $3, updated_at = $4
WHERE mirror_id = $1 AND source_issue_iid = $2";

impl Store {
    /// Records all that is known of an issue.
    ///
    /// # Errors
    /// [`StoreError::Fenced`]; [`StoreError::AlreadyMapped`] if a target was recorded meanwhile
    /// that this mapping does not name; [`StoreError::TargetTaken`] if its target is another
    /// issue's.
    pub async fn record_issue(
        &self,
        fence: &Fence,
        mapping: &IssueMapping,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        save(&mut tx, mapping, self.now()).await?;
        tx.commit().await
    }

    /// Records that the issue's mirror is there, created or adopted, and closes the intent that
    /// led to it. An intent that was sent twice stays known to [`Store::twin_watch`].
    ///
    /// # Errors
    /// As [`Store::record_issue`], and [`StoreError::NoSuchIntent`].
    pub async fn record_issue_created(
        &self,
        fence: &Fence,
        mapping: &IssueMapping,
        intent: Option<IntentId>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        save(&mut tx, mapping, now).await?;
        if let Some(intent) = intent {
            settle_intent(&mut tx, mapping.mirror, mapping.source_iid, intent, now).await?;
        }
        tx.commit().await
    }

    /// Records how many seconds of logged time have been carried in all, and closes the intent.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], [`StoreError::NoSuchIssue`], [`StoreError::NoSuchIntent`].
    pub async fn record_time(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        carried: i64,
        intent: IntentId,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        let found = tx
            .query(CARRIED)
            .bind(mirror.0)
            .bind(iid.0)
            .bind(carried)
            .bind(now)
            .execute()
            .await?;
        if found == 0 {
            return Err(StoreError::NoSuchIssue(iid));
        }
        settle_intent(&mut tx, mirror, iid, intent, now).await?;
        tx.commit().await
    }
}

/// Records all that is known of an issue.
pub(crate) async fn save(
    tx: &mut Tx,
    mapping: &IssueMapping,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (status, reason) = status_columns(&mapping.status);
    let target = mapping.target.as_ref();
    let read = mapping.read.as_ref();
    let saved = tx
        .query(SAVE)
        .bind(mapping.mirror.0)
        .bind(mapping.source_id.0)
        .bind(mapping.source_iid.0)
        .bind(target.map(|target| target.id.0))
        .bind(target.map(|target| target.iid.0))
        .bind(target.map(|target| micros(target.updated_at)))
        .bind(target.map(|target| target.notes_count))
        .bind(read.map(|read| micros(read.read_at)))
        .bind(read.map(|read| micros(read.updated_at)))
        .bind(read.map(|read| read.notes_count))
        .bind(read.map(read_lag))
        .bind(&mapping.fingerprint)
        .bind(Json(&mapping.owned_labels))
        .bind(mapping.carried_spent)
        .bind(status)
        .bind(reason)
        .bind((mapping.status == MappingStatus::Synced).then_some(now))
        .bind(target.and_then(|target| target.digest.as_ref()))
        .bind(Json(&mapping.owned_assignees))
        .bind(now)
        .bind(mapping.base.as_ref().map(Json))
        .bind(mapping.is_reverse)
        .bind(mapping.title.as_deref().map(plain))
        .execute()
        .await
        .map_err(target_taken)?;
    if saved == 1 {
        return Ok(());
    }
    let (mapped,): (Option<i64>,) = tx
        .query(MAPPED)
        .bind(mapping.mirror.0)
        .bind(mapping.source_iid.0)
        .fetch_one()
        .await?;
    match mapped {
        Some(mapped) => Err(StoreError::AlreadyMapped {
            source_iid: mapping.source_iid,
            mapped: IssueId(mapped),
        }),
        None => Err(StoreError::NoSuchIssue(mapping.source_iid)),
    }
}

fn read_lag(read: &SourceRead) -> i64 {
    let lag: TimeDelta = micros(read.read_at) - micros(read.updated_at);
    lag.num_microseconds().unwrap_or(i64::MAX)
}

/// The one unique constraint that a mapping's own key does not absorb is the one on its target.
pub(crate) fn target_taken(error: sqlx::Error) -> StoreError {
    let unique = error
        .as_database_error()
        .is_some_and(|error| error.is_unique_violation());
    if unique {
        StoreError::TargetTaken
    } else {
        error.into()
    }
}
