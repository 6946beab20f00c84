//! Finding what is known of source issues.

use super::row::IssueRow;
use crate::{Store, StoreError, sql::Text, time::micros};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, IssueId, MirrorId},
    mapping::IssueMapping,
};
use sqlx::types::Json;
use std::{collections::HashMap, time::Duration};

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
            "source_updated_at, source_notes_count, source_content_hash, title, owned_labels, ",
            "owned_assignees, carried_spent, base, is_reverse, sync_status, sync_error FROM issue_mappings ",
            $rest
        )
    };
}

const ONE: &str = select!("WHERE mirror_id = $1 AND source_issue_iid = $2");
const ALL: &str = select!("WHERE mirror_id = $1 ORDER BY source_issue_iid");
// A list is bound as one JSON value, so that its length does not change the text.
const BY_IID: Text = Text {
    sqlite: select!(
        "WHERE mirror_id = $1 AND source_issue_iid IN (SELECT value FROM json_each($2))"
    ),
    postgres: select!(
        "WHERE mirror_id = $1
         AND source_issue_iid IN (SELECT CAST(jsonb_array_elements($2) AS BIGINT))"
    ),
};
const BY_TARGET: Text = Text {
    sqlite: select!(
        "WHERE mirror_id = $1 AND target_issue_id IN (SELECT value FROM json_each($2))"
    ),
    postgres: select!(
        "WHERE mirror_id = $1
         AND target_issue_id IN (SELECT CAST(jsonb_array_elements($2) AS BIGINT))"
    ),
};
const SOURCE_SEEN_SINCE: &str =
    select!("WHERE mirror_id = $1 AND source_updated_at >= $2 ORDER BY source_updated_at, id");
const TARGET_SEEN_SINCE: &str =
    select!("WHERE mirror_id = $1 AND target_updated_at >= $2 ORDER BY target_updated_at, id");

const SKIPPED: &str = "\
SELECT source_issue_iid FROM issue_mappings
WHERE mirror_id = $1 AND sync_status = 'skipped' AND sync_error = $2
ORDER BY source_issue_iid";

const UNSETTLED: &str = "\
SELECT source_issue_iid FROM issue_mappings
WHERE mirror_id = $1 AND source_read_lag <= $2
ORDER BY source_issue_iid";

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
        let row: Option<IssueRow> = self
            .read(ONE)
            .bind(mirror.0)
            .bind(iid.0)
            .fetch_optional()
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
        let found = self.mappings_where(mirror, BY_IID, &ids).await?;
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
        let found = self.mappings_where(mirror, BY_TARGET, &ids).await?;
        let by_target = |mapping: IssueMapping| {
            let id = mapping.target.as_ref().map(|target| target.id);
            id.map(|id| (id, mapping))
        };
        Ok(found.into_iter().filter_map(by_target).collect())
    }

    async fn mappings_where(
        &self,
        mirror: MirrorId,
        text: Text,
        ids: &[i64],
    ) -> Result<Vec<IssueMapping>, StoreError> {
        let query = self.read(text).bind(mirror.0).bind(Json(ids));
        let rows: Vec<IssueRow> = query.fetch_all().await?;
        rows.into_iter().map(IssueMapping::try_from).collect()
    }

    /// All issues of a mirror that anything is known of, by number.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn all_mappings(&self, mirror: MirrorId) -> Result<Vec<IssueMapping>, StoreError> {
        let rows: Vec<IssueRow> = self.read(ALL).bind(mirror.0).fetch_all().await?;
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
        let rows: Vec<IssueRow> = self
            .read(text)
            .bind(mirror.0)
            .bind(micros(since))
            .fetch_all()
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
        let rows: Vec<(i64,)> = self
            .read(UNSETTLED)
            .bind(mirror.0)
            .bind(i64::try_from(slack.as_micros()).unwrap_or(i64::MAX))
            .fetch_all()
            .await?;
        Ok(rows.into_iter().map(|(iid,)| Iid(iid)).collect())
    }

    /// The issues left out for this reason, as recorded in their status.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn skipped(&self, mirror: MirrorId, reason: &str) -> Result<Vec<Iid>, StoreError> {
        let iids: Vec<(i64,)> = self
            .read(SKIPPED)
            .bind(mirror.0)
            .bind(reason)
            .fetch_all()
            .await?;
        Ok(iids.into_iter().map(|(iid,)| Iid(iid)).collect())
    }
}
