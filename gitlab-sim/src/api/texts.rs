//! What GitLab does to a title, description or comment before it stores it.

use std::sync::LazyLock;

use regex::Regex;

use super::answer::ApiError;
use crate::model::World;
use crate::text::quick_actions::{Extraction, extract};

/// Longest title, in characters (facts section 1).
pub(crate) const MAX_TITLE: usize = 255;
/// Longest description, in bytes.
pub(crate) const MAX_DESCRIPTION: usize = 1024 * 1024;
/// Longest comment, in characters (facts section 2).
pub(crate) const MAX_NOTE: usize = 1_000_000;

/// Commands that only a licensed code base knows: elsewhere they are text (facts section 3).
static LICENSED_COMMAND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?mi)^/(?:weight|clear_weight|epic|remove_epic|iteration|remove_iteration|health_status|",
        r"clear_health_status|blocks|blocked_by|unlink|child_epic|remove_child_epic|parent_epic|",
        r"remove_parent_epic|promote|publish|page|checkin_reminder)\b"
    ))
    .ok()
});

/// Stands before a slash that is no command here; a private-use character that no text has.
const GUARD: &str = "\u{F8F0}";

/// Splits a text into what is stored and what is executed.
pub(crate) fn interpret(world: &World, text: &str) -> Extraction {
    let generation = world.settings.quick_actions;
    match LICENSED_COMMAND
        .as_ref()
        .filter(|_| !world.settings.premium())
    {
        None => extract(text, generation),
        Some(pattern) => {
            let guarded = pattern.replace_all(text, format!("{GUARD}$0"));
            let mut extraction = extract(&guarded, generation);
            extraction.rest = extraction.rest.replace(GUARD, "");
            extraction
        }
    }
}

/// A title as stored, or why it is not valid.
pub(crate) fn title(text: &str) -> Result<String, ApiError> {
    let stripped = text.trim();
    if stripped.is_empty() {
        return Err(ApiError::field("title", "can't be blank"));
    }
    if stripped.chars().count() > MAX_TITLE {
        return Err(ApiError::field(
            "title",
            "is too long (maximum is 255 characters)",
        ));
    }
    Ok(stripped.to_owned())
}

/// Whether a description fits.
pub(crate) fn check_description(text: &str) -> Result<(), ApiError> {
    if text.len() > MAX_DESCRIPTION {
        return Err(ApiError::field(
            "description",
            "is too long. The maximum size is 1 MiB.",
        ));
    }
    Ok(())
}

/// Whether a comment fits.
pub(crate) fn check_note(text: &str) -> Result<(), ApiError> {
    if text.trim().is_empty() {
        return Err(ApiError::note("note", "can't be blank"));
    }
    if text.chars().count() > MAX_NOTE {
        return Err(ApiError::note(
            "note",
            "is too long (maximum is 1000000 characters)",
        ));
    }
    Ok(())
}
