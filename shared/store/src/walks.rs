//! What a walk over either side found, recorded together with how far the walk has come.

use crate::{
    Fence, Owe, Pair, SightedImpostor, Store, StoreError,
    adoptions::note_pairs,
    database::Tx,
    impostors::note_impostors,
    runs::attach_found,
    seen::{forget_in, refresh_in},
    time::micros,
    work::owe_in,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, IssueId, MirrorId},
    mapping::TargetIssue,
};

/// A target issue that carries our marker for a source issue, written by one of our users.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Adoption {
    /// The source issue that the marker names.
    pub source_iid: Iid,
    /// Its id, likewise.
    pub source_id: IssueId,
    /// The issue that carries it.
    pub target: TargetIssue,
}

/// A candidate that was not adopted, because its source issue is mapped to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Twin {
    /// The source issue.
    pub source_iid: Iid,
    /// What it is mapped to.
    pub mapped: IssueId,
    /// The other one.
    pub other: IssueId,
    /// Its number.
    pub other_iid: Iid,
}

/// What a walk of the target found.
#[derive(Clone, Copy, Default, Debug)]
pub struct TargetWalk<'a> {
    /// Copies of ours that no source issue is mapped to.
    pub adoptions: &'a [Adoption],
    /// Copies that another tool made, under one of our users; adopted by the issues' own jobs.
    pub pairs: &'a [Pair],
    /// Markers that strangers wrote.
    pub impostors: &'a [SightedImpostor],
    /// What it showed of issues that are mapped, where that is another thing than was recorded.
    pub seen: &'a [TargetIssue],
    /// The source issues whose copies somebody edited: the next job compares field by field.
    pub edited: &'a [Iid],
    /// What is owed for all that.
    pub owed: &'a [Owe],
    /// Up to where the target has been seen; may be lower than before. `None` leaves it.
    pub watermark: Option<DateTime<Utc>>,
}

const SOURCE_WATERMARK: &str = "\
UPDATE mirror_issue_configs SET source_watermark = $2, updated_at = $3 WHERE mirror_id = $1";
const TARGET_WATERMARK: &str = "\
UPDATE mirror_issue_configs SET target_watermark = $2, updated_at = $3 WHERE mirror_id = $1";

// What was carried in logged time is known only if our own create is still open: then it is what
// the mapping says, or nothing yet. Otherwise the record is older than the issue it finds.
const ADOPT: &str = "\
INSERT INTO issue_mappings (
    mirror_id, source_issue_id, source_issue_iid, target_issue_id, target_issue_iid,
    target_updated_at, target_notes_count, owned_labels, carried_spent, sync_status,
    target_digest, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, '[]',
        (SELECT 0 FROM create_intents
         WHERE mirror_id = $1 AND source_iid = $3 AND kind = 'issue' AND settled_at IS NULL),
        'pending', $9, $8, $8)
ON CONFLICT (mirror_id, source_issue_iid) DO UPDATE SET
    target_issue_id = excluded.target_issue_id,
    target_issue_iid = excluded.target_issue_iid,
    target_updated_at = excluded.target_updated_at,
    target_notes_count = excluded.target_notes_count,
    target_digest = excluded.target_digest,
    source_read_at = NULL,
    source_updated_at = NULL,
    source_notes_count = NULL,
    source_read_lag = NULL,
    source_content_hash = NULL,
    carried_spent = CASE WHEN excluded.carried_spent IS NULL THEN NULL
                         ELSE COALESCE(issue_mappings.carried_spent, 0) END,
    sync_status = 'pending',
    sync_error = NULL,
    updated_at = excluded.updated_at
WHERE issue_mappings.target_issue_id IS NULL";

const MAPPED_TO: &str = "\
SELECT target_issue_id FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2";

const IS_MIRROR: &str = "\
SELECT 1 FROM issue_mappings WHERE mirror_id = $1 AND target_issue_id = $2";

impl Store {
    /// Records a page of the source's walk: what is owed for it, and up to where it has been seen.
    /// The watermark is set as given, which may be lower than before; `None` leaves it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn record_source_walk(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        owes: &[Owe],
        watermark: Option<DateTime<Utc>>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        owe_in(&mut tx, owes, now).await?;
        attach_found(&mut tx, fence.work, owes.iter().map(|owe| owe.job)).await?;
        set_watermark(&mut tx, SOURCE_WATERMARK, mirror, watermark, now).await?;
        tx.commit().await
    }

    /// Records a walk of the target, all in one transaction: an edit that is recorded as seen is
    /// owed, whatever happens next.
    ///
    /// An adoption fills in the target of an issue that has none and makes the next job compare
    /// it field by field; it never replaces another target. Of several candidates for one issue
    /// in one call the lowest id is adopted, so a walk had better gather them. Returns those left
    /// over.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn record_target_walk(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        walk: &TargetWalk<'_>,
    ) -> Result<Vec<Twin>, StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        // The work first: a job holds its own before it comes to its mapping.
        owe_in(&mut tx, walk.owed, now).await?;
        attach_found(&mut tx, fence.work, walk.owed.iter().map(|owe| owe.job)).await?;
        refresh_in(&mut tx, mirror, walk.seen, now).await?;
        forget_in(&mut tx, mirror, walk.edited, now).await?;
        let mut lowest_first: Vec<&Adoption> = walk.adoptions.iter().collect();
        lowest_first.sort_by_key(|adoption| adoption.target.id);
        let mut twins = Vec::new();
        for adoption in lowest_first {
            twins.extend(adopt(&mut tx, mirror, adoption, now).await?);
        }
        note_impostors(&mut tx, mirror, walk.impostors, now).await?;
        note_pairs(&mut tx, mirror, walk.pairs, now).await?;
        set_watermark(&mut tx, TARGET_WATERMARK, mirror, walk.watermark, now).await?;
        tx.commit().await?;
        Ok(twins)
    }
}

async fn adopt(
    tx: &mut Tx,
    mirror: MirrorId,
    adoption: &Adoption,
    now: DateTime<Utc>,
) -> Result<Option<Twin>, StoreError> {
    let target = &adoption.target;
    if let Some(mapped) = mapped_to(tx, mirror, adoption.source_iid).await? {
        return Ok(twin(adoption, mapped));
    }
    // Its marker was exchanged by hand: whose mirror it was, it stays.
    let taken: Option<()> = tx
        .query(IS_MIRROR)
        .bind(mirror.0)
        .bind(target.id.0)
        .fetch_optional()
        .await?;
    if taken.is_some() {
        tracing::warn!(
            mirror.id = mirror.0,
            issue.iid = adoption.source_iid.0,
            target.iid = target.iid.0,
            "a target issue carries the marker of one source issue but mirrors another"
        );
        return Ok(None);
    }
    let adopted = tx
        .query(ADOPT)
        .bind(mirror.0)
        .bind(adoption.source_id.0)
        .bind(adoption.source_iid.0)
        .bind(target.id.0)
        .bind(target.iid.0)
        .bind(micros(target.updated_at))
        .bind(target.notes_count)
        .bind(now)
        .bind(&target.digest)
        .execute()
        .await?;
    if adopted == 0 {
        // Its own job has mapped it between the look and the adoption.
        let mapped = mapped_to(tx, mirror, adoption.source_iid).await?;
        return Ok(mapped.and_then(|mapped| twin(adoption, mapped)));
    }
    Ok(None)
}

async fn mapped_to(tx: &mut Tx, mirror: MirrorId, iid: Iid) -> Result<Option<IssueId>, StoreError> {
    let row: Option<(Option<i64>,)> = tx
        .query(MAPPED_TO)
        .bind(mirror.0)
        .bind(iid.0)
        .fetch_optional()
        .await?;
    Ok(row.and_then(|(mapped,)| mapped).map(IssueId))
}

fn twin(adoption: &Adoption, mapped: IssueId) -> Option<Twin> {
    let other = &adoption.target;
    (mapped != other.id).then_some(Twin {
        source_iid: adoption.source_iid,
        mapped,
        other: other.id,
        other_iid: other.iid,
    })
}

async fn set_watermark(
    tx: &mut Tx,
    text: &'static str,
    mirror: MirrorId,
    watermark: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if let Some(watermark) = watermark {
        tx.query(text)
            .bind(mirror.0)
            .bind(micros(watermark))
            .bind(now)
            .execute()
            .await?;
    }
    Ok(())
}
