//! The rules of a mirror, and under which of them everything was walked last.

use crate::{Fence, Store, StoreError, database::PATIENCE, time::micros};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::ids::MirrorId;

/// A mirror's rules, as they are kept.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeptRules {
    /// The rules; empty for none.
    pub text: String,
    /// Digest of those under which everything was walked last; `None`: they have changed since.
    pub walked: Option<String>,
    /// From when on every process has them.
    pub known_at: Option<DateTime<Utc>>,
}

/// By then every worker has read a mirror's settings anew.
pub const KNOWN_EVERYWHERE: TimeDelta = TimeDelta::seconds(5);

const ONE: &str = "\
SELECT rules, rules_walked, rules_known_at FROM mirror_issue_configs WHERE mirror_id = $1";

// Where nothing changes nothing is walked again. The next scan comes once every process has them.
const SET: &str = "\
UPDATE mirror_issue_configs SET
    rules = $2, rules_walked = NULL, rules_known_at = $3,
    next_scan_at = CASE WHEN next_scan_at > $3 THEN $3 ELSE next_scan_at END,
    revision = revision + 1, updated_at = $4
WHERE mirror_id = $1 AND rules <> $2";

const WALKED: &str = "\
UPDATE mirror_issue_configs SET rules_walked = $2, updated_at = $3
WHERE mirror_id = $1 AND rules = $4";

#[derive(sqlx::FromRow)]
pub(crate) struct RulesRow {
    rules: String,
    rules_walked: Option<String>,
    rules_known_at: Option<DateTime<Utc>>,
}

impl From<RulesRow> for KeptRules {
    fn from(row: RulesRow) -> Self {
        Self {
            text: row.rules,
            walked: row.rules_walked,
            known_at: row.rules_known_at,
        }
    }
}

impl Store {
    /// A mirror's rules.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn rules(&self, mirror: MirrorId) -> Result<KeptRules, StoreError> {
        let row: Option<RulesRow> = self.read(ONE).bind(mirror.0).fetch_optional().await?;
        row.map(KeptRules::from)
            .ok_or(StoreError::NoSuchMirror(mirror))
    }

    /// Sets a mirror's rules; from `known_at` on every process has them. `false`: they were these
    /// already.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn set_rules(
        &self,
        mirror: MirrorId,
        text: &str,
        known_at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.rules(mirror).await?;
        let mut tx = self.begin(PATIENCE).await?;
        let changed = tx
            .query(SET)
            .bind(mirror.0)
            .bind(text)
            .bind(micros(known_at))
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await?;
        Ok(changed > 0)
    }

    /// Records that everything was walked under these rules, of this digest; unless they have changed
    /// meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn record_rules_walked(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        text: &str,
        digest: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(WALKED)
            .bind(mirror.0)
            .bind(digest)
            .bind(self.now())
            .bind(text)
            .execute()
            .await?;
        tx.commit().await
    }
}
