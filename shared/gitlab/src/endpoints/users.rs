//! Users, and the members of a project.

use crate::{
    Client, Error, ErrorKind, Stamped,
    wire::{WireMember, WireUser},
};
use http::Method;
use mirror_core::{
    ids::{ProjectId, UserId},
    issue::User,
    project::Role,
};

impl Client {
    /// The user of that name; capital letters make no other name. `None`: there is none.
    pub async fn user_named(&self, username: &str) -> Result<Option<User>, Error> {
        let call = self
            .api(Method::GET, "/users")
            .query(vec![("username", username.to_owned())]);
        let found: Stamped<Vec<WireUser>> = self.get(call).await?;
        let mut users = found.value.into_iter().map(User::from);
        Ok(users.find(|user| user.username.eq_ignore_ascii_case(username)))
    }

    /// What somebody may do in a project, through its groups, too; `None` for a non-member.
    pub async fn member_role(
        &self,
        project: ProjectId,
        user: UserId,
    ) -> Result<Option<Role>, Error> {
        let call = self.in_project(Method::GET, project, &format!("/members/all/{user}"));
        match self.get::<WireMember>(call).await {
            Ok(found) => Ok(found.value.role()),
            Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
