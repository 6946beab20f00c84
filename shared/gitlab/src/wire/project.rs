//! Projects, instances and tokens (facts sections 1, 8 and 11).

use chrono::NaiveDate;
use mirror_core::{
    ids::{ProjectId, UserId},
    project::{Metadata, Project, Role, TokenFacts, TokenUser, Visibility},
};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct WireProject {
    id: ProjectId,
    path_with_namespace: String,
    web_url: String,
    visibility: Option<String>,
    archived: Option<bool>,
    issues_enabled: Option<bool>,
    issues_access_level: Option<String>,
    permissions: Option<Permissions>,
}

#[derive(Deserialize)]
struct Permissions {
    project_access: Option<Access>,
    group_access: Option<Access>,
}

#[derive(Deserialize)]
struct Access {
    access_level: Option<u8>,
}

/// A member of a project.
#[derive(Deserialize)]
pub(crate) struct WireMember {
    access_level: Option<u8>,
}

impl WireMember {
    pub(crate) fn role(self) -> Option<Role> {
        self.access_level.map(Role)
    }
}

#[derive(Deserialize)]
pub(crate) struct WireMetadata {
    version: String,
    enterprise: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct WireTokenUser {
    id: UserId,
    username: String,
    is_admin: Option<bool>,
    web_url: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct WireToken {
    scopes: Option<Vec<String>>,
    active: Option<bool>,
    revoked: Option<bool>,
    expires_at: Option<NaiveDate>,
}

impl From<WireProject> for Project {
    fn from(wire: WireProject) -> Self {
        let role = wire.permissions.and_then(Permissions::highest);
        let level = wire.issues_access_level.as_deref();
        let issues_disabled = level.map_or(wire.issues_enabled == Some(false), |level| {
            level == "disabled"
        });
        // `issues_enabled` is computed for the token's user, but says `true` to an administrator
        // who is no member, too: where only members may, membership is asked for as well, since an
        // empty list believed wrongly costs more than a project refused wrongly.
        let issues_readable = wire.issues_enabled != Some(false)
            && match level {
                Some("disabled") => false,
                Some("private") => role.is_some_and(|role| role >= Role::GUEST),
                Some(_) | None => true,
            };
        Self {
            id: wire.id,
            path: wire.path_with_namespace,
            web_url: wire.web_url,
            visibility: visibility(wire.visibility.as_deref()),
            archived: wire.archived.unwrap_or(false),
            issues_readable,
            issues_disabled,
            role,
        }
    }
}

impl Permissions {
    fn highest(self) -> Option<Role> {
        [self.project_access, self.group_access]
            .into_iter()
            .flatten()
            .filter_map(|access| access.access_level)
            .max()
            .map(Role)
    }
}

/// A project whose visibility is not told is taken for the widest: what is written there is
/// treated as seen by everybody.
fn visibility(name: Option<&str>) -> Visibility {
    match name {
        Some("private") => Visibility::Private,
        Some("internal") => Visibility::Internal,
        Some(_) | None => Visibility::Public,
    }
}

impl From<WireMetadata> for Metadata {
    fn from(wire: WireMetadata) -> Self {
        Self {
            major_minor: major_minor(&wire.version),
            enterprise: wire
                .enterprise
                .unwrap_or_else(|| wire.version.ends_with("-ee")),
            version: wire.version,
        }
    }
}

fn major_minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

impl From<WireTokenUser> for TokenUser {
    fn from(wire: WireTokenUser) -> Self {
        Self {
            id: wire.id,
            username: wire.username,
            admin: wire.is_admin.unwrap_or(false),
            web_url: wire.web_url,
        }
    }
}

impl From<WireToken> for TokenFacts {
    fn from(wire: WireToken) -> Self {
        let revoked = wire.revoked.unwrap_or(false);
        Self {
            scopes: wire.scopes.unwrap_or_default(),
            active: wire.active.unwrap_or(!revoked),
            expires_at: wire.expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(extra: &str) -> Project {
        let json =
            format!(r#"{{"id":1,"path_with_namespace":"a/b","web_url":"https://g/a/b"{extra}}}"#);
        serde_json::from_str::<WireProject>(&json).unwrap().into()
    }

    const GUEST: &str =
        r#","permissions":{"project_access":null,"group_access":{"access_level":10}}"#;

    #[test]
    fn a_list_for_members_only_is_not_readable_by_others() {
        let private = r#","issues_enabled":true,"issues_access_level":"private""#;
        assert!(!project(private).issues_readable);
        assert!(project(&format!("{private}{GUEST}")).issues_readable);
        assert!(
            project(r#","issues_enabled":true,"issues_access_level":"enabled""#).issues_readable
        );
    }

    #[test]
    fn disabled_issues_are_told_by_either_field() {
        assert!(project(r#","issues_access_level":"disabled""#).issues_disabled);
        let old = project(r#","issues_enabled":false"#);
        assert!(old.issues_disabled && !old.issues_readable);
    }

    #[test]
    fn the_higher_role_counts() {
        let both = r#","permissions":{"project_access":{"access_level":20},"group_access":{"access_level":50}}"#;
        assert_eq!(project(both).role, Some(Role::OWNER));
        assert_eq!(project("").role, None);
    }

    #[test]
    fn versions_are_read_with_and_without_an_edition() {
        assert_eq!(major_minor("17.4.2-ee"), Some((17, 4)));
        assert_eq!(major_minor("19.0-pre"), Some((19, 0)));
        assert_eq!(major_minor("pre"), None);
    }
}
