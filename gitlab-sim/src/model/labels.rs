//! Labels: titles, scopes, and how an issue's list of them changes (facts section 5).

use super::edit_error::EditError;
use super::issue::LabelEvent;
use super::journal::ChangeKind;
use super::people::UserId;
use super::project::{Home, Label, LabelSpec, ProjectId};
use super::world::World;

/// Colour of a label that came into being by being named (facts section 5).
pub const DEFAULT_COLOR: &str = "#6699cc";

/// The key of a scoped label: everything up to the last `::`; `None` for an unscoped one.
#[must_use]
pub fn scope(title: &str) -> Option<&str> {
    title
        .rsplit_once("::")
        .map(|(key, _)| key)
        .filter(|key| !key.is_empty())
}

impl World {
    /// Adds a label to a project or a group.
    ///
    /// # Errors
    /// If its home has one of this title already.
    pub fn add_label(&mut self, home: Home, by: UserId, spec: LabelSpec) -> Result<u64, EditError> {
        let key = (home.clone(), spec.title.clone());
        if self.label_index.contains_key(&key) {
            return Err(EditError::LabelExists(spec.title));
        }
        let id = self.next_id("label");
        let color = if spec.color.is_empty() {
            DEFAULT_COLOR.to_owned()
        } else {
            spec.color
        };
        let project = project_of(&home);
        let title = spec.title.clone();
        let label = Label {
            id,
            home,
            title: spec.title,
            color,
            description: spec.description,
            priority: None,
        };
        self.labels.insert(id, label);
        self.label_index.insert(key, id);
        self.record(by, project, None, ChangeKind::LabelCreated(title));
        Ok(id)
    }

    /// Changes a label; `None` leaves a field as it is.
    ///
    /// # Errors
    /// If there is no such label, or another of the new title.
    pub fn edit_label(
        &mut self,
        id: u64,
        by: UserId,
        title: Option<String>,
        color: Option<String>,
        description: Option<Option<String>>,
    ) -> Result<(), EditError> {
        let unknown = || EditError::NoSuchLabel(id.to_string());
        let label = self.labels.get_mut(&id).ok_or_else(unknown)?;
        if let Some(title) = title.filter(|title| *title != label.title) {
            let key = (label.home.clone(), title.clone());
            if self.label_index.contains_key(&key) {
                return Err(EditError::LabelExists(title));
            }
            self.label_index
                .remove(&(label.home.clone(), label.title.clone()));
            self.label_index.insert(key, id);
            label.title = title;
        }
        if let Some(color) = color {
            label.color = color;
        }
        if let Some(description) = description {
            label.description = description;
        }
        let (title, project) = (label.title.clone(), project_of(&label.home));
        self.record(by, project, None, ChangeKind::LabelUpdated(title));
        Ok(())
    }

    /// Deletes a label and takes it from all issues, without touching them.
    ///
    /// # Errors
    /// If there is no such label.
    pub fn delete_label(&mut self, id: u64, by: UserId) -> Result<(), EditError> {
        let label = self
            .labels
            .remove(&id)
            .ok_or_else(|| EditError::NoSuchLabel(id.to_string()))?;
        self.label_index
            .remove(&(label.home.clone(), label.title.clone()));
        for project in self.projects.values_mut() {
            for issue in project.issues.values_mut() {
                issue.labels.retain(|one| *one != id);
            }
        }
        self.record(
            by,
            project_of(&label.home),
            None,
            ChangeKind::LabelDeleted(label.title),
        );
        Ok(())
    }

    /// The label that a title means in a project: its own first, then those of the groups above.
    #[must_use]
    pub fn label_titled(&self, project: ProjectId, title: &str) -> Option<&Label> {
        self.homes_of(project)
            .into_iter()
            .find_map(|home| self.label_index.get(&(home, title.to_owned())))
            .and_then(|id| self.labels.get(id))
    }

    /// Resolves titles; with `create`, unknown ones become project labels of the default colour.
    pub(crate) fn resolve_labels(
        &mut self,
        project: ProjectId,
        by: UserId,
        titles: &[String],
        create: bool,
    ) -> Vec<u64> {
        let mut ids = Vec::new();
        for title in titles
            .iter()
            .map(|title| title.trim())
            .filter(|title| !title.is_empty())
        {
            let found = self.label_titled(project, title).map(|label| label.id);
            let usable = title.chars().count() <= 255 && !title.contains(',');
            let id = match found {
                None if create && usable => self
                    .add_label(
                        Home::Project(project),
                        by,
                        LabelSpec::new(title, DEFAULT_COLOR),
                    )
                    .ok(),
                other => other,
            };
            ids.extend(id.filter(|id| !ids.contains(id)));
        }
        ids
    }

    /// Among labels of one scope keeps the last, where labels exclude each other.
    pub(crate) fn without_rivals(&self, labels: Vec<u64>) -> Vec<u64> {
        if !self.settings.scoped_labels_exclude() {
            return labels;
        }
        let mut kept: Vec<u64> = Vec::new();
        for id in labels.iter().rev() {
            let key = self.labels.get(id).and_then(|label| scope(&label.title));
            let rival = key.is_some()
                && kept.iter().any(|other| {
                    self.labels.get(other).and_then(|label| scope(&label.title)) == key
                });
            if !rival {
                kept.push(*id);
            }
        }
        kept.reverse();
        kept
    }

    /// Puts this list of label ids on an issue, with its events; tells whether anything changed.
    pub(crate) fn replace_labels(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        labels: Vec<u64>,
    ) -> Result<bool, EditError> {
        let labels = self.without_rivals(labels);
        let present = self.require_issue(project, iid)?.labels.clone();
        let gone = present
            .iter()
            .filter(|id| !labels.contains(id))
            .map(|id| (*id, false));
        let come = labels
            .iter()
            .filter(|id| !present.contains(id))
            .map(|id| (*id, true));
        let moves: Vec<(u64, bool)> = come.chain(gone).collect();
        let at = self.now();
        let mut events = Vec::new();
        for (label, added) in &moves {
            let id = self.next_id("label_event");
            events.push(LabelEvent {
                id,
                user: by,
                label: *label,
                added: *added,
                at,
            });
        }
        let issue = self.require_issue(project, iid)?;
        issue.labels = labels;
        issue.label_events.extend(events);
        Ok(!moves.is_empty())
    }
}

fn project_of(home: &Home) -> ProjectId {
    match home {
        Home::Project(id) => *id,
        Home::Group(_) => 0,
    }
}
