//! Hooks of projects (facts section 10).

use chrono::{DateTime, Utc};

use super::project::ProjectId;
use super::world::World;

/// An address that is told of what happens in a project. Nothing is ever sent there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectHook {
    /// Global id.
    pub id: u64,
    /// Where it tells.
    pub url: String,
    /// What every request would carry; never shown.
    pub token: Option<String>,
    /// Under what every request would be signed; never shown.
    pub signing_token: Option<String>,
    /// Tells of issues.
    pub issues_events: bool,
    /// Tells of confidential issues.
    pub confidential_issues_events: bool,
    /// Tells of comments.
    pub note_events: bool,
    /// Tells of comments on confidential issues, and of internal ones.
    pub confidential_note_events: bool,
    /// Tells of pushes.
    pub push_events: bool,
    /// Looks at the certificate of the address.
    pub enable_ssl_verification: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl World {
    /// A project's hooks, oldest first.
    #[must_use]
    pub fn hooks(&self, project: ProjectId) -> &[ProjectHook] {
        self.projects
            .get(&project)
            .map_or(&[], |project| &project.hooks)
    }

    /// Adds a hook that tells of pushes alone, as GitLab's own default is; its id.
    pub fn add_hook(&mut self, project: ProjectId, url: &str) -> u64 {
        let (id, created_at) = (self.next_id("hook"), self.now());
        if let Some(project) = self.projects.get_mut(&project) {
            project.hooks.push(ProjectHook {
                id,
                url: url.to_owned(),
                token: None,
                signing_token: None,
                issues_events: false,
                confidential_issues_events: false,
                note_events: false,
                confidential_note_events: false,
                push_events: true,
                enable_ssl_verification: true,
                created_at,
            });
        }
        id
    }
}
