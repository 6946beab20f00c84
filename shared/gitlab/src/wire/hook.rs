//! Hooks of a project, as GitLab lists them.

use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct WireHook {
    pub(crate) id: i64,
    pub(crate) url: String,
    /// Before 19.1 there is no such thing.
    #[serde(default)]
    pub(crate) signing_token_present: bool,
}
