//! What ties issues to each other and people to issues: moves, links, reactions.

use chrono::NaiveDate;

use super::edit_error::EditError;
use super::issue::{Award, IssueLink, IssueState};
use super::journal::ChangeKind;
use super::people::UserId;
use super::project::ProjectId;
use super::world::World;

impl World {
    /// Closes an issue as moved to another one (facts section 14).
    ///
    /// # Errors
    /// If one of the issues is missing.
    pub fn move_issue(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        to: (ProjectId, u64),
    ) -> Result<(), EditError> {
        let new = self.require_issue(to.0, to.1)?.id;
        self.change_state(project, iid, by, IssueState::Closed)?;
        self.require_issue(project, iid)?.moved_to = Some(new);
        self.finish_edit(project, iid, by, vec!["moved_to"], true)?;
        let place = match self.project(to.0) {
            Some(home) => format!("{}#{}", home.path, to.1),
            None => format!("#{}", to.1),
        };
        self.system_note(project, iid, by, format!("moved to {place}"))
    }

    /// Reacts with an emoji, which touches nothing.
    ///
    /// # Errors
    /// If there is no such issue.
    pub fn add_award(
        &mut self,
        project: ProjectId,
        iid: u64,
        user: UserId,
        name: &str,
    ) -> Result<(), EditError> {
        let award = Award {
            id: self.next_id("award"),
            name: name.to_owned(),
            user,
            at: self.now(),
        };
        self.require_issue(project, iid)?.awards.push(award);
        let kind = ChangeKind::Reacted(name.to_owned());
        self.record(user, project, Some(iid), kind);
        Ok(())
    }

    /// Links two issues and returns the link's id.
    ///
    /// # Errors
    /// If one of the issues is missing.
    pub fn link_issues(
        &mut self,
        by: UserId,
        source: (ProjectId, u64),
        target: (ProjectId, u64),
        blocks: bool,
    ) -> Result<u64, EditError> {
        self.require_issue(source.0, source.1)?;
        self.require_issue(target.0, target.1)?;
        let id = self.next_id("issue_link");
        self.links.push(IssueLink {
            id,
            source,
            target,
            blocks,
            created_at: self.now(),
        });
        let (forth, back) = if blocks {
            ("blocking", "blocked by")
        } else {
            ("related to", "related to")
        };
        for (at, how, other) in [(source, forth, target), (target, back, source)] {
            let place = self.referred_from(at.0, other);
            let body = format!("marked this issue as {how} {place}");
            self.system_note(at.0, at.1, by, body)?;
        }
        self.record(by, source.0, Some(source.1), ChangeKind::Linked(true));
        Ok(id)
    }

    /// Takes a link between two issues away.
    ///
    /// # Errors
    /// If there is no such link.
    pub fn unlink_issues(&mut self, by: UserId, id: u64) -> Result<(), EditError> {
        let found = self.links.iter().position(|link| link.id == id);
        let at = found.ok_or(EditError::NoSuchLink)?;
        let link = self.links.remove(at);
        for (at, other) in [(link.source, link.target), (link.target, link.source)] {
            let place = self.referred_from(at.0, other);
            self.system_note(at.0, at.1, by, format!("removed the relation with {place}"))?;
        }
        let (project, iid) = link.source;
        self.record(by, project, Some(iid), ChangeKind::Linked(false));
        Ok(())
    }

    /// How an issue is referred to from within a project.
    fn referred_from(&self, project: ProjectId, other: (ProjectId, u64)) -> String {
        match self.project(other.0) {
            Some(home) if home.id != project => format!("{}#{}", home.path, other.1),
            Some(_) | None => format!("#{}", other.1),
        }
    }

    /// Whether a day lies behind the present one.
    pub(crate) fn is_past(&self, day: Option<NaiveDate>) -> bool {
        day.is_some_and(|day| day < self.now().date_naive())
    }
}
