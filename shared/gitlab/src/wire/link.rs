//! Links between issues, as GitLab lists them.

use mirror_core::{
    ids::{Iid, LinkId, ProjectId},
    issue_links::{IssueLink, LinkKind},
};
use serde::Deserialize;

/// A row of `GET …/links`: the other issue, with what it is to the asked one.
#[derive(Deserialize, Debug)]
pub(crate) struct WireIssueLink {
    issue_link_id: LinkId,
    project_id: ProjectId,
    iid: Iid,
    #[serde(default)]
    link_type: String,
}

impl From<WireIssueLink> for IssueLink {
    fn from(wire: WireIssueLink) -> Self {
        Self {
            id: wire.issue_link_id,
            project: wire.project_id,
            iid: wire.iid,
            kind: LinkKind::named(&wire.link_type),
        }
    }
}
