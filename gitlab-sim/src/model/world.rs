//! The whole state of one simulated GitLab.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::edit_error::EditError;
use super::issue::{Issue, IssueLink};
use super::journal::{Change, ChangeKind, ExecutedCommand, Notification, Via};
use super::people::{Token, User, UserId};
use super::project::{Epic, Group, Home, Iteration, Label, Milestone, Project, ProjectId};
use crate::clock::SimClock;
use crate::settings::Settings;

/// The whole state of one simulated GitLab.
///
/// Methods that change it act as other users do in the browser: they keep GitLab's rules about
/// `updated_at`, system notes and references, but store texts as they are, without executing quick
/// actions, and ask for no permission.
#[derive(Debug)]
pub struct World {
    /// What its administrator chose; may be changed at any time.
    pub settings: Settings,
    pub(crate) clock: SimClock,
    pub(crate) moment: Option<DateTime<Utc>>,
    pub(crate) via: Via,
    pub(crate) bound_url: String,
    pub(crate) users: BTreeMap<UserId, User>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) groups: BTreeMap<String, Group>,
    pub(crate) projects: BTreeMap<ProjectId, Project>,
    pub(crate) labels: BTreeMap<u64, Label>,
    pub(crate) label_index: HashMap<(Home, String), u64>,
    pub(crate) milestones: BTreeMap<u64, Milestone>,
    pub(crate) iterations: BTreeMap<u64, Iteration>,
    pub(crate) epics: BTreeMap<u64, Epic>,
    pub(crate) links: Vec<IssueLink>,
    pub(crate) changes: Vec<Change>,
    pub(crate) notifications: Vec<Notification>,
    pub(crate) commands: Vec<ExecutedCommand>,
    last_ids: HashMap<&'static str, u64>,
    secrets: u64,
}

impl World {
    pub(crate) fn new(settings: Settings, clock: SimClock) -> Self {
        Self {
            settings,
            clock,
            moment: None,
            via: Via::Edit,
            bound_url: "http://gitlab.sim".to_owned(),
            users: BTreeMap::new(),
            tokens: Vec::new(),
            groups: BTreeMap::new(),
            projects: BTreeMap::new(),
            labels: BTreeMap::new(),
            label_index: HashMap::new(),
            milestones: BTreeMap::new(),
            iterations: BTreeMap::new(),
            epics: BTreeMap::new(),
            links: Vec::new(),
            changes: Vec::new(),
            notifications: Vec::new(),
            commands: Vec::new(),
            last_ids: HashMap::new(),
            secrets: 0,
        }
    }

    /// The present moment, or the one that [`World::at`] put in its place.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.moment.unwrap_or_else(|| self.clock.now())
    }

    /// Makes the edits of `f` happen at `moment`, which may lie in the past.
    pub fn at<T>(&mut self, moment: DateTime<Utc>, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.moment.replace(moment);
        let result = f(self);
        self.moment = before;
        result
    }

    /// The address under which this GitLab believes to live, without a slash at its end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.settings
            .external_url
            .as_deref()
            .unwrap_or(&self.bound_url)
            .trim_end_matches('/')
    }

    /// The path of that address: empty, or such as `/gitlab`.
    #[must_use]
    pub fn sub_path(&self) -> &str {
        let address = self.base_url();
        let host = address.split_once("://").map_or(address, |(_, rest)| rest);
        host.find('/')
            .and_then(|start| host.get(start..))
            .unwrap_or("")
    }

    /// A user by id.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    /// A user by name.
    #[must_use]
    pub fn user_named(&self, username: &str) -> Option<&User> {
        self.users
            .values()
            .find(|user| user.username.eq_ignore_ascii_case(username))
    }

    /// All users by id.
    #[must_use]
    pub fn users(&self) -> &BTreeMap<UserId, User> {
        &self.users
    }

    /// A project by id.
    #[must_use]
    pub fn project(&self, id: ProjectId) -> Option<&Project> {
        self.projects.get(&id)
    }

    /// A project by its present path.
    #[must_use]
    pub fn project_at(&self, path: &str) -> Option<&Project> {
        self.projects
            .values()
            .find(|project| project.path.eq_ignore_ascii_case(path))
    }

    /// All projects by id.
    #[must_use]
    pub fn projects(&self) -> &BTreeMap<ProjectId, Project> {
        &self.projects
    }

    /// For changes of a project's own settings; issues are better changed through the methods.
    pub fn project_mut(&mut self, id: ProjectId) -> Option<&mut Project> {
        self.projects.get_mut(&id)
    }

    /// An issue by project and iid.
    #[must_use]
    pub fn issue(&self, project: ProjectId, iid: u64) -> Option<&Issue> {
        self.projects.get(&project)?.issues.get(&iid)
    }

    /// The issues of a project by iid; none if there is no such project.
    pub fn issues(&self, project: ProjectId) -> impl Iterator<Item = &Issue> {
        self.projects
            .get(&project)
            .into_iter()
            .flat_map(|project| project.issues.values())
    }

    /// Raw access to an issue, past all rules of touching and noting.
    pub fn issue_mut(&mut self, project: ProjectId, iid: u64) -> Option<&mut Issue> {
        self.projects.get_mut(&project)?.issues.get_mut(&iid)
    }

    /// A label by id.
    #[must_use]
    pub fn label(&self, id: u64) -> Option<&Label> {
        self.labels.get(&id)
    }

    /// The titles of an issue's labels, sorted.
    #[must_use]
    pub fn label_titles(&self, issue: &Issue) -> Vec<String> {
        let mut titles: Vec<String> = issue
            .labels
            .iter()
            .filter_map(|id| self.labels.get(id))
            .map(|label| label.title.clone())
            .collect();
        titles.sort();
        titles
    }

    /// The labels usable in a project: its own and those of the groups above.
    pub fn labels_of(&self, project: ProjectId) -> impl Iterator<Item = &Label> {
        let homes = self.homes_of(project);
        self.labels
            .values()
            .filter(move |label| homes.contains(&label.home))
    }

    /// A milestone by id.
    #[must_use]
    pub fn milestone(&self, id: u64) -> Option<&Milestone> {
        self.milestones.get(&id)
    }

    /// An iteration by id.
    #[must_use]
    pub fn iteration(&self, id: u64) -> Option<&Iteration> {
        self.iterations.get(&id)
    }

    /// An epic by id.
    #[must_use]
    pub fn epic(&self, id: u64) -> Option<&Epic> {
        self.epics.get(&id)
    }

    /// Links between issues.
    #[must_use]
    pub fn links(&self) -> &[IssueLink] {
        &self.links
    }

    /// Everything that changed, in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Everybody who was mentioned, in order.
    #[must_use]
    pub fn notifications(&self) -> &[Notification] {
        &self.notifications
    }

    /// Every quick action that ran, in order.
    #[must_use]
    pub fn executed_commands(&self) -> &[ExecutedCommand] {
        &self.commands
    }

    /// The project itself and the groups above it, as places where labels and milestones live.
    pub(crate) fn homes_of(&self, project: ProjectId) -> Vec<Home> {
        let mut homes = vec![Home::Project(project)];
        if let Some(found) = self.projects.get(&project) {
            homes.extend(found.ancestors().map(|path| Home::Group(path.to_owned())));
        }
        homes
    }

    pub(crate) fn require_issue(
        &mut self,
        project: ProjectId,
        iid: u64,
    ) -> Result<&mut Issue, EditError> {
        self.projects
            .get_mut(&project)
            .ok_or(EditError::NoSuchProject(project))?
            .issues
            .get_mut(&iid)
            .ok_or(EditError::NoSuchIssue(project, iid))
    }

    pub(crate) fn next_id(&mut self, kind: &'static str) -> u64 {
        let id = self.last_ids.entry(kind).or_insert(self.settings.ids_from);
        *id += 1;
        *id
    }

    /// Hexadecimal digits that nobody guesses but that a seed repeats.
    pub(crate) fn secret_hex(&mut self, bytes: usize) -> String {
        self.secrets += 1;
        let text = format!(
            "{}/{}/{}",
            self.settings.seed, self.settings.ids_from, self.secrets
        );
        let digest = Sha256::digest(text.as_bytes());
        hex::encode(digest.get(..bytes).unwrap_or(&digest))
    }

    pub(crate) fn record(
        &mut self,
        by: UserId,
        project: ProjectId,
        issue: Option<u64>,
        kind: ChangeKind,
    ) {
        let (at, via) = (self.now(), self.via);
        self.changes.push(Change {
            at,
            by,
            via,
            project,
            issue,
            kind,
        });
    }
}
