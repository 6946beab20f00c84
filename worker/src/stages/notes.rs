//! Reads the source's comments.

use super::case::Case;
use crate::{
    SyncError,
    error::{On, Side},
    facts,
};
use mirror_core::{issue::Discussion, mapping::SourceRead};

/// The source's threads; none are asked for where there can be none. A comment newer than the
/// issue's own facts means that these may be stale (the issue may have become confidential), so
/// they are read once more. `None`: the issue is not to be seen any more.
pub(crate) async fn threads(case: &mut Case<'_>) -> Result<Option<Vec<Discussion>>, SyncError> {
    if case.source.user_notes_count == 0 && case.notes.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let source = &case.link.source;
    let listed = source
        .client
        .discussions(source.project.id, case.iid())
        .await;
    let threads = listed.on(Side::Source)?.value;
    let notes = threads.iter().flat_map(|thread| &thread.notes);
    if notes
        .clone()
        .any(|note| note.created_at.max(note.updated_at) >= case.read.read_at)
    {
        let Some(fresh) = facts::again(case.cx, case.link, case.iid()).await? else {
            return Ok(None);
        };
        case.read = SourceRead {
            // The comments were read before this: what came in between must count as unread.
            read_at: case.read.read_at,
            updated_at: fresh.issue.updated_at,
            notes_count: i64::try_from(notes.filter(|note| !note.system).count())
                .unwrap_or(i64::MAX),
        };
        case.take(fresh.issue);
    }
    Ok(Some(threads))
}
