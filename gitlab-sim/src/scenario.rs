//! A world written down in JSON.
//!
//! ```json
//! {
//!   "users": [{ "username": "alice", "name": "Alice", "token": "secret" }],
//!   "projects": [{
//!     "path": "shop/checkout",
//!     "members": { "alice": "owner" },
//!     "labels": [{ "title": "bug", "color": "#ff0000" }],
//!     "issues": [{
//!       "author": "alice", "title": "First", "description": "Text", "labels": ["bug"],
//!       "closed": true, "confidential": false,
//!       "notes": [{ "author": "alice", "body": "A comment", "internal": false }]
//!     }]
//!   }]
//! }
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::model::{
    AccessLevel, EditError, Home, IssueSpec, IssueState, LabelSpec, NoteSpec, ProjectId,
    ProjectSpec, TokenSpec, UserId, UserSpec, World,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    users: Vec<UserEntry>,
    projects: Vec<ProjectEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UserEntry {
    username: String,
    #[serde(default)]
    name: String,
    token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectEntry {
    path: String,
    #[serde(default)]
    members: BTreeMap<String, Role>,
    #[serde(default)]
    labels: Vec<LabelEntry>,
    #[serde(default)]
    issues: Vec<IssueEntry>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Guest,
    Planner,
    Reporter,
    Developer,
    Maintainer,
    Owner,
}

impl From<Role> for AccessLevel {
    fn from(role: Role) -> Self {
        match role {
            Role::Guest => Self::Guest,
            Role::Planner => Self::Planner,
            Role::Reporter => Self::Reporter,
            Role::Developer => Self::Developer,
            Role::Maintainer => Self::Maintainer,
            Role::Owner => Self::Owner,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LabelEntry {
    title: String,
    #[serde(default)]
    color: String,
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssueEntry {
    author: String,
    title: String,
    description: Option<String>,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    closed: bool,
    #[serde(default)]
    confidential: bool,
    #[serde(default)]
    notes: Vec<NoteEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteEntry {
    author: String,
    body: String,
    #[serde(default)]
    internal: bool,
}

/// Why a scenario could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The text is no scenario.
    #[error("not a scenario")]
    Unreadable(#[source] serde_json::Error),
    /// A name that no user of the scenario has.
    #[error("no user `{0}` in the scenario")]
    UnknownUser(String),
    /// There is no project in it.
    #[error("no project in the scenario")]
    NoProject,
    /// The world refused it.
    #[error("the scenario contradicts itself")]
    Refused(#[from] EditError),
}

/// What a scenario became.
#[derive(Debug)]
pub struct Built {
    /// Id of its first project.
    pub first_project: ProjectId,
    /// Lines that tell projects and tokens.
    pub lines: Vec<String>,
}

/// Builds the world that `text` describes.
///
/// # Errors
/// If the text is no scenario or contradicts itself.
pub fn build(world: &mut World, text: &str) -> Result<Built, ScenarioError> {
    let scenario: Scenario = serde_json::from_str(text).map_err(ScenarioError::Unreadable)?;
    let mut users = BTreeMap::new();
    let mut lines = Vec::new();
    for entry in scenario.users {
        let id = world.add_user(UserSpec::new(&entry.username, &entry.name));
        if let Some(secret) = entry.token {
            world.add_token(id, TokenSpec::api(&secret));
            lines.push(format!("{} token {secret}", entry.username));
        }
        users.insert(entry.username, id);
    }
    let mut first_project = None;
    for entry in scenario.projects {
        let path = entry.path.clone();
        let id = build_project(world, &users, entry)?;
        lines.push(format!("project {id} /{path}"));
        first_project.get_or_insert(id);
    }
    let first_project = first_project.ok_or(ScenarioError::NoProject)?;
    Ok(Built {
        first_project,
        lines,
    })
}

fn named(users: &BTreeMap<String, UserId>, name: &str) -> Result<UserId, ScenarioError> {
    users
        .get(name)
        .copied()
        .ok_or_else(|| ScenarioError::UnknownUser(name.to_owned()))
}

fn build_project(
    world: &mut World,
    users: &BTreeMap<String, UserId>,
    entry: ProjectEntry,
) -> Result<ProjectId, ScenarioError> {
    let mut members = Vec::new();
    for (name, role) in entry.members {
        members.push((named(users, &name)?, AccessLevel::from(role)));
    }
    let project = world.add_project(ProjectSpec::new(&entry.path, &members));
    for label in entry.labels {
        let spec = LabelSpec {
            title: label.title,
            color: label.color,
            description: label.description,
        };
        world.add_label(Home::Project(project), 0, spec)?;
    }
    for issue in entry.issues {
        let iid = world.create_issue(
            project,
            IssueSpec {
                author: named(users, &issue.author)?,
                title: issue.title,
                description: issue.description,
                labels: issue.labels,
                confidential: issue.confidential,
                state: if issue.closed {
                    IssueState::Closed
                } else {
                    IssueState::Opened
                },
                ..IssueSpec::default()
            },
        )?;
        for note in issue.notes {
            let author = named(users, &note.author)?;
            let spec = NoteSpec {
                internal: note.internal,
                ..NoteSpec::new(author, &note.body)
            };
            world.add_note(project, iid, spec)?;
        }
    }
    Ok(project)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sim;

    #[test]
    fn a_written_world_comes_to_life() {
        let text = r##"{
            "users": [{ "username": "alice", "token": "secret" }],
            "projects": [{ "path": "a/b", "members": { "alice": "owner" },
                "labels": [{ "title": "bug", "color": "#ff0000" }],
                "issues": [{ "author": "alice", "title": "First", "labels": ["bug"], "closed": true,
                    "notes": [{ "author": "alice", "body": "Hello" }] }] }]
        }"##;
        let sim = Sim::builder().build();
        let built = sim
            .edit(|world| build(world, text))
            .expect("a good scenario");
        sim.world(|world| {
            let issue = world.issue(built.first_project, 1).expect("its issue");
            assert_eq!(issue.state, IssueState::Closed);
            assert_eq!(world.label_titles(issue), ["bug"]);
            assert_eq!(issue.user_notes_count(), 1);
        });
    }

    #[test]
    fn an_unknown_author_is_named() {
        let text = r#"{ "users": [], "projects": [{ "path": "a/b",
            "issues": [{ "author": "nobody", "title": "First" }] }] }"#;
        let error = Sim::builder()
            .build()
            .edit(|world| build(world, text))
            .expect_err("no author");
        assert_eq!(error.to_string(), "no user `nobody` in the scenario");
    }
}
