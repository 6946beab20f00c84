//! What a listing says: which of its rows are due, and how far the watermark may move.

use crate::{
    desired::Observed,
    issue::Issue,
    mapping::{SourceRead, TargetIssue},
};
use chrono::{DateTime, TimeDelta, Utc};

/// How far before what was seen the next listing begins: transactions commit late, and touches are
/// throttled for a minute.
pub const OVERLAP: TimeDelta = TimeDelta::seconds(120);

/// GitLab does not move `updated_at` for a comment, label or logged time within a minute of the
/// last move; with slack for commits.
pub const THROTTLED_TOUCH: TimeDelta = TimeDelta::seconds(60 + 10);

/// How far the watermark may move when everything up to `last_row` has been recorded, in a walk
/// that began at `walk_start` by the instance's own clock. One row from the future must not carry
/// it along.
pub fn watermark(last_row: Option<DateTime<Utc>>, walk_start: DateTime<Utc>) -> DateTime<Utc> {
    last_row.map_or(walk_start, |last| last.min(walk_start)) - OVERLAP
}

/// Whether a complete read still tells everything about the issue that a listing shows now. Within
/// the minute after `updated_at` a change may hide, so a read counts only if it came later.
pub fn is_settled(read: &SourceRead, row: &Issue) -> bool {
    read.updated_at == row.updated_at
        && read.notes_count == row.user_notes_count
        && read.read_at > read.updated_at + THROTTLED_TOUCH
}

/// What a listing's row says about a mirrored issue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TargetRow {
    /// As we left it.
    AsLeft,
    /// Moved, but every field is as we left it: our own comments, or someone else's.
    Touched,
    /// Edited by somebody.
    Edited,
}

/// Compares a target row with what our own last look or write left there.
pub fn compare_target(recorded: &TargetIssue, row: &Issue) -> TargetRow {
    let same_digest = recorded
        .digest
        .as_ref()
        .is_some_and(|digest| *digest == Observed::from(row).digest());
    let same_stamp =
        recorded.updated_at == row.updated_at && recorded.notes_count == row.user_notes_count;
    match (same_digest, same_stamp) {
        (true, true) => TargetRow::AsLeft,
        (true, false) => TargetRow::Touched,
        (false, _) => TargetRow::Edited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn one_row_from_the_future_does_not_carry_the_watermark_along() {
        assert_eq!(watermark(Some(at(9_999_999)), at(1_000)), at(880));
        assert_eq!(watermark(Some(at(500)), at(1_000)), at(380));
        assert_eq!(watermark(None, at(1_000)), at(880));
    }
}
