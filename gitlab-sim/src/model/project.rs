//! Projects, groups, and what belongs to them beside issues.

use std::collections::BTreeMap;

use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};

use super::hooks::ProjectHook;
use super::issue::Issue;
use super::people::{AccessLevel, UserId};

/// Global id of a project.
pub type ProjectId = u64;

/// Who may see a project at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Members only.
    #[default]
    Private,
    /// Everybody with an account.
    Internal,
    /// Everybody.
    Public,
}

impl Visibility {
    /// The word that the API shows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }
}

/// Who may use the issues of a project that they can see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FeatureAccess {
    /// Nobody.
    Disabled,
    /// Members only.
    Private,
    /// Everybody who sees the project.
    #[default]
    Enabled,
}

impl FeatureAccess {
    /// The word that the API shows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Private => "private",
            Self::Enabled => "enabled",
        }
    }
}

/// A project and its issues.
#[derive(Clone, Debug)]
pub struct Project {
    /// Global id.
    pub id: ProjectId,
    /// `group/subgroup/project`.
    pub path: String,
    /// Name that people read.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether all writing is prevented.
    pub archived: bool,
    /// Who may use its issues.
    pub issues_access_level: FeatureAccess,
    /// Text that replaces a blank description on creation (facts section 1).
    pub default_description_template: Option<String>,
    /// Whether `confidential` and `internal` are dropped without a word, on creation and edits, as
    /// an instance may that hides such things from none: what a mirror must not rely on.
    pub drops_confidential: bool,
    /// Roles of its members.
    pub members: BTreeMap<UserId, AccessLevel>,
    /// Paths it had before; they still answer, with a redirect.
    pub former_paths: Vec<String>,
    /// Issues by iid.
    pub issues: BTreeMap<u64, Issue>,
    /// Files, oldest first.
    pub uploads: Vec<Upload>,
    /// Addresses that are told of what happens, oldest first.
    pub hooks: Vec<ProjectHook>,
    /// The iid that the next issue gets unless one is preset.
    pub next_iid: u64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Project {
    /// `group/subgroup` of `group/subgroup/project`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.path
            .rsplit_once('/')
            .map_or("", |(namespace, _)| namespace)
    }

    /// The paths of all groups above, nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self.namespace()), |path| {
            path.rsplit_once('/').map(|(above, _)| above)
        })
        .filter(|path| !path.is_empty())
    }
}

/// What to make of a new project.
#[derive(Clone, Debug, Default)]
pub struct ProjectSpec {
    /// `group/project`; groups come into being with their first project.
    pub path: String,
    /// Name that people read; empty takes the last part of the path.
    pub name: String,
    /// One line about it.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Whether all writing is prevented.
    pub archived: bool,
    /// Who may use its issues.
    pub issues_access_level: FeatureAccess,
    /// Text that replaces a blank description on creation.
    pub default_description_template: Option<String>,
    /// Roles of its members.
    pub members: Vec<(UserId, AccessLevel)>,
}

impl ProjectSpec {
    /// A private project at `path` with these members.
    #[must_use]
    pub fn new(path: &str, members: &[(UserId, AccessLevel)]) -> Self {
        Self {
            path: path.to_owned(),
            members: members.to_vec(),
            ..Self::default()
        }
    }
}

/// A namespace; it holds labels, milestones, iterations and epics for the projects below it.
#[derive(Clone, Debug)]
pub struct Group {
    /// Global id.
    pub id: u64,
    /// `group/subgroup`.
    pub path: String,
}

/// Where a label or milestone lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Home {
    /// One project.
    Project(ProjectId),
    /// A group, by path, for all projects below it.
    Group(String),
}

/// A label.
#[derive(Clone, Debug)]
pub struct Label {
    /// Global id.
    pub id: u64,
    /// Project or group.
    pub home: Home,
    /// Title, unique within its home, case-sensitive.
    pub title: String,
    /// `#rrggbb`.
    pub color: String,
    /// What it means.
    pub description: Option<String>,
    /// Priority within the project.
    pub priority: Option<i64>,
}

/// What to make of a new label.
#[derive(Clone, Debug, Default)]
pub struct LabelSpec {
    /// Title.
    pub title: String,
    /// `#rrggbb`; empty takes the default `#6699cc`.
    pub color: String,
    /// What it means.
    pub description: Option<String>,
}

impl LabelSpec {
    /// A label with title and colour.
    #[must_use]
    pub fn new(title: &str, color: &str) -> Self {
        Self {
            title: title.to_owned(),
            color: color.to_owned(),
            description: None,
        }
    }
}

/// A milestone of a project or a group.
#[derive(Clone, Debug)]
pub struct Milestone {
    /// Global id.
    pub id: u64,
    /// Number within its home.
    pub iid: u64,
    /// Project or group.
    pub home: Home,
    /// Title.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// First day.
    pub start_date: Option<NaiveDate>,
    /// Last day.
    pub due_date: Option<NaiveDate>,
    /// Whether it is over.
    pub closed: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What to make of a new milestone.
#[derive(Clone, Debug, Default)]
pub struct MilestoneSpec {
    /// Title.
    pub title: String,
    /// What it is about.
    pub description: Option<String>,
    /// First day.
    pub start_date: Option<NaiveDate>,
    /// Last day.
    pub due_date: Option<NaiveDate>,
}

/// A time box of a group (Premium).
#[derive(Clone, Debug)]
pub struct Iteration {
    /// Global id.
    pub id: u64,
    /// Number within the group.
    pub iid: u64,
    /// The group's path.
    pub group: String,
    /// Title; most iterations have none.
    pub title: Option<String>,
    /// First day.
    pub start_date: NaiveDate,
    /// Last day.
    pub due_date: NaiveDate,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// An epic of a group (Premium).
#[derive(Clone, Debug)]
pub struct Epic {
    /// Global id.
    pub id: u64,
    /// Number within the group.
    pub iid: u64,
    /// The group's path.
    pub group: String,
    /// Title.
    pub title: String,
}

/// The bytes of a file, real or computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Held in memory.
    Stored(Bytes),
    /// Made when asked for, so that a file of any size costs nothing (see [`crate::pattern`]).
    Generated {
        /// Which content.
        seed: u64,
        /// Length in bytes.
        size: u64,
    },
}

impl Content {
    /// Length in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match self {
            Self::Stored(bytes) => bytes.len() as u64,
            Self::Generated { size, .. } => *size,
        }
    }

    /// The bytes, in pieces.
    pub fn pieces(&self) -> Box<dyn Iterator<Item = Bytes> + Send> {
        match self {
            Self::Stored(bytes) => Box::new(std::iter::once(bytes.clone())),
            Self::Generated { seed, size } => Box::new(crate::pattern::blocks(*seed, *size)),
        }
    }

    /// SHA-256 of the bytes, hexadecimal: the same for the same bytes, however they are held.
    #[must_use]
    pub fn sha256(&self) -> String {
        let mut digest = Sha256::new();
        for piece in self.pieces() {
            digest.update(&piece);
        }
        hex::encode(digest.finalize())
    }
}

/// A file uploaded into a project.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Global id.
    pub id: u64,
    /// The 32 hexadecimal digits of its address.
    pub secret: String,
    /// Name in its address.
    pub filename: String,
    /// Who put it there.
    pub author: UserId,
    /// The bytes.
    pub content: Content,
    /// When it was put there.
    pub created_at: DateTime<Utc>,
}

impl Upload {
    /// `/uploads/<secret>/<filename>`, as GitLab's `url` field shows it.
    #[must_use]
    pub fn path(&self) -> String {
        format!("/uploads/{}/{}", self.secret, self.filename)
    }
}
