//! Issues that are gone at the source: when they were missed, which copies have followed, and which
//! wait for a person.

use crate::{
    Fence, Owe, Store, StoreError, database::PATIENCE, issues::save, time::micros, work::owe_in,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    gone::{Breaker, OnDelete, Sight},
    ids::{Iid, MirrorId},
    job::Priority,
    mapping::IssueMapping,
};

/// How careful a mirror is to be with what is gone, and with files of what is hidden.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Caution {
    /// What becomes of the copy of a deleted issue.
    pub on_delete: OnDelete,
    /// How many may go at once before a person is asked.
    pub breaker: Breaker,
    /// Files of what is hidden go into a target that more people than its members see, too.
    pub exposes_files: bool,
}

/// What is known of an issue that the source does not show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missed {
    /// When it was first missed, by the store's clock.
    pub since: DateTime<Utc>,
    /// A person let its copy go, although it went with many.
    pub released: bool,
    /// Its copy has followed.
    pub settled: bool,
}

/// How much of a mirror is gone at the source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Removals {
    /// Missed, not followed yet, and not released by a person.
    pub waiting: u64,
    /// Issues that have a copy.
    pub copies: u64,
    /// How many a person is to release; `None` while there is no need.
    pub held: Option<u64>,
    /// The most that the source's token was ever entitled to see.
    pub sight: Option<Sight>,
}

const CAUTION: &str = "\
SELECT on_delete, max_delete, max_delete_share, exposes_files
FROM mirror_issue_configs WHERE mirror_id = $1";

const SET_CAUTION: &str = "\
UPDATE mirror_issue_configs SET
    on_delete = $2, max_delete = $3, max_delete_share = $4, exposes_files = $5,
    revision = revision + 1, updated_at = $6
WHERE mirror_id = $1";

const MISS: &str = "\
INSERT INTO gone_issues (mirror_id, source_iid, missed_at) VALUES ($1, $2, $3)
ON CONFLICT (mirror_id, source_iid) DO UPDATE SET missed_at = gone_issues.missed_at
RETURNING missed_at, released, settled_at";

const SEEN: &str = "DELETE FROM gone_issues WHERE mirror_id = $1 AND source_iid = $2";

const SETTLE: &str = "\
UPDATE gone_issues SET settled_at = $3 WHERE mirror_id = $1 AND source_iid = $2";

const FORGET: &str = "DELETE FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2";

// What has come back holds nothing up any more.
const UNHELD: &str = "\
UPDATE mirror_issue_configs SET removals_held = NULL, updated_at = $2
WHERE mirror_id = $1 AND removals_held IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM gone_issues
    WHERE mirror_id = $1 AND settled_at IS NULL AND NOT released)";

const UNLINK: &str = "\
DELETE FROM link_mappings WHERE mirror_id = $1 AND (lower_iid = $2 OR higher_iid = $2)";

const REMOVALS: &str = "\
SELECT (SELECT COUNT(*) FROM gone_issues
        WHERE mirror_id = $1 AND settled_at IS NULL AND NOT released),
       (SELECT COUNT(*) FROM issue_mappings
        WHERE mirror_id = $1 AND target_issue_id IS NOT NULL),
       removals_held, source_sight
FROM mirror_issue_configs WHERE mirror_id = $1";

const HOLD: &str = "\
UPDATE mirror_issue_configs SET removals_held = $2, updated_at = $3 WHERE mirror_id = $1";

const SIGHT: &str = "\
UPDATE mirror_issue_configs SET source_sight = $2, updated_at = $3
WHERE mirror_id = $1 AND (source_sight IS NULL OR source_sight < $2)";

const COPIES: &str = "\
SELECT source_issue_iid FROM issue_mappings m
WHERE mirror_id = $1 AND target_issue_id IS NOT NULL AND sync_status <> 'blocked'
  AND NOT EXISTS (SELECT 1 FROM gone_issues g
                  WHERE g.mirror_id = m.mirror_id AND g.source_iid = m.source_issue_iid
                    AND g.settled_at IS NOT NULL)
ORDER BY source_issue_iid";

// While a person is waited for, nothing else is to be learnt from asking again.
const SECOND_LOOKS: &str = "\
SELECT g.source_iid FROM gone_issues g
JOIN mirror_issue_configs c ON c.mirror_id = g.mirror_id
WHERE g.mirror_id = $1 AND g.settled_at IS NULL AND g.missed_at <= $2
  AND (c.removals_held IS NULL OR g.released)
ORDER BY g.source_iid";

const WAITING: &str = "\
SELECT source_iid FROM gone_issues
WHERE mirror_id = $1 AND settled_at IS NULL AND NOT released ORDER BY source_iid";

const RELEASE: &str = "\
UPDATE gone_issues SET released = true WHERE mirror_id = $1 AND settled_at IS NULL";

const UNHOLD: &str = "\
UPDATE mirror_issue_configs SET removals_held = NULL, source_sight = NULL, updated_at = $2
WHERE mirror_id = $1";

#[derive(sqlx::FromRow)]
pub(crate) struct CautionRow {
    on_delete: String,
    max_delete: i64,
    max_delete_share: i64,
    exposes_files: bool,
}

impl From<CautionRow> for Caution {
    fn from(row: CautionRow) -> Self {
        Self {
            // The table admits no other word.
            on_delete: row.on_delete.parse().unwrap_or_default(),
            breaker: Breaker {
                count: number(row.max_delete),
                percent: number(row.max_delete_share),
            },
            exposes_files: row.exposes_files,
        }
    }
}

impl Store {
    /// How careful a mirror is to be.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn caution(&self, mirror: MirrorId) -> Result<Caution, StoreError> {
        let row: Option<CautionRow> = self.read(CAUTION).bind(mirror.0).fetch_optional().await?;
        row.map(Caution::from)
            .ok_or(StoreError::NoSuchMirror(mirror))
    }

    /// Sets how careful a mirror is to be.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn set_caution(&self, mirror: MirrorId, caution: &Caution) -> Result<(), StoreError> {
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let mut tx = self.begin(PATIENCE).await?;
        let saved = tx
            .query(SET_CAUTION)
            .bind(mirror.0)
            .bind(caution.on_delete.name())
            .bind(signed(caution.breaker.count))
            .bind(signed(caution.breaker.percent))
            .bind(caution.exposes_files)
            .bind(self.now())
            .execute()
            .await?;
        if saved == 0 {
            return Err(StoreError::NoSuchMirror(mirror));
        }
        tx.commit().await
    }

    /// The source does not show an issue. What is known of that, now and from earlier times.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn miss_issue(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
    ) -> Result<Missed, StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        let miss = tx.query(MISS).bind(mirror.0).bind(iid.0).bind(micros(now));
        let row: (DateTime<Utc>, bool, Option<DateTime<Utc>>) = miss.fetch_one().await?;
        tx.commit().await?;
        let (since, released, settled_at) = row;
        Ok(Missed {
            since,
            released,
            settled: settled_at.is_some(),
        })
    }

    /// The source shows an issue again that was missed, or nobody can tell any more.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn forget_missed(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(SEEN).bind(mirror.0).bind(iid.0).execute().await?;
        tx.query(UNHELD).bind(mirror.0).bind(now).execute().await?;
        tx.commit().await
    }

    /// The copy of a missed issue has followed it; how it stands now is recorded with that.
    ///
    /// # Errors
    /// As [`Store::record_issue`].
    pub async fn record_gone(
        &self,
        fence: &Fence,
        mapping: &IssueMapping,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        save(&mut tx, mapping, now).await?;
        let settle = tx.query(SETTLE).bind(mapping.mirror.0);
        let settle = settle.bind(mapping.source_iid.0).bind(micros(now));
        settle.execute().await?;
        tx.commit().await
    }

    /// An issue and its copy are both gone: nothing is known of either any more.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn forget_issue(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        for text in [FORGET, SEEN, UNLINK] {
            tx.query(text).bind(mirror.0).bind(iid.0).execute().await?;
        }
        tx.commit().await
    }

    /// How much of a mirror is gone at the source.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn removals(&self, mirror: MirrorId) -> Result<Removals, StoreError> {
        let row: Option<(i64, i64, Option<i64>, Option<i64>)> =
            self.read(REMOVALS).bind(mirror.0).fetch_optional().await?;
        let (waiting, copies, held, sight) = row.ok_or(StoreError::NoSuchMirror(mirror))?;
        Ok(Removals {
            waiting: number(waiting),
            copies: number(copies),
            held: held.map(number),
            sight: sight.map(Sight),
        })
    }

    /// So many copies wait for a person, or none does.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn hold_removals(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        held: Option<u64>,
    ) -> Result<(), StoreError> {
        let held = held.map(|held| i64::try_from(held).unwrap_or(i64::MAX));
        let mut tx = self.begin_fenced(fence).await?;
        let hold = tx.query(HOLD).bind(mirror.0).bind(held).bind(self.now());
        hold.execute().await?;
        tx.commit().await
    }

    /// What the source's token is entitled to see now; the most of it is kept.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn note_sight(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        sight: Sight,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        let note = tx.query(SIGHT).bind(mirror.0).bind(sight.0);
        note.bind(self.now()).execute().await?;
        tx.commit().await
    }

    /// The issues that have a copy, but for those that are gone and whose copies have followed.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn copied(&self, mirror: MirrorId) -> Result<Vec<Iid>, StoreError> {
        let rows: Vec<(i64,)> = self.read(COPIES).bind(mirror.0).fetch_all().await?;
        Ok(rows.into_iter().map(|(iid,)| Iid(iid)).collect())
    }

    /// The issues that were missed at this time or before, and are to be asked for once more.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn second_looks(
        &self,
        mirror: MirrorId,
        missed_until: DateTime<Utc>,
    ) -> Result<Vec<Iid>, StoreError> {
        let looks = self.read(SECOND_LOOKS).bind(mirror.0);
        let rows: Vec<(i64,)> = looks.bind(micros(missed_until)).fetch_all().await?;
        Ok(rows.into_iter().map(|(iid,)| Iid(iid)).collect())
    }

    /// A person lets those copies go that wait, and believes the source's token in what it does not
    /// see from now on. They are owed. Returns how many they are.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn release_removals(&self, mirror: MirrorId) -> Result<usize, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let waiting: Vec<(i64,)> = tx.query(WAITING).bind(mirror.0).fetch_all().await?;
        let iids = waiting.into_iter().map(|(iid,)| Iid(iid));
        let owes = Owe::issues(mirror, iids, Priority::Incremental);
        // The work first: a job holds its own before it comes to what it misses.
        owe_in(&mut tx, &owes, now).await?;
        tx.query(RELEASE).bind(mirror.0).execute().await?;
        let unheld = tx.query(UNHOLD).bind(mirror.0).bind(now).execute().await?;
        if unheld == 0 {
            return Err(StoreError::NoSuchMirror(mirror));
        }
        tx.commit().await?;
        Ok(owes.len())
    }
}

/// A count from the database.
fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or_default()
}
