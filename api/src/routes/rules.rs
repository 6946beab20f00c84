//! A mirror's rules, read, changed in part and kept; labels, milestones and people are parts of them.

use crate::{
    ApiState,
    auth::Trail,
    etag::changed,
    problem::{FieldError, Kind, Problem},
};
use mirror_core::{
    ids::MirrorId,
    rules::{Document, Rules},
};
use mirror_store::{Changed, Settings};
use serde_json::Value;

/// A mirror's rules and the settings that they are part of.
pub(super) async fn read(
    state: &ApiState,
    mirror: MirrorId,
) -> Result<(Settings, Document), Problem> {
    let settings = state.store.settings(mirror).await?;
    let document = Document::read(&settings.rules.text).map_err(|error| {
        let detail = format!("the mirror's rules are of another version: {error}");
        Problem::new(Kind::Conflict, detail)
    })?;
    Ok((settings, document))
}

/// Keeps changed rules, if they hold together; the revision they stand at then.
pub(super) async fn keep(
    state: &ApiState,
    trail: &Trail,
    (who, what): (&str, &str),
    mirror: MirrorId,
    (mut settings, document): (Settings, Document),
    expected: Option<i64>,
) -> Result<i64, Problem> {
    let before = serde_json::from_str::<Value>(&settings.rules.text).ok();
    let rules = Rules::new(&document)
        .map_err(|error| Problem::invalid(vec![FieldError::at("", error.to_string())]))?;
    rules.text().clone_into(&mut settings.rules.text);
    let after = serde_json::from_str::<Value>(&settings.rules.text).ok();
    let expected = expected.unwrap_or(settings.revision);
    let done = state
        .store
        .change_settings(mirror, Some(expected), &settings);
    let Changed::To(revision) = done.await? else {
        return Err(changed());
    };
    let object = format!("mirror/{mirror}");
    trail
        .record(&state.store, (who, what, &object), (before, after))
        .await?;
    Ok(revision)
}
