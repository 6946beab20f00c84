//! How users, projects and planning objects come into the world.

use chrono::NaiveDate;

use super::edit_error::EditError;
use super::journal::ChangeKind;
use super::people::{Token, TokenSpec, User, UserId, UserSpec};
use super::project::{
    Content, Epic, Group, Home, Iteration, Milestone, MilestoneSpec, Project, ProjectId,
    ProjectSpec, Upload,
};
use super::world::World;

impl World {
    /// Adds a user.
    pub fn add_user(&mut self, spec: UserSpec) -> UserId {
        let id = self.next_id("user");
        let name = if spec.name.is_empty() {
            spec.username.clone()
        } else {
            spec.name
        };
        let created_at = self.now();
        let (admin, bot) = (spec.admin, spec.bot);
        let user = User {
            id,
            username: spec.username,
            name,
            admin,
            bot,
            banned: false,
            created_at,
        };
        self.users.insert(id, user);
        id
    }

    /// Bans a user, which hides their issues from all but administrators (facts section 1).
    pub fn ban_user(&mut self, id: UserId) {
        if let Some(user) = self.users.get_mut(&id) {
            user.banned = true;
        }
    }

    /// Ends a ban: their issues are there again.
    pub fn unban_user(&mut self, id: UserId) {
        if let Some(user) = self.users.get_mut(&id) {
            user.banned = false;
        }
    }

    /// Adds a token of a user and returns its secret text.
    pub fn add_token(&mut self, user: UserId, spec: TokenSpec) -> String {
        let id = self.next_id("token");
        let secret = if spec.token.is_empty() {
            format!("glpat-{}", self.secret_hex(10))
        } else {
            spec.token
        };
        let scopes = if spec.scopes.is_empty() {
            vec!["api".to_owned()]
        } else {
            spec.scopes
        };
        self.tokens.push(Token {
            id,
            secret: secret.clone(),
            user,
            scopes,
            expires_at: spec.expires_at,
            revoked: spec.revoked,
            created_at: self.now(),
        });
        secret
    }

    /// Takes a token back.
    pub fn revoke_token(&mut self, secret: &str) {
        for token in self
            .tokens
            .iter_mut()
            .filter(|token| token.secret == secret)
        {
            token.revoked = true;
        }
    }

    /// Adds a project, and its groups where they are new.
    pub fn add_project(&mut self, spec: ProjectSpec) -> ProjectId {
        let id = self.next_id("project");
        let short = spec
            .path
            .rsplit('/')
            .next()
            .unwrap_or(&spec.path)
            .to_owned();
        let project = Project {
            id,
            name: if spec.name.is_empty() {
                short
            } else {
                spec.name
            },
            path: spec.path,
            description: spec.description,
            visibility: spec.visibility,
            archived: spec.archived,
            issues_access_level: spec.issues_access_level,
            default_description_template: spec.default_description_template,
            drops_confidential: false,
            members: spec.members.into_iter().collect(),
            former_paths: Vec::new(),
            issues: std::collections::BTreeMap::new(),
            uploads: Vec::new(),
            hooks: Vec::new(),
            next_iid: 1,
            created_at: self.now(),
        };
        let groups: Vec<String> = project.ancestors().map(str::to_owned).collect();
        for path in groups.into_iter().rev() {
            self.ensure_group(&path);
        }
        self.projects.insert(id, project);
        id
    }

    /// Gives a project another path; the old one then redirects (facts section 1, errors).
    pub fn rename_project(&mut self, id: ProjectId, new_path: &str) {
        if let Some(project) = self.projects.get_mut(&id) {
            let old = std::mem::replace(&mut project.path, new_path.to_owned());
            project.former_paths.push(old);
            let groups: Vec<String> = project.ancestors().map(str::to_owned).collect();
            for path in groups.into_iter().rev() {
                self.ensure_group(&path);
            }
        }
    }

    fn ensure_group(&mut self, path: &str) -> u64 {
        if let Some(group) = self.groups.get(path) {
            return group.id;
        }
        let id = self.next_id("group");
        self.groups.insert(
            path.to_owned(),
            Group {
                id,
                path: path.to_owned(),
            },
        );
        id
    }

    /// Adds a milestone to a project or a group.
    pub fn add_milestone(&mut self, home: Home, spec: MilestoneSpec) -> u64 {
        let id = self.next_id("milestone");
        let iid = self
            .milestones
            .values()
            .filter(|one| one.home == home)
            .count() as u64
            + 1;
        let now = self.now();
        let milestone = Milestone {
            id,
            iid,
            home,
            title: spec.title,
            description: spec.description,
            start_date: spec.start_date,
            due_date: spec.due_date,
            closed: false,
            created_at: now,
            updated_at: now,
        };
        self.milestones.insert(id, milestone);
        id
    }

    /// Adds an iteration to a group.
    pub fn add_iteration(
        &mut self,
        group: &str,
        title: Option<&str>,
        start: NaiveDate,
        due: NaiveDate,
    ) -> u64 {
        self.ensure_group(group);
        let id = self.next_id("iteration");
        let iid = self
            .iterations
            .values()
            .filter(|one| one.group == group)
            .count() as u64
            + 1;
        let iteration = Iteration {
            id,
            iid,
            group: group.to_owned(),
            title: title.map(str::to_owned),
            start_date: start,
            due_date: due,
            created_at: self.now(),
        };
        self.iterations.insert(id, iteration);
        id
    }

    /// Adds an epic to a group.
    pub fn add_epic(&mut self, group: &str, title: &str) -> u64 {
        self.ensure_group(group);
        let id = self.next_id("epic");
        let iid = self.epics.values().filter(|one| one.group == group).count() as u64 + 1;
        let epic = Epic {
            id,
            iid,
            group: group.to_owned(),
            title: title.to_owned(),
        };
        self.epics.insert(id, epic);
        id
    }

    /// Adds a file; every call makes a new secret, also for the same bytes (facts section 6).
    ///
    /// # Errors
    /// If there is no such project.
    pub fn add_upload(
        &mut self,
        project: ProjectId,
        author: UserId,
        filename: &str,
        content: Content,
    ) -> Result<Upload, EditError> {
        let upload = Upload {
            id: self.next_id("upload"),
            secret: self.secret_hex(16),
            filename: filename.to_owned(),
            author,
            content,
            created_at: self.now(),
        };
        let home = self
            .projects
            .get_mut(&project)
            .ok_or(EditError::NoSuchProject(project))?;
        home.uploads.push(upload.clone());
        self.record(author, project, None, ChangeKind::Uploaded(upload.path()));
        Ok(upload)
    }
}
