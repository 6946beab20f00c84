//! What is known of each source issue under a mirror.

use crate::{Fence, Store, StoreError, database::Tx, intents::settle_intent, time::micros};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::{Iid, IntentId, IssueId, MirrorId},
    mapping::{IssueMapping, MappingStatus, SourceRead, TargetIssue},
};
use sqlx::{QueryBuilder, Sqlite, types::Json};
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

/// One end of a mirror.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Side {
    /// Read from.
    Source,
    /// Written to.
    Target,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT mirror_id, source_issue_id, source_issue_iid, target_issue_id, ",
            "target_issue_iid, target_updated_at, target_notes_count, target_digest, source_read_at, ",
            "source_updated_at, source_notes_count, source_content_hash, owned_labels, ",
            "carried_spent, sync_status, sync_error FROM issue_mappings ",
            $rest
        )
    };
}

const ONE: &str = select!("WHERE mirror_id = $1 AND source_issue_iid = $2");
const ALL: &str = select!("WHERE mirror_id = $1 ORDER BY source_issue_iid");
const OF_MIRROR: &str = select!("WHERE mirror_id = ");
const SOURCE_SEEN_SINCE: &str =
    select!("WHERE mirror_id = $1 AND source_updated_at >= $2 ORDER BY source_updated_at, id");
const TARGET_SEEN_SINCE: &str =
    select!("WHERE mirror_id = $1 AND target_updated_at >= $2 ORDER BY target_updated_at, id");

const UNSETTLED: &str = "\
SELECT source_issue_iid FROM issue_mappings
WHERE mirror_id = $1 AND source_read_lag <= $2
ORDER BY source_issue_iid";

// A recorded target is never replaced or lost: whoever read the mapping before the target was
// filled in must look again.
const SAVE: &str = "\
INSERT INTO issue_mappings (
    mirror_id, source_issue_id, source_issue_iid, target_issue_id, target_issue_iid,
    target_updated_at, target_notes_count, source_read_at, source_updated_at, source_notes_count,
    source_read_lag, source_content_hash, owned_labels, carried_spent, sync_status, sync_error,
    last_synced_at, target_digest, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $19)
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
    carried_spent = excluded.carried_spent,
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

/// Placeholders in one statement.
const BATCH: usize = 200;

#[derive(sqlx::FromRow)]
struct IssueRow {
    mirror_id: i64,
    source_issue_id: i64,
    source_issue_iid: i64,
    target_issue_id: Option<i64>,
    target_issue_iid: Option<i64>,
    target_updated_at: Option<DateTime<Utc>>,
    target_notes_count: Option<i64>,
    target_digest: Option<String>,
    source_read_at: Option<DateTime<Utc>>,
    source_updated_at: Option<DateTime<Utc>>,
    source_notes_count: Option<i64>,
    source_content_hash: Option<String>,
    owned_labels: Json<BTreeSet<String>>,
    carried_spent: Option<i64>,
    sync_status: String,
    sync_error: Option<String>,
}

impl TryFrom<IssueRow> for IssueMapping {
    type Error = StoreError;

    fn try_from(row: IssueRow) -> Result<Self, StoreError> {
        let target = match (
            row.target_issue_id,
            row.target_issue_iid,
            row.target_updated_at,
            row.target_notes_count,
        ) {
            (Some(id), Some(iid), Some(updated_at), Some(notes_count)) => Some(TargetIssue {
                id: IssueId(id),
                iid: Iid(iid),
                updated_at,
                notes_count,
                digest: row.target_digest,
            }),
            _ => None,
        };
        let read = match (
            row.source_read_at,
            row.source_updated_at,
            row.source_notes_count,
        ) {
            (Some(read_at), Some(updated_at), Some(notes_count)) => Some(SourceRead {
                read_at,
                updated_at,
                notes_count,
            }),
            _ => None,
        };
        Ok(Self {
            mirror: MirrorId(row.mirror_id),
            source_iid: Iid(row.source_issue_iid),
            source_id: IssueId(row.source_issue_id),
            target,
            read,
            fingerprint: row.source_content_hash,
            owned_labels: row.owned_labels.0,
            carried_spent: row.carried_spent,
            status: status(&row.sync_status, row.sync_error)?,
        })
    }
}

fn status(name: &str, reason: Option<String>) -> Result<MappingStatus, StoreError> {
    let reason = reason.unwrap_or_default();
    match name {
        "pending" => Ok(MappingStatus::Pending),
        "synced" => Ok(MappingStatus::Synced),
        "skipped" => Ok(MappingStatus::Skipped(reason)),
        "blocked" => Ok(MappingStatus::Blocked(reason)),
        "failed" => Ok(MappingStatus::Failed(reason)),
        _ => Err(StoreError::Unreadable {
            what: "a mapping's status",
        }),
    }
}

fn status_columns(status: &MappingStatus) -> (&'static str, Option<&str>) {
    match status {
        MappingStatus::Pending => ("pending", None),
        MappingStatus::Synced => ("synced", None),
        MappingStatus::Skipped(reason) => ("skipped", Some(reason)),
        MappingStatus::Blocked(reason) => ("blocked", Some(reason)),
        MappingStatus::Failed(reason) => ("failed", Some(reason)),
    }
}

impl Store {
    /// What is known of a source issue.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn issue_mapping(
        &self,
        mirror: MirrorId,
        iid: Iid,
    ) -> Result<Option<IssueMapping>, StoreError> {
        let row: Option<IssueRow> = sqlx::query_as(ONE)
            .bind(mirror.0)
            .bind(iid.0)
            .fetch_optional(self.reader())
            .await?;
        row.map(IssueMapping::try_from).transpose()
    }

    /// What is known of these source issues; nothing for the unknown ones.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn issue_mappings_by_iid(
        &self,
        mirror: MirrorId,
        iids: &[Iid],
    ) -> Result<HashMap<Iid, IssueMapping>, StoreError> {
        let ids: Vec<i64> = iids.iter().map(|iid| iid.0).collect();
        let found = self
            .mappings_where(mirror, " AND source_issue_iid IN (", &ids)
            .await?;
        Ok(found
            .into_iter()
            .map(|mapping| (mapping.source_iid, mapping))
            .collect())
    }

    /// What is known of the source issues that these target issues are the mirrors of; nothing for
    /// those that are nobody's.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn issue_mappings_by_target(
        &self,
        mirror: MirrorId,
        ids: &[IssueId],
    ) -> Result<HashMap<IssueId, IssueMapping>, StoreError> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let found = self
            .mappings_where(mirror, " AND target_issue_id IN (", &ids)
            .await?;
        let by_target = |mapping: IssueMapping| {
            let id = mapping.target.as_ref().map(|target| target.id);
            id.map(|id| (id, mapping))
        };
        Ok(found.into_iter().filter_map(by_target).collect())
    }

    async fn mappings_where(
        &self,
        mirror: MirrorId,
        condition: &'static str,
        ids: &[i64],
    ) -> Result<Vec<IssueMapping>, StoreError> {
        let mut found = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            let mut query = QueryBuilder::<Sqlite>::new(OF_MIRROR);
            query.push_bind(mirror.0);
            query.push(condition);
            let mut list = query.separated(", ");
            for id in batch {
                list.push_bind(*id);
            }
            query.push(")");
            let rows: Vec<IssueRow> = query.build_query_as().fetch_all(self.reader()).await?;
            for row in rows {
                found.push(IssueMapping::try_from(row)?);
            }
        }
        Ok(found)
    }

    /// All issues of a mirror that anything is known of, by number.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn all_mappings(&self, mirror: MirrorId) -> Result<Vec<IssueMapping>, StoreError> {
        let rows: Vec<IssueRow> = sqlx::query_as(ALL)
            .bind(mirror.0)
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(IssueMapping::try_from).collect()
    }

    /// The issues whose recorded `updated_at` on that side is this time or later, by that time.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn mappings_seen_since(
        &self,
        mirror: MirrorId,
        side: Side,
        since: DateTime<Utc>,
    ) -> Result<Vec<IssueMapping>, StoreError> {
        let text = match side {
            Side::Source => SOURCE_SEEN_SINCE,
            Side::Target => TARGET_SEEN_SINCE,
        };
        let rows: Vec<IssueRow> = sqlx::query_as(text)
            .bind(mirror.0)
            .bind(micros(since))
            .fetch_all(self.reader())
            .await?;
        rows.into_iter().map(IssueMapping::try_from).collect()
    }

    /// The issues that were read within `slack` of their last change, too soon to be sure that no
    /// later change hid behind the same `updated_at`: `read_at <= updated_at + slack`.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn unsettled(
        &self,
        mirror: MirrorId,
        slack: Duration,
    ) -> Result<Vec<Iid>, StoreError> {
        let rows: Vec<i64> = sqlx::query_scalar(UNSETTLED)
            .bind(mirror.0)
            .bind(i64::try_from(slack.as_micros()).unwrap_or(i64::MAX))
            .fetch_all(self.reader())
            .await?;
        Ok(rows.into_iter().map(Iid).collect())
    }

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
        let found = sqlx::query(CARRIED)
            .bind(mirror.0)
            .bind(iid.0)
            .bind(carried)
            .bind(now)
            .execute(&mut **tx)
            .await?;
        if found.rows_affected() == 0 {
            return Err(StoreError::NoSuchIssue(iid));
        }
        settle_intent(&mut tx, mirror, iid, intent, now).await?;
        tx.commit().await
    }
}

async fn save(tx: &mut Tx, mapping: &IssueMapping, now: DateTime<Utc>) -> Result<(), StoreError> {
    let (status, reason) = status_columns(&mapping.status);
    let target = mapping.target.as_ref();
    let read = mapping.read.as_ref();
    let saved = sqlx::query(SAVE)
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
        .bind(now)
        .execute(&mut ***tx)
        .await
        .map_err(target_taken)?;
    if saved.rows_affected() == 1 {
        return Ok(());
    }
    let mapped: Option<i64> = sqlx::query_scalar(MAPPED)
        .bind(mapping.mirror.0)
        .bind(mapping.source_iid.0)
        .fetch_one(&mut ***tx)
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
