//! Links between issues (facts section 12).

use super::fields::Fields;
use crate::{Client, Error, wire::WireIssueLink};
use http::Method;
use mirror_core::{
    ids::{Iid, LinkId, ProjectId},
    issue_links::{IssueLink, LinkKind},
};

impl Client {
    /// The links of an issue to those that the token's user sees; one request.
    pub async fn issue_links(&self, project: ProjectId, iid: Iid) -> Result<Vec<IssueLink>, Error> {
        let call = self.in_issue(Method::GET, project, iid, "/links");
        let rows: crate::Stamped<Vec<WireIssueLink>> = self.get(call).await?;
        Ok(rows.value.into_iter().map(IssueLink::from).collect())
    }

    /// Links two issues of a project. One that is there already is [`crate::ErrorKind::Conflict`];
    /// a kind that is not licensed [`crate::ErrorKind::Forbidden`].
    pub async fn link_issues(
        &self,
        project: ProjectId,
        iid: Iid,
        other: Iid,
        kind: LinkKind,
    ) -> Result<(), Error> {
        let body = Fields::default()
            .with("target_project_id", Some(project.0.to_string()))
            .with("target_issue_iid", Some(other.0.to_string()))
            .with("link_type", Some(kind.name()))
            .into_json();
        let mut call = self
            .in_issue(Method::POST, project, iid, "/links")
            .json(&body);
        self.exchange(&mut call).await.map(drop)
    }

    /// Removes a link. One that is gone already is [`crate::ErrorKind::NotFound`].
    pub async fn unlink_issues(
        &self,
        project: ProjectId,
        iid: Iid,
        link: LinkId,
    ) -> Result<(), Error> {
        let mut call = self.in_issue(Method::DELETE, project, iid, &format!("/links/{link}"));
        self.exchange(&mut call).await.map(drop)
    }
}
