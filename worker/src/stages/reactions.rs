//! Counts reactions.

use super::case::Case;
use crate::{
    SyncError,
    error::{On, Side},
};
use mirror_core::rules::Reactions;

/// The issue itself tells of votes; all others are read where the rules ask for them.
pub(crate) async fn count(case: &mut Case<'_>) -> Result<(), SyncError> {
    match case.link.settings.rules.reactions {
        Reactions::None | Reactions::Votes => {}
        Reactions::All => {
            let source = &case.link.source;
            let found = source.client.reactions(source.project.id, case.iid());
            case.source.reactions = found.await.on(Side::Source)?;
        }
    }
    Ok(())
}
