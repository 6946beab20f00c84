//! Hooks of a project (facts section 10): addresses that are told of what happens there. They are a
//! Maintainer's, to read and to write.

use super::fields::Fields;
use crate::{Client, Error, Stamped, wire::WireHook};
use http::Method;
use mirror_core::ids::ProjectId;
use serde_json::Value;

/// A hook as GitLab lists it: its secrets are never shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hook {
    /// Its id.
    pub id: i64,
    /// Where it tells.
    pub url: String,
    /// It signs what it sends (GitLab 19.1 and later).
    pub signs: bool,
}

/// What a hook is to be: it tells of issues and comments, hidden ones included, and nothing else.
#[derive(Clone, Copy)]
pub struct HookSpec<'a> {
    /// Where it tells.
    pub url: &'a str,
    /// Every request carries it.
    pub token: &'a str,
    /// Requests are signed under it, where the version can: `whsec_` and 32 bytes in base64.
    pub signing_token: &'a str,
}

impl Client {
    /// All hooks of the project. One request a hundred.
    pub async fn hooks(&self, project: ProjectId) -> Result<Vec<Hook>, Error> {
        let call = || self.in_project(Method::GET, project, "/hooks");
        let rows: Vec<WireHook> = self.all_pages(call).await?;
        Ok(rows.into_iter().map(Hook::from).collect())
    }

    /// Creates a hook. Never sent twice by itself: GitLab would take both.
    pub async fn create_hook(
        &self,
        project: ProjectId,
        hook: &HookSpec<'_>,
    ) -> Result<Hook, Error> {
        let call = self
            .in_project(Method::POST, project, "/hooks")
            .json(&hook.to_json());
        let made: Stamped<WireHook> = self.get(call).await?;
        Ok(made.value.into())
    }

    /// Sets all of a hook anew.
    pub async fn set_hook(
        &self,
        project: ProjectId,
        id: i64,
        hook: &HookSpec<'_>,
    ) -> Result<Hook, Error> {
        let call = self
            .in_project(Method::PUT, project, &format!("/hooks/{id}"))
            .json(&hook.to_json());
        let set: Stamped<WireHook> = self.get(call).await?;
        Ok(set.value.into())
    }

    /// Deletes a hook. One that is gone already is [`crate::ErrorKind::NotFound`].
    pub async fn delete_hook(&self, project: ProjectId, id: i64) -> Result<(), Error> {
        let mut call = self.in_project(Method::DELETE, project, &format!("/hooks/{id}"));
        self.exchange(&mut call).await.map(drop)
    }
}

impl HookSpec<'_> {
    fn to_json(self) -> Value {
        Fields::default()
            .with("url", Some(self.url))
            .with("token", Some(self.token))
            .with("signing_token", Some(self.signing_token))
            .with("issues_events", Some(true))
            .with("confidential_issues_events", Some(true))
            .with("note_events", Some(true))
            .with("confidential_note_events", Some(true))
            // What is told by default.
            .with("push_events", Some(false))
            .with("enable_ssl_verification", Some(true))
            .into_json()
    }
}

impl From<WireHook> for Hook {
    fn from(wire: WireHook) -> Self {
        Self {
            id: wire.id,
            url: wire.url,
            signs: wire.signing_token_present,
        }
    }
}
