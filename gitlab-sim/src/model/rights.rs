//! Who may do what (facts sections 1 and 11).

use super::issue::{Issue, Note};
use super::people::{AccessLevel, UserId};
use super::project::{FeatureAccess, Project, Visibility};
use super::world::World;

/// Whose rights a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The user; `None` is somebody without an account.
    pub user: Option<UserId>,
    /// Whether an administrator.
    pub admin: bool,
}

impl Actor {
    /// The rights of a user.
    #[must_use]
    pub fn of_user(world: &World, user: UserId) -> Self {
        Self {
            user: Some(user),
            admin: world.user(user).is_some_and(|user| user.admin),
        }
    }
}

impl World {
    /// The role of an actor in a project; administrators count as owners.
    #[must_use]
    pub fn role(&self, actor: &Actor, project: &Project) -> Option<AccessLevel> {
        if actor.admin {
            return Some(AccessLevel::Owner);
        }
        actor
            .user
            .and_then(|user| project.members.get(&user).copied())
    }

    /// Whether the project is not a 404 for this actor.
    #[must_use]
    pub fn can_read_project(&self, actor: &Actor, project: &Project) -> bool {
        match project.visibility {
            Visibility::Public => true,
            Visibility::Internal => actor.user.is_some() || actor.admin,
            Visibility::Private => self.role(actor, project).is_some(),
        }
    }

    /// Whether issues may be read at all; if not, lists are empty (facts section 1).
    #[must_use]
    pub fn can_read_issues(&self, actor: &Actor, project: &Project) -> bool {
        self.can_read_project(actor, project)
            && match project.issues_access_level {
                FeatureAccess::Enabled => true,
                FeatureAccess::Private => self.role(actor, project).is_some(),
                FeatureAccess::Disabled => false,
            }
    }

    /// Whether this issue may be read: confidential ones by planners and up, author, assignees.
    #[must_use]
    pub fn can_read_issue(&self, actor: &Actor, issue: &Issue) -> bool {
        let Some(project) = self.project(issue.project) else {
            return false;
        };
        let hidden = self.user(issue.author).is_some_and(|author| author.banned) && !actor.admin;
        let involved = actor
            .user
            .is_some_and(|user| issue.author == user || issue.assignees.contains(&user));
        self.can_read_issues(actor, project)
            && !hidden
            && (!issue.confidential || involved || self.plans(actor, project))
    }

    /// Planner and up: edits issues, labels, weight, time; reads confidential and internal texts.
    #[must_use]
    pub fn plans(&self, actor: &Actor, project: &Project) -> bool {
        self.role(actor, project) >= Some(AccessLevel::Planner)
    }

    /// Owner: sets ids and times, deletes issues.
    #[must_use]
    pub fn owns(&self, actor: &Actor, project: &Project) -> bool {
        self.role(actor, project) >= Some(AccessLevel::Owner)
    }

    /// Maintainer and up.
    #[must_use]
    pub fn maintains(&self, actor: &Actor, project: &Project) -> bool {
        self.role(actor, project) >= Some(AccessLevel::Maintainer)
    }

    /// Whether issues and comments may be written at all in this project.
    #[must_use]
    pub fn can_write_issues(&self, actor: &Actor, project: &Project) -> bool {
        actor.user.is_some() && !project.archived && self.can_read_issues(actor, project)
    }

    /// Whether this issue's title, text and state may be changed: its author, or planner and up.
    #[must_use]
    pub fn can_update_issue(&self, actor: &Actor, project: &Project, issue: &Issue) -> bool {
        self.can_write_issues(actor, project)
            && self.can_read_issue(actor, issue)
            && (actor.user == Some(issue.author) || self.plans(actor, project))
    }

    /// Whether labels, weight, time and the like may be changed on existing issues.
    #[must_use]
    pub fn can_set_metadata(&self, actor: &Actor, project: &Project) -> bool {
        self.can_write_issues(actor, project) && self.plans(actor, project)
    }

    /// Whether a note is shown to this actor: a cross-reference only if the issue it names is
    /// (facts section 2, short pages).
    #[must_use]
    pub fn can_read_note(&self, actor: &Actor, project: &Project, note: &Note) -> bool {
        let names_hidden = note
            .mentioned_by
            .and_then(|(project, iid)| self.issue(project, iid))
            .is_some_and(|from| !self.can_read_issue(actor, from));
        !note.invisible && !names_hidden && (!note.internal || self.plans(actor, project))
    }

    /// Whether a comment may be changed or deleted: its author, or maintainer and up.
    #[must_use]
    pub fn can_admin_note(&self, actor: &Actor, project: &Project, note: &Note) -> bool {
        self.can_write_issues(actor, project)
            && !note.system
            && (actor.user == Some(note.author) || self.maintains(actor, project))
    }
}
