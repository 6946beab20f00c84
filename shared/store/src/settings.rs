//! All that is set about a mirror: read at once, and changed at once by one who knew how it stood.

use crate::{
    Caution, KeptRules, Schedule, Store, StoreError,
    database::{PATIENCE, Tx},
    edits::overwrite_kept,
    gone::CautionRow,
    rules::{KNOWN_EVERYWHERE, RulesRow},
    schedule::ScheduleRow,
    time::micros,
};
use chrono::{DateTime, Utc};
use mirror_core::{ids::MirrorId, merge::EditPolicy};

/// All that is set about a mirror.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Grows with every change of a setting.
    pub revision: i64,
    /// How it is mirrored, and how often.
    pub schedule: Schedule,
    /// How careful it is to be with what is gone.
    pub caution: Caution,
    /// Which labels and issues it takes, and who is who.
    pub rules: KeptRules,
    /// Links between issues are carried.
    pub issue_links: bool,
    /// What becomes of edits on the target.
    pub on_edit: EditPolicy,
    /// The mirror in the opposite direction that it is a pair with.
    pub pair: Option<MirrorId>,
    /// There is, or was, a mirror in the opposite direction: something may have come back.
    pub came_back: bool,
}

/// How a change ended that was decided on a revision.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changed {
    /// It stands, at this revision.
    To(i64),
    /// Somebody else was first; nothing was changed.
    Meanwhile,
}

const ONE: &str = "\
SELECT revision, interval_seconds, full_interval_seconds, include_closed, mirrored_label,
       max_attachment_size, preserve, next_scan_at, next_full_at, on_delete, max_delete,
       max_delete_share, exposes_files, rules, rules_walked, rules_known_at, issue_links, on_edit,
       pair_id,
       EXISTS (SELECT 1 FROM mirrors a JOIN mirrors b
                   ON a.source_instance_id = b.target_instance_id
                  AND a.source_project_id = b.target_project_id
                  AND a.target_instance_id = b.source_instance_id
                  AND a.target_project_id = b.source_project_id
               WHERE a.id = $1)
       OR EXISTS (SELECT 1 FROM issue_mappings WHERE mirror_id = $1 AND is_reverse) AS came_back
FROM mirror_issue_configs WHERE mirror_id = $1";

// Whoever comes second finds another revision. A turn that was due is not put off.
const CHANGE: &str = "\
UPDATE mirror_issue_configs SET
    interval_seconds = $3, full_interval_seconds = $4, include_closed = $5, mirrored_label = $6,
    max_attachment_size = $7, preserve = $8, on_delete = $9, max_delete = $10,
    max_delete_share = $11, exposes_files = $12, issue_links = $13, on_edit = $14,
    next_scan_at = CASE WHEN NOT $15 THEN NULL
                        WHEN next_scan_at IS NULL OR next_scan_at > $16 THEN $16
                        ELSE next_scan_at END,
    next_full_at = CASE WHEN $4 IS NULL THEN NULL
                        WHEN next_full_at IS NULL OR next_full_at > $17 THEN $17
                        ELSE next_full_at END,
    revision = revision + 1, updated_at = $18
WHERE mirror_id = $1 AND (CAST($2 AS BIGINT) IS NULL OR revision = $2)
RETURNING revision";

// Where nothing changes nothing is walked again.
const CHANGE_RULES: &str = "\
UPDATE mirror_issue_configs SET
    rules = $2, rules_walked = NULL, rules_known_at = $3,
    next_scan_at = CASE WHEN next_scan_at > $3 THEN $3 ELSE next_scan_at END
WHERE mirror_id = $1 AND rules <> $2";

const KNOWN: &str = "SELECT 1 FROM mirror_issue_configs WHERE mirror_id = $1";

#[derive(sqlx::FromRow)]
struct SettingsRow {
    revision: i64,
    #[sqlx(flatten)]
    schedule: ScheduleRow,
    #[sqlx(flatten)]
    caution: CautionRow,
    #[sqlx(flatten)]
    rules: RulesRow,
    issue_links: bool,
    on_edit: String,
    pair_id: Option<i64>,
    came_back: bool,
}

impl From<SettingsRow> for Settings {
    fn from(row: SettingsRow) -> Self {
        Self {
            revision: row.revision,
            schedule: row.schedule.into(),
            caution: row.caution.into(),
            rules: row.rules.into(),
            issue_links: row.issue_links,
            // The table admits no other word.
            on_edit: row.on_edit.parse().unwrap_or_default(),
            pair: row.pair_id.map(MirrorId),
            came_back: row.came_back,
        }
    }
}

impl Store {
    /// All that is set about a mirror.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn settings(&self, mirror: MirrorId) -> Result<Settings, StoreError> {
        let row: Option<SettingsRow> = self.read(ONE).bind(mirror.0).fetch_optional().await?;
        row.map(Settings::from)
            .ok_or(StoreError::NoSuchMirror(mirror))
    }

    /// Sets everything but the pair (and what came of it), if the settings still stand at this revision (`None`: however
    /// they stand). The mirror is scheduled, or it is not; of the times in
    /// [`Schedule`] only whether there is a next scan counts.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn change_settings(
        &self,
        mirror: MirrorId,
        expected: Option<i64>,
        wanted: &Settings,
    ) -> Result<Changed, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let changed = self
            .change_in(&mut tx, mirror, expected, wanted, now)
            .await?;
        if matches!(changed, Changed::To(_)) {
            tx.commit().await?;
        }
        Ok(changed)
    }

    async fn change_in(
        &self,
        tx: &mut Tx,
        mirror: MirrorId,
        expected: Option<i64>,
        wanted: &Settings,
        now: DateTime<Utc>,
    ) -> Result<Changed, StoreError> {
        let known = tx.query(KNOWN).bind(mirror.0);
        if known.fetch_optional::<(i32,)>().await?.is_none() {
            return Err(StoreError::NoSuchMirror(mirror));
        }
        // Its work first, as everybody takes it before the settings.
        if wanted.on_edit == EditPolicy::Overwrite {
            overwrite_kept(tx, mirror, now).await?;
        }
        let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let (schedule, caution) = (&wanted.schedule, &wanted.caution);
        let full = schedule.full_interval;
        let row: Option<(i64,)> = tx
            .query(CHANGE)
            .bind(mirror.0)
            .bind(expected)
            .bind(schedule.interval.num_seconds())
            .bind(full.map(|every| every.num_seconds()))
            .bind(schedule.include_closed)
            .bind(&schedule.mirrored_label)
            .bind(schedule.max_attachment_size)
            .bind(schedule.preserve.name())
            .bind(caution.on_delete.name())
            .bind(signed(caution.breaker.count))
            .bind(signed(caution.breaker.percent))
            .bind(caution.exposes_files)
            .bind(wanted.issue_links)
            .bind(wanted.on_edit.name())
            .bind(schedule.next_scan_at.is_some())
            .bind(micros(now))
            .bind(micros(now + full.unwrap_or_default()))
            .bind(now)
            .fetch_optional()
            .await?;
        let Some((revision,)) = row else {
            return Ok(Changed::Meanwhile);
        };
        tx.query(CHANGE_RULES)
            .bind(mirror.0)
            .bind(&wanted.rules.text)
            .bind(micros(now + KNOWN_EVERYWHERE))
            .execute()
            .await?;
        Ok(Changed::To(revision))
    }
}
