//! The two ends of a mirror, connected.

use crate::lease::STALE;
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    gone::{Breaker, OnDelete},
    ids::{Iid, InstanceId, InstanceName, IssueId, MirrorId},
    mapping::Intent,
    markdown::uploads::SourceProject,
    merge::{EditPolicy, Ways},
    preserve::Preserve,
    project::{Metadata, Project, Role, TokenUser},
    provenance::{Hop, Key},
    render::Frame,
    rules::Rules,
};
use mirror_gitlab::Client;
use std::sync::Arc;

/// One end: a project, and the client that reaches it.
#[derive(Clone)]
pub struct End {
    /// Its instance, in our database.
    pub instance: InstanceId,
    /// Its instance, as markers name it.
    pub name: InstanceName,
    /// Other names that markers of this instance may carry.
    pub also_known_as: Vec<InstanceName>,
    /// Reaches it.
    pub client: Client,
    /// The project, as last read.
    pub project: Project,
    /// What runs there.
    pub metadata: Metadata,
    /// Whom the token acts as.
    pub user: TokenUser,
}

impl End {
    /// Whether a name in a marker means this instance.
    pub fn is_named(&self, name: &InstanceName) -> bool {
        self.name == *name || self.also_known_as.contains(name)
    }

    /// The instance's web address as GitLab itself writes it, which is what it compares addresses
    /// with; the client may know it by another.
    fn address(&self) -> &str {
        let url = self.project.web_url.trim_end_matches('/');
        let instance = url.strip_suffix(self.project.path.as_str());
        instance.unwrap_or(url).trim_end_matches('/')
    }

    /// Whether the token may do there what only an Owner may.
    pub(crate) fn is_owners(&self) -> bool {
        self.user.admin || self.project.role >= Some(Role::OWNER)
    }

    /// Digest-like text of what decides which fields are taken: once it changes, a dropped field is
    /// worth another try.
    pub fn capabilities(&self) -> String {
        let role = self.project.role.map_or(0, |role| role.0);
        let Metadata {
            version,
            enterprise,
            ..
        } = &self.metadata;
        format!("{version}/{enterprise}/{role}/{}", self.user.id)
    }
}

/// A mirror with both ends connected.
#[derive(Clone)]
pub struct Link {
    /// The mirror.
    pub mirror: MirrorId,
    /// Where issues come from. Nothing is ever written there.
    pub source: End,
    /// Where their copies live.
    pub target: End,
    /// How to go about it.
    pub settings: Settings,
}

/// How a mirror is to go about it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Mirror issues too that were closed before they were first seen.
    pub include_closed: bool,
    /// This issue only.
    pub only: Option<Iid>,
    /// Compare everything, field by field, whatever the run asked for.
    pub full: bool,
    /// The label that tells people that an issue is a mirror.
    pub mirrored_label: Option<String>,
    /// Files above this many bytes stay links to the source.
    pub max_attachment: u64,
    /// How long after it was sent a create without an answer may still take effect.
    pub late_landing: TimeDelta,
    /// Files announced with more bytes than this are carried by jobs of their own.
    pub large_attachment: u64,
    /// So many comments of an issue are created before others have their turn.
    pub comments_at_once: usize,
    /// Which labels and issues it takes.
    pub rules: Arc<Rules>,
    /// Whether copies keep number and times.
    pub preserve: Preserve,
    /// What becomes of the copy of a deleted issue.
    pub on_delete: OnDelete,
    /// How many may go at once before a person is asked.
    pub breaker: Breaker,
    /// Files that only confidential issues and internal comments mention go into a target that more
    /// people than its members see, too.
    pub exposes_files: bool,
    /// Links between issues are carried, which costs a read of each issue that is looked at.
    pub issue_links: bool,
    /// What becomes of edits on the target.
    pub on_edit: EditPolicy,
    /// The mirror in the opposite direction that it is a pair with.
    pub pair: Option<MirrorId>,
    /// There is, or was, a mirror in the opposite direction: the record may know of what came back.
    pub came_back: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            include_closed: false,
            only: None,
            full: false,
            mirrored_label: Some("MIRRORED".to_owned()),
            max_attachment: 100 * 1024 * 1024,
            // GitLab ends a request after 60 s.
            late_landing: TimeDelta::seconds(60),
            large_attachment: 8 * 1024 * 1024,
            comments_at_once: 100,
            rules: Rules::none().clone(),
            // Nothing is asked for that was not asked for.
            preserve: Preserve::Never,
            on_delete: OnDelete::default(),
            breaker: Breaker::default(),
            exposes_files: false,
            issue_links: false,
            on_edit: EditPolicy::default(),
            pair: None,
            // Looked for unless it is known that there is nothing.
            came_back: true,
        }
    }
}

impl Settings {
    /// How what was changed on both sides is merged.
    pub(crate) fn ways(&self) -> Ways {
        Ways {
            on_edit: self.on_edit,
            flows_back: self.pair.is_some(),
        }
    }

    /// When a create that was sent can take effect no more.
    pub(crate) fn lands_by(&self, intent: &Intent) -> DateTime<Utc> {
        intent.sent_at + STALE + self.late_landing
    }
}

impl Link {
    /// The same, for what a person asked for: it may use the share of the limits that is kept for
    /// that.
    pub(crate) fn by_hand(mut self) -> Self {
        self.source.client = self.source.client.by_hand();
        self.target.client = self.target.client.by_hand();
        self
    }

    /// An issue of the source, as markers name it.
    pub(crate) fn original(&self, issue: IssueId, iid: Iid) -> Hop {
        Hop {
            instance: self.source.name.clone(),
            project: self.source.project.id,
            issue,
            iid,
            note: None,
        }
    }

    /// What rendering needs to know of the ends.
    pub fn frame<'a>(&'a self, key: &'a Key) -> Frame<'a> {
        Frame {
            source_instance: &self.source.name,
            source: SourceProject {
                id: self.source.project.id,
                path: &self.source.project.path,
                web_url: &self.source.project.web_url,
            },
            target_instance: &self.target.name,
            target_project: self.target.project.id,
            target_address: self.target.address(),
            same_instance: self.source.instance == self.target.instance,
            key,
            mirrored_label: self.settings.mirrored_label.as_deref(),
            rules: &self.settings.rules,
            // CE has no such column.
            weightless: !self.target.metadata.enterprise,
            ways: self.settings.ways(),
        }
    }

    /// Whether two names in markers mean one instance of this mirror.
    pub fn same_name(&self, a: &InstanceName, b: &InstanceName) -> bool {
        a == b
            || [&self.source, &self.target]
                .iter()
                .any(|end| end.is_named(a) && end.is_named(b))
    }
}
