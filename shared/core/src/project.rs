//! What a project and an instance tell of themselves, and of the token that asks.

use crate::ids::{ProjectId, UserId};
use chrono::NaiveDate;

/// A project as the token sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Project {
    /// Never changes, unlike the path.
    pub id: ProjectId,
    /// `group/sub/project`.
    pub path: String,
    /// Its page, on the host by which the instance names itself.
    pub web_url: String,
    /// Who may see the project.
    pub visibility: Visibility,
    /// Read-only: every write is refused.
    pub archived: bool,
    /// Whether the issues feature is on, and for this token's user too. A list of issues is
    /// `200 []` where it is not, so this is asked before an empty list is believed.
    pub issues_readable: bool,
    /// The issues feature is switched off for everybody.
    pub issues_disabled: bool,
    /// The token's role, the higher of project's and group's; `None` for a non-member.
    pub role: Option<Role>,
}

/// Who may see a project.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visibility {
    /// Its members.
    Private,
    /// Everybody with an account.
    Internal,
    /// Everybody.
    Public,
}

/// A role, by GitLab's numbers, so that roles compare.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Role(pub u8);

impl Role {
    /// May create issues and comments.
    pub const GUEST: Self = Self(10);
    /// May edit issues, label, weigh, log time, see confidential ones.
    pub const PLANNER: Self = Self(15);
    /// As Planner, here.
    pub const REPORTER: Self = Self(20);
    /// As Reporter, here.
    pub const DEVELOPER: Self = Self(30);
    /// May edit others' comments.
    pub const MAINTAINER: Self = Self(40);
    /// May set `iid`, `created_at`, `updated_at`, and delete issues.
    pub const OWNER: Self = Self(50);

    /// GitLab's word for it.
    pub fn name(self) -> &'static str {
        match self.0 {
            50.. => "Owner",
            40..=49 => "Maintainer",
            30..=39 => "Developer",
            20..=29 => "Reporter",
            15..=19 => "Planner",
            10..=14 => "Guest",
            _ => "Minimal Access",
        }
    }
}

/// What runs at the other end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// As the instance writes it, `18.4.0-ee`.
    pub version: String,
    /// Major and minor, where they could be read.
    pub major_minor: Option<(u32, u32)>,
    /// The Enterprise code base; says nothing of a licence.
    pub enterprise: bool,
}

/// The user a token acts as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenUser {
    /// The user's id.
    pub id: UserId,
    /// The user's name in mentions.
    pub username: String,
    /// Administrator of the instance.
    pub admin: bool,
    /// The user's page: tells the address by which the instance names itself.
    pub web_url: Option<String>,
}

/// What a token may do, and until when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenFacts {
    /// `api` writes, `read_api` reads.
    pub scopes: Vec<String>,
    /// Not revoked, not expired.
    pub active: bool,
    /// The last day it works.
    pub expires_at: Option<NaiveDate>,
}
