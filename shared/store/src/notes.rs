//! What is known of each source note of an issue.

use crate::{
    Fence, Store, StoreError,
    database::Tx,
    intents::{open_intent, settle_intent},
    issues::target_taken,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, IntentId, MirrorId, NoteId},
    mapping::{Intended, Intent, NoteMapping},
    merge::Sides,
};
use sqlx::types::Json;

const OF_ISSUE: &str = "\
SELECT c.source_note_id, c.source_discussion_id, c.target_note_id, c.target_discussion_id,
       c.source_content_hash, c.skipped, c.base
FROM issue_mappings i JOIN comment_mappings c ON c.issue_mapping_id = i.id
WHERE i.mirror_id = $1 AND i.source_issue_iid = $2
ORDER BY c.source_note_id";

const SAVE: &str = "\
INSERT INTO comment_mappings (
    issue_mapping_id, source_note_id, source_discussion_id, target_note_id, target_discussion_id,
    source_content_hash, skipped, base, created_at, updated_at)
SELECT id, $3, $4, $5, $6, $7, $8, $10, $9, $9
FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2
ON CONFLICT (issue_mapping_id, source_note_id) DO UPDATE SET
    source_discussion_id = excluded.source_discussion_id,
    target_note_id = excluded.target_note_id,
    target_discussion_id = excluded.target_discussion_id,
    source_content_hash = excluded.source_content_hash,
    skipped = excluded.skipped,
    base = excluded.base,
    updated_at = excluded.updated_at
WHERE comment_mappings.target_note_id IS NULL
   OR comment_mappings.target_note_id = excluded.target_note_id";

const MAPPED: &str = "\
SELECT c.target_note_id
FROM issue_mappings i JOIN comment_mappings c ON c.issue_mapping_id = i.id
WHERE i.mirror_id = $1 AND i.source_issue_iid = $2 AND c.source_note_id = $3";

const FORGET: &str = "\
DELETE FROM comment_mappings
WHERE source_note_id = $3 AND issue_mapping_id = (
    SELECT id FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2)";

#[derive(sqlx::FromRow)]
struct NoteRow {
    source_note_id: i64,
    source_discussion_id: String,
    target_note_id: Option<i64>,
    target_discussion_id: Option<String>,
    source_content_hash: Option<String>,
    skipped: Option<String>,
    base: Option<Json<Sides>>,
}

impl From<NoteRow> for NoteMapping {
    fn from(row: NoteRow) -> Self {
        Self {
            source_note: NoteId(row.source_note_id),
            source_discussion: row.source_discussion_id,
            target_note: row.target_note_id.map(NoteId),
            target_discussion: row.target_discussion_id,
            fingerprint: row.source_content_hash,
            skipped: row.skipped,
            base: row.base.map(|base| base.0),
        }
    }
}

impl Store {
    /// What is known of an issue's notes, oldest note first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn note_mappings(
        &self,
        mirror: MirrorId,
        iid: Iid,
    ) -> Result<Vec<NoteMapping>, StoreError> {
        let rows: Vec<NoteRow> = self
            .read(OF_ISSUE)
            .bind(mirror.0)
            .bind(iid.0)
            .fetch_all()
            .await?;
        Ok(rows.into_iter().map(NoteMapping::from).collect())
    }

    /// Records what is known of a note, closes the intent that led to it, and opens the next one:
    /// one transaction, so that a row of notes costs one flush of the disk each.
    ///
    /// # Errors
    /// [`StoreError::Fenced`]; [`StoreError::NoSuchIssue`] before anything is recorded of the
    /// issue; [`StoreError::NoteMapped`] and [`StoreError::TargetTaken`] where the recorded notes
    /// say otherwise; [`StoreError::NoSuchIntent`]; [`StoreError::IntentOpen`] if there is a next
    /// one but another is open.
    pub async fn record_note(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        note: &NoteMapping,
        intent: Option<IntentId>,
        next: Option<Intended>,
    ) -> Result<Option<Intent>, StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        save(&mut tx, mirror, iid, note, now).await?;
        if let Some(intent) = intent {
            settle_intent(&mut tx, mirror, iid, intent, now).await?;
        }
        let next = match next {
            Some(what) => Some(open_intent(&mut tx, mirror, iid, what, now).await?),
            None => None,
        };
        tx.commit().await?;
        Ok(next)
    }

    /// Forgets a note that is gone on both sides.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn forget_note(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        source_note: NoteId,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(FORGET)
            .bind(mirror.0)
            .bind(iid.0)
            .bind(source_note.0)
            .execute()
            .await?;
        tx.commit().await
    }
}

async fn save(
    tx: &mut Tx,
    mirror: MirrorId,
    iid: Iid,
    note: &NoteMapping,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let saved = tx
        .query(SAVE)
        .bind(mirror.0)
        .bind(iid.0)
        .bind(note.source_note.0)
        .bind(&note.source_discussion)
        .bind(note.target_note.map(|note| note.0))
        .bind(&note.target_discussion)
        .bind(&note.fingerprint)
        .bind(&note.skipped)
        .bind(now)
        .bind(note.base.as_ref().map(Json))
        .execute()
        .await
        .map_err(target_taken)?;
    if saved == 1 {
        return Ok(());
    }
    let mapped: Option<(Option<i64>,)> = tx
        .query(MAPPED)
        .bind(mirror.0)
        .bind(iid.0)
        .bind(note.source_note.0)
        .fetch_optional()
        .await?;
    match mapped.and_then(|(mapped,)| mapped) {
        Some(mapped) => Err(StoreError::NoteMapped {
            source_note: note.source_note,
            mapped: NoteId(mapped),
        }),
        None => Err(StoreError::NoSuchIssue(iid)),
    }
}
