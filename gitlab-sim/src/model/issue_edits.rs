//! Creating, changing and deleting issues.

use super::edit_error::EditError;
use super::issue::{Issue, IssueEdit, IssueSpec, IssueState, StateEvent};
use super::journal::ChangeKind;
use super::logged_time::MAX_TIME;
use super::people::UserId;
use super::project::ProjectId;
use super::system_notes as texts;
use super::world::World;

impl World {
    /// Adds an issue and returns its iid.
    ///
    /// # Errors
    /// If there is no such project.
    pub fn create_issue(&mut self, project: ProjectId, spec: IssueSpec) -> Result<u64, EditError> {
        self.create_issue_at_iid(project, None, spec)
    }

    /// Adds an issue, at a preset iid if one is given.
    ///
    /// # Errors
    /// If there is no such project or the iid is taken.
    pub fn create_issue_at_iid(
        &mut self,
        project: ProjectId,
        preset: Option<u64>,
        spec: IssueSpec,
    ) -> Result<u64, EditError> {
        let home = self
            .projects
            .get_mut(&project)
            .ok_or(EditError::NoSuchProject(project))?;
        let iid = preset.unwrap_or(home.next_iid);
        if home.issues.contains_key(&iid) {
            return Err(EditError::DuplicateIid(iid));
        }
        home.next_iid = home.next_iid.max(iid + 1);
        let (author, closed) = (spec.author, spec.state == IssueState::Closed);
        let labels = self.resolve_labels(project, author, &spec.labels, true);
        let issue = self.fresh_issue(project, iid, spec);
        if let Some(home) = self.projects.get_mut(&project) {
            home.issues.insert(iid, issue);
        }
        self.replace_labels(project, iid, author, labels)?;
        self.record(author, project, Some(iid), ChangeKind::IssueCreated);
        if closed {
            self.change_state(project, iid, author, IssueState::Closed)?;
        }
        self.notice_issue_text(project, iid, author)?;
        Ok(iid)
    }

    fn fresh_issue(&mut self, project: ProjectId, iid: u64, spec: IssueSpec) -> Issue {
        let now = self.now();
        Issue {
            id: self.next_id("issue"),
            iid,
            project,
            title: spec.title,
            description: spec.description,
            state: IssueState::Opened,
            issue_type: spec.issue_type,
            author: spec.author,
            assignees: spec.assignees,
            labels: Vec::new(),
            milestone: spec.milestone,
            iteration: spec.iteration,
            epic: spec.epic,
            weight: spec.weight,
            health_status: None,
            due_date: spec.due_date,
            confidential: spec.confidential,
            discussion_locked: None,
            created_at: now,
            updated_at: now,
            closed_at: None,
            closed_by: None,
            time_estimate: spec.time_estimate.clamp(0, MAX_TIME),
            timelogs: Vec::new(),
            notes: Vec::new(),
            label_events: Vec::new(),
            state_events: Vec::new(),
            moved_to: None,
            awards: Vec::new(),
            service_desk_reply_to: None,
        }
    }

    /// Changes an issue: label-only changes touch it throttled, all others always (facts section 2).
    ///
    /// # Errors
    /// If there is no such issue.
    pub fn edit_issue(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        edit: IssueEdit,
    ) -> Result<(), EditError> {
        let mut changed = self.edit_texts(project, iid, by, &edit)?;
        changed.extend(self.edit_attributes(project, iid, by, &edit)?);
        changed.extend(self.edit_planning(project, iid, &edit)?);
        if let Some(state) = edit.state
            && self.change_state(project, iid, by, state)?
        {
            changed.push("state");
        }
        let columns_changed = !changed.is_empty();
        if let Some(titles) = &edit.labels {
            let labels = self.resolve_labels(project, by, titles, true);
            if self.replace_labels(project, iid, by, labels)? {
                changed.push("labels");
            }
        }
        self.finish_edit(project, iid, by, changed, columns_changed)
    }

    pub(crate) fn finish_edit(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        changed: Vec<&'static str>,
        columns_changed: bool,
    ) -> Result<(), EditError> {
        if changed.is_empty() {
            return Ok(());
        }
        let now = self.now();
        if columns_changed {
            self.require_issue(project, iid)?.updated_at = now;
        } else {
            self.touch(project, iid);
        }
        let texts_changed = changed
            .iter()
            .any(|field| matches!(*field, "title" | "description"));
        self.record(by, project, Some(iid), ChangeKind::IssueUpdated(changed));
        if texts_changed {
            self.notice_issue_text(project, iid, by)?;
        }
        Ok(())
    }

    fn edit_texts(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        edit: &IssueEdit,
    ) -> Result<Vec<&'static str>, EditError> {
        let mut changed = Vec::new();
        let mut notes = Vec::new();
        let issue = self.require_issue(project, iid)?;
        if let Some(title) = edit.title.as_ref().filter(|title| **title != issue.title) {
            notes.push(texts::title_text(&issue.title, title));
            issue.title.clone_from(title);
            changed.push("title");
        }
        if let Some(description) = edit
            .description
            .as_ref()
            .filter(|text| **text != issue.description)
        {
            notes.push("changed the description".to_owned());
            issue.description.clone_from(description);
            changed.push("description");
        }
        for note in notes {
            self.system_note(project, iid, by, note)?;
        }
        Ok(changed)
    }

    fn edit_attributes(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        edit: &IssueEdit,
    ) -> Result<Vec<&'static str>, EditError> {
        let mut changed = Vec::new();
        let mut notes = Vec::new();
        let issue = self.require_issue(project, iid)?;
        if let Some(confidential) = edit.confidential.filter(|new| *new != issue.confidential) {
            issue.confidential = confidential;
            notes.push(texts::confidential_text(confidential));
            changed.push("confidential");
        }
        if let Some(locked) = edit
            .discussion_locked
            .filter(|new| issue.discussion_locked != Some(*new))
        {
            issue.discussion_locked = Some(locked);
            notes.push(texts::lock_text(locked));
            changed.push("discussion_locked");
        }
        if let Some(due) = edit.due_date.filter(|new| *new != issue.due_date) {
            issue.due_date = due;
            notes.push(texts::due_text(due));
            changed.push("due_date");
        }
        if let Some(kind) = edit.issue_type.filter(|new| *new != issue.issue_type) {
            notes.push(format!(
                "changed type from {} to {}",
                issue.issue_type.word(),
                kind.word()
            ));
            issue.issue_type = kind;
            changed.push("issue_type");
        }
        if let Some(estimate) = edit.time_estimate.filter(|new| *new != issue.time_estimate) {
            issue.time_estimate = estimate.clamp(0, MAX_TIME);
            notes.push(texts::estimate_text(issue.time_estimate));
            changed.push("time_estimate");
        }
        for note in notes {
            self.system_note(project, iid, by, note)?;
        }
        Ok(changed)
    }

    /// Planning fields leave no system note: GitLab keeps resource events of them.
    fn edit_planning(
        &mut self,
        project: ProjectId,
        iid: u64,
        edit: &IssueEdit,
    ) -> Result<Vec<&'static str>, EditError> {
        let mut changed = Vec::new();
        let issue = self.require_issue(project, iid)?;
        if let Some(assignees) = edit
            .assignees
            .as_ref()
            .filter(|new| **new != issue.assignees)
        {
            issue.assignees.clone_from(assignees);
            changed.push("assignees");
        }
        if let Some(milestone) = edit.milestone.filter(|new| *new != issue.milestone) {
            issue.milestone = milestone;
            changed.push("milestone");
        }
        if let Some(iteration) = edit.iteration.filter(|new| *new != issue.iteration) {
            issue.iteration = iteration;
            changed.push("iteration");
        }
        if let Some(epic) = edit.epic.filter(|new| *new != issue.epic) {
            issue.epic = epic;
            changed.push("epic");
        }
        if let Some(weight) = edit.weight.filter(|new| *new != issue.weight) {
            issue.weight = weight;
            changed.push("weight");
        }
        Ok(changed)
    }

    pub(crate) fn change_state(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        state: IssueState,
    ) -> Result<bool, EditError> {
        if self.require_issue(project, iid)?.state == state {
            return Ok(false);
        }
        let at = self.now();
        let event = StateEvent {
            id: self.next_id("state_event"),
            user: by,
            state,
            at,
        };
        let issue = self.require_issue(project, iid)?;
        issue.state = state;
        issue.state_events.push(event);
        issue.closed_at = (state == IssueState::Closed).then_some(at);
        issue.closed_by = (state == IssueState::Closed).then_some(by);
        if state == IssueState::Opened {
            // Reopening a moved issue makes it an issue of its own again (facts section 14).
            issue.moved_to = None;
        }
        issue.updated_at = at;
        self.system_note(project, iid, by, texts::state_text(state))?;
        Ok(true)
    }

    /// Puts exactly these labels on an issue.
    ///
    /// # Errors
    /// If there is no such issue.
    pub fn set_labels(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        titles: &[&str],
    ) -> Result<(), EditError> {
        let labels = Some(titles.iter().map(|title| (*title).to_owned()).collect());
        self.edit_issue(
            project,
            iid,
            by,
            IssueEdit {
                labels,
                ..IssueEdit::default()
            },
        )
    }

    /// Deletes an issue; its iid is not used again.
    ///
    /// # Errors
    /// If there is no such issue.
    pub fn delete_issue(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
    ) -> Result<(), EditError> {
        self.require_issue(project, iid)?;
        if let Some(home) = self.projects.get_mut(&project) {
            home.issues.remove(&iid);
        }
        self.links
            .retain(|link| link.source != (project, iid) && link.target != (project, iid));
        self.record(by, project, Some(iid), ChangeKind::IssueDeleted);
        Ok(())
    }
}
