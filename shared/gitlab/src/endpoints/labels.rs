//! Labels (facts section 5).

use super::fields::Fields;
use crate::{
    Client, Conflict, Error, ErrorKind,
    wire::{WireLabel, WireLabelEvent},
};
use http::Method;
use mirror_core::{
    ids::{Iid, ProjectId, UserId},
    issue::{Label, User},
};

/// The colour GitLab itself gives to a label that it creates by its name.
const DEFAULT_COLOR: &str = "#6699cc";

/// What became of a label to be created.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CreatedLabel {
    /// It is new.
    Created,
    /// One of that name was there.
    AlreadyExists,
}

/// Somebody put a label on an issue or took it off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LabelEvent {
    /// Who, where the account still exists.
    pub user: Option<UserId>,
    /// Which, unless it was deleted since.
    pub label: Option<String>,
    /// On, or off.
    pub add: bool,
}

impl Client {
    /// All labels that can stand on the project's issues: its own and its groups'. One request a
    /// hundred.
    pub async fn labels(&self, project: ProjectId) -> Result<Vec<Label>, Error> {
        let call = || {
            self.in_project(Method::GET, project, "/labels").query([
                ("include_ancestor_groups", "true"),
                ("with_counts", "false"),
            ])
        };
        let rows: Vec<WireLabel> = self.all_pages(call).await?;
        Ok(rows.into_iter().map(Label::from).collect())
    }

    /// Creates a label of the project; that there is one already is a success, too.
    pub async fn create_label(
        &self,
        project: ProjectId,
        label: &Label,
    ) -> Result<CreatedLabel, Error> {
        let color = label.color.as_deref().unwrap_or(DEFAULT_COLOR);
        let body = Fields::default()
            .with("name", Some(label.title.as_str()))
            .with("color", Some(color))
            .with("description", label.description.as_deref())
            .into_json();
        let mut call = self
            .in_project(Method::POST, project, "/labels")
            .json(&body);
        match self.exchange(&mut call).await {
            Ok(_) => Ok(CreatedLabel::Created),
            Err(error) if is_taken(&error) => Ok(CreatedLabel::AlreadyExists),
            Err(error) => Err(error),
        }
    }

    /// Who put which label on the issue or took it off, oldest first.
    pub async fn label_events(
        &self,
        project: ProjectId,
        iid: Iid,
    ) -> Result<Vec<LabelEvent>, Error> {
        let call = || self.in_issue(Method::GET, project, iid, "/resource_label_events");
        let rows: Vec<WireLabelEvent> = self.all_pages(call).await?;
        Ok(rows.into_iter().map(LabelEvent::from).collect())
    }
}

impl From<WireLabelEvent> for LabelEvent {
    fn from(wire: WireLabelEvent) -> Self {
        Self {
            user: wire.user.map(|user| User::from(user).id),
            label: wire.label.map(|label| label.name),
            add: wire.action == "add",
        }
    }
}

/// Versions say it by a 409 or as a validation of the title.
fn is_taken(error: &Error) -> bool {
    if let ErrorKind::Validation { fields } = error.kind() {
        return fields
            .get("title")
            .is_some_and(|said| said.iter().any(|text| text.contains("already been taken")));
    }
    *error.kind() == ErrorKind::Conflict(Conflict::LabelExists)
}
