//! How a mapping lies in its row.

use crate::StoreError;
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, IssueId, MirrorId, UserId},
    mapping::{IssueMapping, MappingStatus, SourceRead, TargetIssue},
    merge::Base,
};
use sqlx::types::Json;
use std::collections::BTreeSet;

#[derive(sqlx::FromRow)]
pub(super) struct IssueRow {
    mirror_id: i64,
    source_issue_id: i64,
    source_issue_iid: i64,
    title: Option<String>,
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
    owned_assignees: Json<BTreeSet<UserId>>,
    carried_spent: Option<i64>,
    base: Option<Json<Base>>,
    is_reverse: bool,
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
            title: row.title,
            target,
            read,
            fingerprint: row.source_content_hash,
            owned_labels: row.owned_labels.0,
            owned_assignees: row.owned_assignees.0,
            carried_spent: row.carried_spent,
            base: row.base.map(|base| base.0),
            is_reverse: row.is_reverse,
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

pub(super) fn status_columns(status: &MappingStatus) -> (&'static str, Option<&str>) {
    match status {
        MappingStatus::Pending => ("pending", None),
        MappingStatus::Synced => ("synced", None),
        MappingStatus::Skipped(reason) => ("skipped", Some(reason)),
        MappingStatus::Blocked(reason) => ("blocked", Some(reason)),
        MappingStatus::Failed(reason) => ("failed", Some(reason)),
    }
}
