//! Logged working time (facts section 7).

use super::edit_error::EditError;
use super::issue::Timelog;
use super::journal::ChangeKind;
use super::people::UserId;
use super::project::ProjectId;
use super::system_notes as texts;
use super::world::World;

/// Largest estimate or sum of logged time in seconds, four years (facts section 7).
pub const MAX_TIME: i64 = 126_230_400;

impl World {
    /// Logs working time; negative seconds take back.
    ///
    /// # Errors
    /// If there is no such issue, or less than nothing would remain.
    pub fn log_time(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        seconds: i64,
        summary: Option<&str>,
    ) -> Result<(), EditError> {
        let at = self.now();
        let issue = self.require_issue(project, iid)?;
        let total = issue.time_spent();
        if total + seconds < 0 {
            return Err(EditError::TimeBelowZero);
        }
        let seconds = seconds.min(MAX_TIME - total);
        let summary = summary.map(str::to_owned);
        issue.timelogs.push(Timelog {
            user: by,
            seconds,
            at,
            summary,
        });
        self.touch(project, iid);
        self.record(by, project, Some(iid), ChangeKind::TimeLogged(seconds));
        self.system_note(project, iid, by, texts::spent_text(seconds))
    }

    /// Takes all logged time back.
    ///
    /// # Errors
    /// If there is no such issue.
    pub fn reset_time_spent(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
    ) -> Result<(), EditError> {
        let at = self.now();
        let issue = self.require_issue(project, iid)?;
        let total = issue.time_spent();
        if total == 0 {
            return Ok(());
        }
        issue.timelogs.push(Timelog {
            user: by,
            seconds: -total,
            at,
            summary: None,
        });
        self.touch(project, iid);
        self.record(by, project, Some(iid), ChangeKind::TimeLogged(-total));
        self.system_note(project, iid, by, "removed time spent".to_owned())
    }
}
