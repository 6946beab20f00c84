//! Users, their tokens and what a role allows.

use chrono::{DateTime, NaiveDate, Utc};

/// Global id of a user.
pub type UserId = u64;

/// Somebody with an account.
#[derive(Clone, Debug)]
pub struct User {
    /// Global id.
    pub id: UserId,
    /// Name after the `@`.
    pub username: String,
    /// Name that people read.
    pub name: String,
    /// Whether this user administers the instance, and so may everything.
    pub admin: bool,
    /// Whether this is the user behind a project or group access token.
    pub bot: bool,
    /// Whether issues of this author are hidden from everybody but administrators.
    pub banned: bool,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// What to make of a new user.
#[derive(Clone, Debug, Default)]
pub struct UserSpec {
    /// Name after the `@`.
    pub username: String,
    /// Name that people read; empty takes the username.
    pub name: String,
    /// Whether this user administers the instance.
    pub admin: bool,
    /// Whether this is an access token's bot.
    pub bot: bool,
}

impl UserSpec {
    /// An ordinary user.
    #[must_use]
    pub fn new(username: &str, name: &str) -> Self {
        Self {
            username: username.to_owned(),
            name: name.to_owned(),
            ..Self::default()
        }
    }
}

/// An access token as GitLab keeps it.
#[derive(Clone, Debug)]
pub struct Token {
    /// Global id.
    pub id: u64,
    /// The secret text.
    pub secret: String,
    /// Whose requests it makes.
    pub user: UserId,
    /// Such as `api` or `read_api`.
    pub scopes: Vec<String>,
    /// First day on which it no longer works.
    pub expires_at: Option<NaiveDate>,
    /// Whether somebody took it back.
    pub revoked: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What to make of a new token.
#[derive(Clone, Debug, Default)]
pub struct TokenSpec {
    /// The secret text; empty has one made.
    pub token: String,
    /// Such as `api`; empty means `api`.
    pub scopes: Vec<String>,
    /// First day on which it no longer works.
    pub expires_at: Option<NaiveDate>,
    /// Whether it is already taken back.
    pub revoked: bool,
}

impl TokenSpec {
    /// A token of the full `api` scope that does not expire.
    #[must_use]
    pub fn api(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            scopes: vec!["api".to_owned()],
            ..Self::default()
        }
    }

    /// A token that may only read.
    #[must_use]
    pub fn read_api(token: &str) -> Self {
        Self {
            token: token.to_owned(),
            scopes: vec!["read_api".to_owned()],
            ..Self::default()
        }
    }
}

/// A member's role in a project (facts section 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    /// Creates issues and comments.
    Guest,
    /// Edits issues, labels, weight, time; reads confidential ones.
    Planner,
    /// As planner here.
    Reporter,
    /// As reporter here.
    Developer,
    /// Also administers other people's comments and lists uploads.
    Maintainer,
    /// Also sets `iid`, `created_at`, `updated_at`, and deletes issues.
    Owner,
}

impl AccessLevel {
    /// The number that the API shows.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Guest => 10,
            Self::Planner => 15,
            Self::Reporter => 20,
            Self::Developer => 30,
            Self::Maintainer => 40,
            Self::Owner => 50,
        }
    }
}
