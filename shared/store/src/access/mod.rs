//! Who may do what with the service: people and tokens, their sessions, and how the first
//! administrator comes in.

mod handle;
mod login;
mod role;
mod sessions;
mod setup;
mod tokens;
mod users;

pub use handle::{Handle, HandleError};
pub use login::LoginGate;
pub use role::{Role, RoleError};
pub use sessions::Session;
#[cfg(test)]
pub(crate) use tokens::BY_DIGEST;
pub use tokens::{ApiToken, NewToken};
pub use users::{NewUser, User, UserChange};
