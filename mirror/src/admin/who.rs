//! In whose name the command line changes things.

use mirror_core::ids::MirrorId;
use mirror_runtime::Environment;
use mirror_store::{AuditEntry, Store};
use serde_json::Value;

/// A change made on the command line.
pub(super) struct Change<'a> {
    /// What was done: `token.create`.
    pub(super) what: &'a str,
    /// To what: `token/3`.
    pub(super) object: &'a str,
    /// How it was.
    pub(super) before: Option<Value>,
    /// How it is now.
    pub(super) after: Option<Value>,
}

/// Who calls: `cli:anna`, by the system's account.
pub(super) fn caller(environment: &Environment) -> anyhow::Result<String> {
    let user = match environment.text("SUDO_USER")? {
        Some(user) => Some(user),
        None => environment.text("USER")?,
    };
    Ok(format!("cli:{}", user.as_deref().unwrap_or("unknown")))
}

/// Puts the change on record.
pub(super) async fn audit(
    store: &Store,
    environment: &Environment,
    change: Change<'_>,
) -> anyhow::Result<()> {
    let who = caller(environment)?;
    let entry = AuditEntry {
        who: &who,
        what: change.what,
        object: change.object,
        before: change.before,
        after: change.after,
        request_id: None,
        address: None,
    };
    Ok(store.audit(&entry).await?)
}

/// Puts on record what was done to a mirror.
pub(super) async fn did(
    store: &Store,
    environment: &Environment,
    what: &str,
    mirror: MirrorId,
    after: Option<Value>,
) -> anyhow::Result<()> {
    let change = Change {
        what,
        object: &format!("mirror/{mirror}"),
        before: None,
        after,
    };
    audit(store, environment, change).await
}
