//! Mirrors as operators walk through them: a page at a time, whatever there is.

use crate::{Store, StoreError};
use chrono::{DateTime, Utc};
use mirror_core::ids::{InstanceId, MirrorId};

/// A mirror as it is listed.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct ListedMirror {
    /// Ours.
    pub id: i64,
    /// Where issues come from: the instance.
    pub source_instance_id: i64,
    /// The project there.
    pub source_project_id: i64,
    /// Its path.
    pub source_path: String,
    /// Where copies go: the instance.
    pub target_instance_id: i64,
    /// The project there.
    pub target_project_id: i64,
    /// Its path.
    pub target_path: String,
    /// Why it rests.
    pub paused: Option<String>,
    /// It rests for a fault, and is looked at again by itself.
    pub at_fault: bool,
    /// When it was declared.
    pub created_at: DateTime<Utc>,
    /// When its next scan is due; none: it is not scheduled.
    pub next_scan_at: Option<DateTime<Utc>>,
    /// When its last run ended.
    pub last_sync_at: Option<DateTime<Utc>>,
    /// How: `success`, `partial`, `failed`.
    pub last_sync_status: Option<String>,
    /// What went wrong.
    pub last_sync_error: Option<String>,
    /// The mirror in the opposite direction that it is a pair with.
    pub pair_id: Option<i64>,
    /// Copies that a person is to let go; none while there is no need.
    pub removals_held: Option<i64>,
    /// Of the settings.
    pub revision: i64,
}

macro_rules! mirror {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.source_instance_id, m.source_project_id, m.source_path, ",
            "m.target_instance_id, m.target_project_id, m.target_path, m.paused, m.at_fault, ",
            "m.created_at, c.next_scan_at, c.last_sync_at, c.last_sync_status, c.last_sync_error, ",
            "c.pair_id, c.removals_held, c.revision ",
            "FROM mirrors m JOIN mirror_issue_configs c ON c.mirror_id = m.id ",
            $rest
        )
    };
}

pub(crate) const MIRRORS: &str = mirror!(
    "WHERE m.id > $1 AND (CAST($2 AS BIGINT) IS NULL OR m.source_instance_id = $2 \
     OR m.target_instance_id = $2) ORDER BY m.id LIMIT $3 OFFSET $4"
);
pub(crate) const MIRROR: &str = mirror!("WHERE m.id = $1");

const OUT_ON: &str = "\
SELECT w.mirror_id, COUNT(*) FROM work w JOIN mirrors m ON m.id = w.mirror_id
WHERE w.state IN ('queued', 'running') AND (m.source_instance_id = $1 OR m.target_instance_id = $1)
GROUP BY w.mirror_id ORDER BY 2 DESC, 1";

impl Store {
    /// The mirrors that have jobs out on an instance, and how many; the most first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn out_on(&self, instance: InstanceId) -> Result<Vec<(i64, i64)>, StoreError> {
        Ok(self.read(OUT_ON).bind(instance.0).fetch_all().await?)
    }

    /// Mirrors by id: behind this one, with this instance as an end where one is named.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn listed_mirrors(
        &self,
        after: i64,
        instance: Option<i64>,
        limit: u32,
        offset: i64,
    ) -> Result<Vec<ListedMirror>, StoreError> {
        let query = self.read(MIRRORS).bind(after).bind(instance);
        let query = query.bind(i64::from(limit)).bind(offset);
        Ok(query.fetch_all().await?)
    }

    /// A mirror.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn listed_mirror(&self, id: MirrorId) -> Result<ListedMirror, StoreError> {
        let row = self.read(MIRROR).bind(id.0).fetch_optional().await?;
        row.ok_or(StoreError::NoSuchMirror(id))
    }
}
