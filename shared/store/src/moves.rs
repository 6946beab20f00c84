//! Issues that were moved to another project, and the copies of what they became.

use crate::{Fence, Owe, Store, StoreError, database::PATIENCE, work::owe_in};
use mirror_core::{
    ids::{Iid, IssueId, MirrorId, ProjectId},
    job::{Job, Priority},
};

/// The copy of what an issue became, on the target's instance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MovedTo {
    /// The project that it stands in.
    pub project: ProjectId,
    /// Its number there.
    pub iid: Iid,
}

// In the very project of the other copies, if it is there too.
const FIND: &str = "\
SELECT m.target_project_id, i.target_issue_iid
FROM mirrors own
JOIN mirrors m ON m.source_instance_id = own.source_instance_id
              AND m.target_instance_id = own.target_instance_id
JOIN issue_mappings i ON i.mirror_id = m.id
WHERE own.id = $1 AND i.source_issue_id = $2 AND i.target_issue_iid IS NOT NULL
ORDER BY CASE WHEN m.target_project_id = own.target_project_id THEN 0 ELSE 1 END, m.id
LIMIT 1";

const AWAIT: &str = "\
INSERT INTO awaited_moves (mirror_id, source_iid, moved_to_id) VALUES ($1, $2, $3)
ON CONFLICT (mirror_id, source_iid) DO UPDATE SET moved_to_id = excluded.moved_to_id";

const WAITING_FOR: &str = "\
SELECT a.mirror_id, a.source_iid
FROM awaited_moves a
JOIN mirrors m ON m.id = a.mirror_id
JOIN mirrors own ON own.source_instance_id = m.source_instance_id
                AND own.target_instance_id = m.target_instance_id
WHERE own.id = $1 AND a.moved_to_id = $2
ORDER BY a.mirror_id, a.source_iid";

const ARRIVED: &str = "DELETE FROM awaited_moves WHERE mirror_id = $1 AND source_iid = $2";

impl Store {
    /// The copy of what an issue of this mirror became when it was moved. Where there is none, the
    /// issue is remembered to wait for it, and is owed again when it appears
    /// ([`Store::move_arrived`]).
    ///
    /// # Errors
    /// [`StoreError::Fenced`].
    pub async fn await_move(
        &self,
        fence: &Fence,
        mirror: MirrorId,
        iid: Iid,
        moved_to: IssueId,
    ) -> Result<Option<MovedTo>, StoreError> {
        if let Some(found) = self.moved_to(mirror, moved_to).await? {
            return Ok(Some(found));
        }
        let mut tx = self.begin_fenced(fence).await?;
        let wait = tx.query(AWAIT).bind(mirror.0).bind(iid.0);
        wait.bind(moved_to.0).execute().await?;
        tx.commit().await?;
        // One that appeared before this was written found nobody waiting.
        self.moved_to(mirror, moved_to).await
    }

    async fn moved_to(
        &self,
        mirror: MirrorId,
        moved_to: IssueId,
    ) -> Result<Option<MovedTo>, StoreError> {
        let find = self.read(FIND).bind(mirror.0).bind(moved_to.0);
        let row: Option<(i64, i64)> = find.fetch_optional().await?;
        Ok(row.map(|(project, iid)| MovedTo {
            project: ProjectId(project),
            iid: Iid(iid),
        }))
    }

    /// The copy of an issue is recorded: the issues that were moved there, of whatever mirror, are
    /// owed again. As [`Store::mirror_appeared`] in all else.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn move_arrived(
        &self,
        mirror: MirrorId,
        issue: IssueId,
    ) -> Result<usize, StoreError> {
        let waiting = self.read(WAITING_FOR).bind(mirror.0).bind(issue.0);
        let waiting: Vec<(i64, i64)> = waiting.fetch_all().await?;
        if waiting.is_empty() {
            return Ok(0);
        }
        let jobs = waiting.iter().map(|(mirror, iid)| Job::SyncIssue {
            mirror: MirrorId(*mirror),
            iid: Iid(*iid),
        });
        let owes: Vec<Owe> = jobs
            .map(|job| Owe::changed(job, Priority::Backfill))
            .collect();
        let mut tx = self.begin(PATIENCE).await?;
        // The work first: a job that begins to wait holds its own before it says so.
        owe_in(&mut tx, &owes, self.now()).await?;
        for (mirror, iid) in &waiting {
            tx.query(ARRIVED).bind(*mirror).bind(*iid).execute().await?;
        }
        tx.commit().await?;
        Ok(owes.len())
    }
}
