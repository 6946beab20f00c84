//! The instance, the token, the project.

use crate::{
    Client, Error, ErrorKind, Stamped,
    wire::{WireMetadata, WireProject, WireToken, WireTokenUser},
};
use http::Method;
use mirror_core::{
    ids::ProjectId,
    project::{Metadata, Project, TokenFacts, TokenUser},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in one segment of a path.
pub(crate) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

impl Client {
    /// What runs there: `GET /metadata`, and where that is unknown (before 15.2) `GET /version`.
    pub async fn metadata(&self) -> Result<Metadata, Error> {
        let found = self
            .get::<WireMetadata>(self.api(Method::GET, "/metadata"))
            .await;
        let found = match found {
            Err(error) if *error.kind() == ErrorKind::NotFound => {
                self.get(self.api(Method::GET, "/version")).await
            }
            found => found,
        };
        Ok(found?.value.into())
    }

    /// Whom the token acts as.
    pub async fn token_user(&self) -> Result<TokenUser, Error> {
        let user: Stamped<WireTokenUser> = self.get(self.api(Method::GET, "/user")).await?;
        Ok(user.value.into())
    }

    /// Scopes and last day of the token. Versions before 15.5, and tokens of other kinds, answer
    /// [`ErrorKind::NotFound`] or [`ErrorKind::Unauthorized`].
    pub async fn token_facts(&self) -> Result<TokenFacts, Error> {
        let call = self.api(Method::GET, "/personal_access_tokens/self");
        let token: Stamped<WireToken> = self.get(call).await?;
        Ok(token.value.into())
    }

    /// The project at `group/sub/project`. One that was renamed is found under its number with a
    /// second request (facts section 1, "Errors"): then [`Project::path`] is not the one asked for.
    pub async fn project_by_path(&self, path: &str) -> Result<Project, Error> {
        let path = path.trim_matches('/');
        let encoded = utf8_percent_encode(path, SEGMENT);
        let call = self.api(Method::GET, &format!("/projects/{encoded}"));
        if path
            .split('/')
            .any(|segment| matches!(segment, "" | "." | ".."))
        {
            return Err(Error::unsendable(
                &call.subject,
                "it is not a project's path",
            ));
        }
        let error = match self.get::<WireProject>(call).await {
            Ok(found) => return Ok(found.value.into()),
            Err(error) => error,
        };
        if let ErrorKind::Moved { project } = error.kind() {
            return self.project(*project).await;
        }
        Err(error)
    }

    /// The project of this number; it never redirects.
    pub async fn project(&self, project: ProjectId) -> Result<Project, Error> {
        let call = self.in_project(Method::GET, project, "");
        let found: Stamped<WireProject> = self.get(call).await?;
        Ok(found.value.into())
    }
}
