//! What somebody edited on the target and stays so, and what a person decides about it.

use crate::{
    Fence, Owe, Store, StoreError,
    database::{PATIENCE, Tx},
    issues::save,
    seen::forget_in,
    time::micros,
    work::owe_in,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, MirrorId, NoteId},
    job::Priority,
    mapping::IssueMapping,
    merge::{Edit, EditPolicy, Field, Resolution, Sides, What},
};

/// An edit on record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptEdit {
    /// The source issue.
    pub source_iid: Iid,
    /// Its mirror.
    pub target_iid: Option<Iid>,
    /// What was edited. Its values are missing, too, where the source is out of sight by now.
    pub edit: Edit,
    /// What a person decided, not carried out yet.
    pub resolution: Option<Resolution>,
    /// When it was found, by the store's clock.
    pub found_at: DateTime<Utc>,
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT i.source_issue_iid, i.target_issue_iid, e.field, e.source_note_id, e.conflict, ",
            "e.source_digest, e.target_digest, ",
            "CASE WHEN i.sync_status <> 'skipped' THEN e.source_value END AS source_value, ",
            "CASE WHEN i.sync_status <> 'skipped' THEN e.target_value END AS target_value, ",
            "e.resolution, e.found_at ",
            "FROM issue_mappings i JOIN target_edits e ON e.issue_mapping_id = i.id ",
            $rest,
            " ORDER BY i.source_issue_iid, e.source_note_id, e.field"
        )
    };
}

const OF_ISSUE: &str = select!("WHERE i.mirror_id = $1 AND i.source_issue_iid = $2");
const OF_MIRROR: &str = select!("WHERE i.mirror_id = $1");

const MODIFIED: &str = "\
SELECT DISTINCT i.source_issue_iid
FROM issue_mappings i JOIN target_edits e ON e.issue_mapping_id = i.id
WHERE i.mirror_id = $1 AND e.conflict AND e.resolution IS NULL
ORDER BY i.source_issue_iid";

const EDITED: &str = "\
SELECT DISTINCT i.source_issue_iid
FROM issue_mappings i JOIN target_edits e ON e.issue_mapping_id = i.id
WHERE i.mirror_id = $1
ORDER BY i.source_issue_iid";

// A decision that was made while the job ran still counts, if it is about the same.
const KEEP: &str = "\
INSERT INTO target_edits (issue_mapping_id, field, source_note_id, conflict, source_digest,
                          target_digest, source_value, target_value, found_at)
SELECT id, $3, $4, $5, $6, $7, $8, $9, $10
FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2
ON CONFLICT (issue_mapping_id, field, source_note_id) DO UPDATE SET
    conflict = excluded.conflict,
    source_value = excluded.source_value,
    target_value = excluded.target_value,
    resolution = CASE WHEN target_edits.source_digest = excluded.source_digest
                       AND target_edits.target_digest = excluded.target_digest
                      THEN target_edits.resolution END,
    source_digest = excluded.source_digest,
    target_digest = excluded.target_digest";

const FORGET: &str = "\
DELETE FROM target_edits
WHERE field = $3 AND source_note_id = $4 AND issue_mapping_id = (
    SELECT id FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2)";

const RESOLVE: &str = "\
UPDATE target_edits SET resolution = $3
WHERE issue_mapping_id = (
    SELECT id FROM issue_mappings WHERE mirror_id = $1 AND source_issue_iid = $2)";

const POLICY: &str = "SELECT on_edit FROM mirror_issue_configs WHERE mirror_id = $1";

const SET_POLICY: &str = "\
UPDATE mirror_issue_configs SET on_edit = $2, revision = revision + 1, updated_at = $3
WHERE mirror_id = $1";

const FORGET_ALL: &str = "\
DELETE FROM target_edits
WHERE issue_mapping_id IN (SELECT id FROM issue_mappings WHERE mirror_id = $1)";

#[derive(sqlx::FromRow)]
struct EditRow {
    source_issue_iid: i64,
    target_issue_iid: Option<i64>,
    field: String,
    source_note_id: i64,
    conflict: bool,
    source_digest: String,
    target_digest: String,
    source_value: Option<String>,
    target_value: Option<String>,
    resolution: Option<String>,
    found_at: DateTime<Utc>,
}

impl TryFrom<EditRow> for KeptEdit {
    type Error = StoreError;

    fn try_from(row: EditRow) -> Result<Self, StoreError> {
        let what = match row.source_note_id {
            0 => {
                let field = Field::from_name(&row.field);
                What::Field(field.ok_or(StoreError::Unreadable { what: "an edit" })?)
            }
            note => What::Comment(NoteId(note)),
        };
        Ok(Self {
            source_iid: Iid(row.source_issue_iid),
            target_iid: row.target_issue_iid.map(Iid),
            edit: Edit {
                what,
                conflict: row.conflict,
                sides: Sides {
                    source: row.source_digest,
                    target: row.target_digest,
                },
                values: row.source_value.zip(row.target_value),
            },
            resolution: row.resolution.as_deref().and_then(Resolution::from_name),
            found_at: row.found_at,
        })
    }
}

impl Store {
    /// What becomes of edits on a mirror's target.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn edit_policy(&self, mirror: MirrorId) -> Result<EditPolicy, StoreError> {
        let row: Option<(String,)> = self.read(POLICY).bind(mirror.0).fetch_optional().await?;
        let (policy,) = row.ok_or(StoreError::NoSuchMirror(mirror))?;
        // The table admits no other word.
        Ok(policy.parse().unwrap_or_default())
    }

    /// Sets what becomes of edits on a mirror's target. Where they are overwritten from now on, what was
    /// kept of them is owed.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn set_edit_policy(
        &self,
        mirror: MirrorId,
        policy: EditPolicy,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        match policy {
            EditPolicy::Overwrite => overwrite_kept(&mut tx, mirror, now).await?,
            EditPolicy::Protect => {}
        }
        let set = tx.query(SET_POLICY).bind(mirror.0).bind(policy.name());
        if set.bind(now).execute().await? == 0 {
            return Err(StoreError::NoSuchMirror(mirror));
        }
        tx.commit().await
    }

    /// What is kept of edits on an issue's mirror.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn edits(&self, mirror: MirrorId, iid: Iid) -> Result<Vec<KeptEdit>, StoreError> {
        let query = self.read(OF_ISSUE).bind(mirror.0).bind(iid.0);
        let rows: Vec<EditRow> = query.fetch_all().await?;
        rows.into_iter().map(KeptEdit::try_from).collect()
    }

    /// What is kept of edits on all of a mirror's target.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn all_edits(&self, mirror: MirrorId) -> Result<Vec<KeptEdit>, StoreError> {
        let rows: Vec<EditRow> = self.read(OF_MIRROR).bind(mirror.0).fetch_all().await?;
        rows.into_iter().map(KeptEdit::try_from).collect()
    }

    /// The issues that were changed on both sides, and wait for a person.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn target_modified(&self, mirror: MirrorId) -> Result<Vec<Iid>, StoreError> {
        let rows: Vec<(i64,)> = self.read(MODIFIED).bind(mirror.0).fetch_all().await?;
        Ok(rows.into_iter().map(|(iid,)| Iid(iid)).collect())
    }

    /// Records all that is known of an issue, with the edits that stay on its mirror (`edits`) and
    /// those on record that are no more (`settled`).
    ///
    /// # Errors
    /// As [`Store::record_issue`].
    pub async fn record_merged(
        &self,
        fence: &Fence,
        mapping: &IssueMapping,
        edits: &[Edit],
        settled: &[What],
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut tx = self.begin_fenced(fence).await?;
        save(&mut tx, mapping, now).await?;
        for what in settled {
            let (field, note) = columns(*what);
            let query = tx.query(FORGET).bind(mapping.mirror.0);
            let query = query.bind(mapping.source_iid.0).bind(field).bind(note);
            query.execute().await?;
        }
        for edit in edits {
            keep(&mut tx, mapping, edit, now).await?;
        }
        tx.commit().await
    }

    /// A person decides which side holds in what was edited on an issue's mirror. Its job is owed,
    /// and does it. Returns how much that is about.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn resolve_conflict(
        &self,
        mirror: MirrorId,
        iid: Iid,
        resolution: Resolution,
    ) -> Result<u64, StoreError> {
        self.mirror(mirror).await?;
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        // The work first: a job holds its own before it comes to its edits.
        owe_in(&mut tx, &Owe::issues(mirror, [iid], Priority::ByHand), now).await?;
        let resolve = tx.query(RESOLVE).bind(mirror.0).bind(iid.0);
        let resolved = resolve.bind(resolution.name()).execute().await?;
        if resolved > 0 {
            tx.commit().await?;
        }
        Ok(resolved)
    }
}

/// What was kept is overwritten by its issues' next jobs.
pub(crate) async fn overwrite_kept(
    tx: &mut Tx,
    mirror: MirrorId,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let rows: Vec<(i64,)> = tx.query(EDITED).bind(mirror.0).fetch_all().await?;
    let edited: Vec<Iid> = rows.into_iter().map(|(iid,)| Iid(iid)).collect();
    // The work first: a job holds its own before it comes to its mapping.
    let owes = Owe::issues(mirror, edited.iter().copied(), Priority::Incremental);
    owe_in(tx, &owes, now).await?;
    forget_in(tx, mirror, &edited, now).await?;
    tx.query(FORGET_ALL).bind(mirror.0).execute().await?;
    Ok(())
}

fn columns(what: What) -> (&'static str, i64) {
    match what {
        What::Field(field) => (field.name(), 0),
        What::Comment(note) => ("", note.0),
    }
}

async fn keep(
    tx: &mut Tx,
    mapping: &IssueMapping,
    edit: &Edit,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let (field, note) = columns(edit.what);
    let (source, target) = edit.values.clone().unzip();
    tx.query(KEEP)
        .bind(mapping.mirror.0)
        .bind(mapping.source_iid.0)
        .bind(field)
        .bind(note)
        .bind(edit.conflict)
        .bind(&edit.sides.source)
        .bind(&edit.sides.target)
        .bind(source)
        .bind(target)
        .bind(micros(now))
        .execute()
        .await?;
    Ok(())
}
