//! A mirror's rules, read, changed in part and kept; labels, milestones and people are parts of them.

use crate::{
    ApiState,
    auth::Trail,
    etag::{IfMatch, changed},
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

/// Changes a mirror's rules, if they hold together then: as they stand at the revision that the caller
/// knows, where they had to name one. The revision that they stand at now, and the rules.
pub(super) async fn change(
    state: &ApiState,
    trail: &Trail,
    what: &str,
    mirror: MirrorId,
    if_match: Option<IfMatch>,
    edit: impl FnOnce(&mut Document) -> Result<(), Problem>,
) -> Result<(i64, Document), Problem> {
    let (mut settings, mut document) = read(state, mirror).await?;
    edit(&mut document)?;
    let expected = if_match.map(IfMatch::expected).transpose()?.flatten();
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
        .record(&state.store, what, &object, (before, after))
        .await?;
    Ok((revision, document))
}
