//! Mirrors: which project goes where, and how far each has come.

use crate::{
    Fence, Store, StoreError,
    database::{PATIENCE, Tx},
    errands::MadeMirror,
    faults::call_off_look,
    sql::{Text, on_work},
};
use chrono::{DateTime, Utc};
use mirror_core::ids::{InstanceId, MirrorId, ProjectId};

/// A one-way mirror.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mirror {
    /// Ours.
    pub id: MirrorId,
    /// Read from.
    pub source: MirrorEnd,
    /// Written to.
    pub target: MirrorEnd,
    /// Why it rests, if it does: none of its work is handed out then.
    pub paused: Option<String>,
    /// It rests for a fault: it is looked at again by itself, and goes on when that is mended.
    pub at_fault: bool,
    /// How far it has come.
    pub watermarks: Watermarks,
}

/// A project at one end of a mirror.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MirrorEnd {
    /// The instance.
    pub instance: InstanceId,
    /// The project.
    pub project: ProjectId,
    /// `group/project`, as last seen; may have been renamed since.
    pub path: String,
}

/// A mirror to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewMirror {
    /// Read from.
    pub source: MirrorEnd,
    /// Written to.
    pub target: MirrorEnd,
}

/// Up to which change each side has been seen, by that side's own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Watermarks {
    /// Of the source; `None` before the first walk.
    pub source: Option<DateTime<Utc>>,
    /// Of the target; `None` before the first walk.
    pub target: Option<DateTime<Utc>>,
    /// When a walk of everything last ended, by the store's clock.
    pub last_full_at: Option<DateTime<Utc>>,
}

const ENSURE: &str = "\
INSERT INTO mirrors (source_instance_id, source_project_id, source_path,
                     target_instance_id, target_project_id, target_path, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
ON CONFLICT (source_instance_id, source_project_id, target_instance_id, target_project_id)
DO UPDATE SET source_path = excluded.source_path, target_path = excluded.target_path,
              updated_at = excluded.updated_at
RETURNING id";

const INSERT: &str = "\
INSERT INTO mirrors (source_instance_id, source_project_id, source_path,
                     target_instance_id, target_project_id, target_path, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
ON CONFLICT (source_instance_id, source_project_id, target_instance_id, target_project_id)
DO NOTHING
RETURNING id";

const FIND: &str = "\
SELECT id FROM mirrors WHERE source_instance_id = $1 AND source_project_id = $2
                         AND target_instance_id = $3 AND target_project_id = $4";

const ENSURE_CONFIG: &str = "\
INSERT INTO mirror_issue_configs (mirror_id, created_at, updated_at)
VALUES ($1, $2, $2)
ON CONFLICT (mirror_id) DO NOTHING";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.source_instance_id, m.source_project_id, m.source_path, ",
            "m.target_instance_id, m.target_project_id, m.target_path, m.paused, m.at_fault, ",
            "c.source_watermark, c.target_watermark, c.last_full_at ",
            "FROM mirrors m JOIN mirror_issue_configs c ON c.mirror_id = m.id ",
            $rest
        )
    };
}

const ONE: &str = select!("WHERE m.id = $1");
const ALL: &str = select!("ORDER BY m.id");

const IS_SOURCE: &str = "\
SELECT 1 FROM mirrors WHERE source_instance_id = $1 AND source_project_id = $2 LIMIT 1";

const PAUSE: &str =
    "UPDATE mirrors SET paused = $2, at_fault = false, updated_at = $3 WHERE id = $1";

// A ticket that has not been started must not start any more; one that has may end what it does.
pub(crate) const RECALL: Text = on_work!(
    "mirror_id = $1 AND state = 'queued'",
    in_turn,
    "UPDATE work SET state = 'pending', lease_until = NULL, updated_at = $2
     WHERE id IN (SELECT id FROM held)"
);

// What it alone owned goes with it.
const DELETE: &str = "DELETE FROM mirrors WHERE id = $1";

const FULL: &str = "\
UPDATE mirror_issue_configs SET last_full_at = $2, updated_at = $3 WHERE mirror_id = $1";

#[derive(sqlx::FromRow)]
struct MirrorRow {
    id: i64,
    source_instance_id: i64,
    source_project_id: i64,
    source_path: String,
    target_instance_id: i64,
    target_project_id: i64,
    target_path: String,
    paused: Option<String>,
    at_fault: bool,
    source_watermark: Option<DateTime<Utc>>,
    target_watermark: Option<DateTime<Utc>>,
    last_full_at: Option<DateTime<Utc>>,
}

impl From<MirrorRow> for Mirror {
    fn from(row: MirrorRow) -> Self {
        Self {
            id: MirrorId(row.id),
            source: MirrorEnd {
                instance: InstanceId(row.source_instance_id),
                project: ProjectId(row.source_project_id),
                path: row.source_path,
            },
            target: MirrorEnd {
                instance: InstanceId(row.target_instance_id),
                project: ProjectId(row.target_project_id),
                path: row.target_path,
            },
            paused: row.paused,
            at_fault: row.at_fault,
            watermarks: Watermarks {
                source: row.source_watermark,
                target: row.target_watermark,
                last_full_at: row.last_full_at,
            },
        }
    }
}

impl Store {
    /// Finds or makes the mirror between two projects, by their ids; notes paths that changed.
    ///
    /// # Errors
    /// [`StoreError::SameProject`] for a project into itself.
    pub async fn ensure_mirror(&self, new: &NewMirror) -> Result<Mirror, StoreError> {
        let NewMirror { source, target } = new;
        if (source.instance, source.project) == (target.instance, target.project) {
            return Err(StoreError::SameProject);
        }
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let (id,): (i64,) = tx
            .query(ENSURE)
            .bind(source.instance.0)
            .bind(source.project.0)
            .bind(&source.path)
            .bind(target.instance.0)
            .bind(target.project.0)
            .bind(&target.path)
            .bind(now)
            .fetch_one()
            .await?;
        tx.query(ENSURE_CONFIG).bind(id).bind(now).execute().await?;
        let row: MirrorRow = tx.query(ONE).bind(id).fetch_one().await?;
        tx.commit().await?;
        Ok(row.into())
    }

    /// Whether some mirror reads this project.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn is_source(
        &self,
        instance: InstanceId,
        project: ProjectId,
    ) -> Result<bool, StoreError> {
        let query = self.read(IS_SOURCE).bind(instance.0).bind(project.0);
        let found: Option<(i32,)> = query.fetch_optional().await?;
        Ok(found.is_some())
    }

    /// A mirror.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn mirror(&self, id: MirrorId) -> Result<Mirror, StoreError> {
        let row: Option<MirrorRow> = self.read(ONE).bind(id.0).fetch_optional().await?;
        row.map(Mirror::from).ok_or(StoreError::NoSuchMirror(id))
    }

    /// All mirrors.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn mirrors(&self) -> Result<Vec<Mirror>, StoreError> {
        let rows: Vec<MirrorRow> = self.read(ALL).fetch_all().await?;
        Ok(rows.into_iter().map(Mirror::from).collect())
    }

    /// Lets a mirror rest: none of its work is handed out, tickets not yet started are void. What
    /// runs may end. Work may still be owed to it, and waits. It is for a person to end this, as
    /// it is not with [`Store::pause_for_fault`].
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn pause_mirror(&self, id: MirrorId, reason: &str) -> Result<(), StoreError> {
        self.set_paused(id, Some(reason)).await
    }

    /// Ends the rest.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn resume_mirror(&self, id: MirrorId) -> Result<(), StoreError> {
        self.set_paused(id, None).await
    }

    async fn set_paused(&self, id: MirrorId, reason: Option<&str>) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        let found = tx
            .query(PAUSE)
            .bind(id.0)
            .bind(reason)
            .bind(now)
            .execute()
            .await?;
        if found == 0 {
            return Err(StoreError::NoSuchMirror(id));
        }
        call_off_look(&mut tx, id, now).await?;
        if reason.is_some() {
            tx.query(RECALL).bind(id.0).bind(now).execute().await?;
        }
        tx.commit().await
    }

    /// Forgets a mirror with all that is on record of it; nothing on either GitLab changes. A job of
    /// it that runs stops before its next write. Declared again it finds its copies by their
    /// markers.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn delete_mirror(&self, id: MirrorId) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        if tx.query(DELETE).bind(id.0).execute().await? == 0 {
            return Err(StoreError::NoSuchMirror(id));
        }
        tx.commit().await
    }

    /// Records that a walk of everything ended, at the store's present time.
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn record_full_walk(&self, fence: &Fence, id: MirrorId) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        tx.query(FULL)
            .bind(id.0)
            .bind(now)
            .bind(now)
            .execute()
            .await?;
        tx.commit().await
    }
}

/// Makes a mirror, unless it is there.
pub(crate) async fn insert_mirror(
    tx: &mut Tx,
    new: &NewMirror,
    now: DateTime<Utc>,
) -> Result<MadeMirror, StoreError> {
    let NewMirror { source, target } = new;
    if (source.instance, source.project) == (target.instance, target.project) {
        return Err(StoreError::SameProject);
    }
    let made: Option<(i64,)> = tx
        .query(INSERT)
        .bind(source.instance.0)
        .bind(source.project.0)
        .bind(&source.path)
        .bind(target.instance.0)
        .bind(target.project.0)
        .bind(&target.path)
        .bind(now)
        .fetch_optional()
        .await?;
    if let Some((id,)) = made {
        tx.query(ENSURE_CONFIG).bind(id).bind(now).execute().await?;
        return Ok(MadeMirror::New(MirrorId(id)));
    }
    let find = tx
        .query(FIND)
        .bind(source.instance.0)
        .bind(source.project.0);
    let find = find.bind(target.instance.0).bind(target.project.0);
    let (id,): (i64,) = find.fetch_one().await?;
    Ok(MadeMirror::Already(MirrorId(id)))
}
