//! A mirror's issues as operators walk through them, search them and count them, however many there are.

use crate::{Store, StoreError, sql::Text};
use chrono::{DateTime, Utc};
use mirror_core::ids::{Iid, MirrorId};

/// An issue as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct ListedIssue {
    /// Of the mapping.
    pub id: i64,
    /// The source issue's id.
    pub source_issue_id: i64,
    /// Its number.
    pub source_issue_iid: i64,
    /// Its title; none of one that is confidential, gone or unlinked.
    pub title: Option<String>,
    /// The target issue's id.
    pub target_issue_id: Option<i64>,
    /// Its number.
    pub target_issue_iid: Option<i64>,
    /// `pending`, `synced`, `skipped`, `blocked`, `failed`.
    pub sync_status: String,
    /// Why it was skipped, or what failed.
    pub sync_error: Option<String>,
    /// When it was last in line.
    pub last_synced_at: Option<DateTime<Utc>>,
    /// As the source last told.
    pub source_updated_at: Option<DateTime<Utc>>,
    /// As the target last told.
    pub target_updated_at: Option<DateTime<Utc>>,
    /// Edits on the target that wait for a person.
    pub conflicts: i64,
    /// The source issue is the copy: made by the other half of a pair.
    pub is_reverse: bool,
    /// When it was first met.
    pub created_at: DateTime<Utc>,
    /// When anything of this row last changed.
    pub updated_at: DateTime<Utc>,
}

/// Which issues are listed. What is not given does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IssueFilter {
    /// In this state.
    pub status: Option<String>,
    /// Only those with edits on the target that wait for a person.
    pub conflict: bool,
    /// This source number.
    pub iid: Option<Iid>,
    /// Behind this one.
    pub after: Option<i64>,
    /// So many are passed over.
    pub offset: i64,
}

/// A page of what was searched for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Those that were found.
    pub rows: Vec<ListedIssue>,
    /// Behind which to go on: there may be more.
    pub next: Option<i64>,
}

/// So many issues are looked at for one page.
const LOOKED_AT: u32 = 1_000;

fn size(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

/// Issues that stand alike.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StatusCount {
    /// How they stand.
    pub status: &'static str,
    /// So many.
    pub issues: i64,
}

macro_rules! issue {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.source_issue_id, i.source_issue_iid, i.title, i.target_issue_id, ",
            "i.target_issue_iid, i.sync_status, i.sync_error, i.last_synced_at, ",
            "i.source_updated_at, i.target_updated_at, ",
            "(SELECT COUNT(*) FROM target_edits e WHERE e.issue_mapping_id = i.id ",
            "AND e.resolution IS NULL) AS conflicts, ",
            "i.is_reverse, i.created_at, i.updated_at FROM issue_mappings i ",
            $rest
        )
    };
}

// Each by the mirror's own entries in an index, however much others have: PostgreSQL is given no other
// way to keep the order.
pub(crate) const ISSUES: Text = Text {
    sqlite: issue!("WHERE i.mirror_id = $1 AND i.id > $2 ORDER BY i.id LIMIT $3 OFFSET $4"),
    postgres: issue!(
        "WHERE (i.mirror_id, i.id) > ($1, $2) AND (i.mirror_id, i.id) < ($1, 9223372036854775807) \
         ORDER BY i.mirror_id, i.id LIMIT $3 OFFSET $4"
    ),
};
// Not in that way: where rows of three columns are compared, PostgreSQL walks on to the end of the
// first. How rare each status is it knows by its statistics.
pub(crate) const BY_STATUS: &str = issue!(
    "WHERE i.mirror_id = $1 AND i.id > $2 AND i.sync_status = $5 ORDER BY i.id LIMIT $3 OFFSET $4"
);
// Along the edits that wait: people decide about them, so that there are few.
pub(crate) const IN_CONFLICT: Text = Text {
    sqlite: issue!(
        "WHERE i.mirror_id = $1 AND i.id IN \
         (SELECT o.issue_mapping_id FROM target_edits o \
          WHERE o.resolution IS NULL AND o.issue_mapping_id > $2) \
         ORDER BY i.id LIMIT $3 OFFSET $4"
    ),
    postgres: issue!(
        "JOIN (SELECT DISTINCT o.issue_mapping_id AS id FROM target_edits o \
               WHERE o.resolution IS NULL AND o.issue_mapping_id > $2) edited ON edited.id = i.id \
         WHERE i.mirror_id = $1 AND i.id > $2 ORDER BY edited.id LIMIT $3 OFFSET $4"
    ),
};
pub(crate) const BY_IID: &str = issue!("WHERE i.mirror_id = $1 AND i.source_issue_iid = $2");
pub(crate) const ISSUE: &str = issue!("WHERE i.mirror_id = $1 AND i.id = $2");
pub(crate) const BY_STATUS_COUNT: &str = "\
SELECT CAST(COALESCE(SUM(pending), 0) AS BIGINT), CAST(COALESCE(SUM(synced), 0) AS BIGINT),
       CAST(COALESCE(SUM(skipped), 0) AS BIGINT), CAST(COALESCE(SUM(blocked), 0) AS BIGINT),
       CAST(COALESCE(SUM(failed), 0) AS BIGINT)
FROM mirror_counts WHERE mirror_id = $1";

impl Store {
    /// How many of a mirror's issues stand how; what none stands like is left out.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn count_by_status(&self, mirror: MirrorId) -> Result<Vec<StatusCount>, StoreError> {
        let query = self.read(BY_STATUS_COUNT).bind(mirror.0);
        let (pending, synced, skipped, blocked, failed): (i64, i64, i64, i64, i64) =
            query.fetch_one().await?;
        let counts = [
            ("blocked", blocked),
            ("failed", failed),
            ("pending", pending),
            ("skipped", skipped),
            ("synced", synced),
        ];
        let counts = counts.into_iter().filter(|(_, issues)| *issues != 0);
        Ok(counts
            .map(|(status, issues)| StatusCount { status, issues })
            .collect())
    }

    /// A mirror's issues by the ids of their mappings.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn listed_issues(
        &self,
        mirror: MirrorId,
        filter: &IssueFilter,
        limit: u32,
    ) -> Result<Vec<ListedIssue>, StoreError> {
        if let Some(iid) = filter.iid {
            let row: Option<ListedIssue> = self
                .read(BY_IID)
                .bind(mirror.0)
                .bind(iid.0)
                .fetch_optional()
                .await?;
            let after = filter.after.unwrap_or(0);
            let fits = |row: &ListedIssue| {
                row.id > after
                    && filter
                        .status
                        .as_ref()
                        .is_none_or(|status| *status == row.sync_status)
                    && (!filter.conflict || row.conflicts > 0)
            };
            let rows: Vec<ListedIssue> = row.into_iter().filter(fits).collect();
            return Ok(if filter.offset > 0 { Vec::new() } else { rows });
        }
        let text = match (&filter.status, filter.conflict) {
            (_, true) => IN_CONFLICT,
            (Some(_), false) => BY_STATUS.into(),
            (None, false) => ISSUES,
        };
        let query = self
            .read(text)
            .bind(mirror.0)
            .bind(filter.after.unwrap_or(0))
            .bind(i64::from(limit))
            .bind(filter.offset);
        let query = match (&filter.status, filter.conflict) {
            (Some(status), false) => query.bind(status),
            (_, true) | (None, false) => query,
        };
        Ok(query.fetch_all().await?)
    }

    /// Those of the next 1,000 issues whose title holds this text, whatever the case of its letters, or
    /// whose number it is: `limit` at most. A page may be short, or empty, and not be the last.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn searched_issues(
        &self,
        mirror: MirrorId,
        filter: &IssueFilter,
        text: &str,
        limit: u32,
    ) -> Result<Found, StoreError> {
        let looked_at = self.listed_issues(mirror, filter, LOOKED_AT).await?;
        let (all, limit) = (size(LOOKED_AT), size(limit));
        let last = looked_at.last().filter(|_| looked_at.len() == all);
        let last = last.map(|row| row.id);
        let text = text.to_lowercase();
        let number: Option<i64> = text.strip_prefix('#').unwrap_or(&text).parse().ok();
        let fits = |row: &ListedIssue| {
            let holds = |title: &String| title.to_lowercase().contains(&text);
            number == Some(row.source_issue_iid) || row.title.as_ref().is_some_and(holds)
        };
        let mut rows: Vec<ListedIssue> = looked_at.into_iter().filter(fits).collect();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|row| row.id).or(last);
        Ok(Found { rows, next })
    }

    /// An issue of a mirror, by the id of its mapping.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn listed_issue(
        &self,
        mirror: MirrorId,
        id: i64,
    ) -> Result<Option<ListedIssue>, StoreError> {
        let query = self.read(ISSUE).bind(mirror.0).bind(id);
        Ok(query.fetch_optional().await?)
    }
}
