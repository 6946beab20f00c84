//! What GitLab itself writes under an issue when something changes, and the throttled touch.

use chrono::{NaiveDate, TimeDelta};

use super::edit_error::EditError;
use super::issue::{IssueState, Note};
use super::people::UserId;
use super::project::ProjectId;
use super::world::World;
use crate::text::duration;

/// Notes an issue can hold, system notes included (facts section 2).
pub const MAX_NOTES: usize = 5_000;

impl World {
    /// Moves `updated_at` unless it is less than a minute old (facts section 2, throttled touch).
    pub(crate) fn touch(&mut self, project: ProjectId, iid: u64) {
        let now = self.now();
        if let Some(issue) = self.issue_mut(project, iid)
            && now - issue.updated_at >= TimeDelta::minutes(1)
        {
            issue.updated_at = now;
        }
    }

    /// Writes a system note; an issue full of notes goes without.
    pub(crate) fn system_note(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        body: String,
    ) -> Result<(), EditError> {
        self.write_system_note(project, iid, by, body, false, None)
    }

    /// Writes a system note about something that readers may not see: it takes its place in a page
    /// and is then removed from it (facts section 2).
    ///
    /// # Errors
    /// If there is no such issue.
    pub fn add_invisible_system_note(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
    ) -> Result<(), EditError> {
        let body = "mentioned in issue secret/project#1".to_owned();
        self.write_system_note(project, iid, by, body, true, None)
    }

    pub(crate) fn write_system_note(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        body: String,
        invisible: bool,
        mentioned_by: Option<(ProjectId, u64)>,
    ) -> Result<(), EditError> {
        if self.require_issue(project, iid)?.notes.len() >= MAX_NOTES {
            return Ok(());
        }
        let now = self.now();
        let note = Note {
            id: self.next_id("note"),
            discussion: self.secret_hex(20),
            threaded: false,
            body,
            author: by,
            system: true,
            internal: false,
            invisible,
            created_at: now,
            updated_at: now,
            resolved: None,
            mentioned_by,
        };
        self.require_issue(project, iid)?.notes.push(note);
        self.touch(project, iid);
        Ok(())
    }
}

pub(crate) fn state_text(state: IssueState) -> String {
    match state {
        IssueState::Opened => "reopened".to_owned(),
        IssueState::Closed => "closed".to_owned(),
    }
}

pub(crate) fn title_text(old: &str, new: &str) -> String {
    format!("changed title from **{{-{old}-}}** to **{{+{new}+}}**")
}

pub(crate) fn confidential_text(confidential: bool) -> String {
    if confidential {
        "made the issue confidential".to_owned()
    } else {
        "made the issue visible to everyone".to_owned()
    }
}

pub(crate) fn lock_text(locked: bool) -> String {
    let word = if locked { "locked" } else { "unlocked" };
    format!("{word} the discussion in this issue")
}

pub(crate) fn due_text(due: Option<NaiveDate>) -> String {
    due.map_or_else(
        || "removed due date".to_owned(),
        |day| format!("changed due date to {}", day.format("%B %-d, %Y")),
    )
}

pub(crate) fn estimate_text(seconds: i64) -> String {
    duration::human(seconds).map_or_else(
        || "removed time estimate".to_owned(),
        |human| format!("changed time estimate to {human}"),
    )
}

pub(crate) fn spent_text(seconds: i64) -> String {
    let human = duration::human(seconds.abs()).unwrap_or_default();
    let verb = if seconds < 0 { "subtracted" } else { "added" };
    format!("{verb} {human} of time spent")
}
