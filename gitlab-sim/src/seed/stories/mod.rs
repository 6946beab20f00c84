//! The issues of the demo's shop.

mod alarms;
mod bugs;
mod features;
mod talk;
mod wishes;
mod work;

use super::script::Story;

/// All of them.
pub(super) fn all() -> Vec<&'static Story> {
    [
        bugs::STORIES,
        alarms::STORIES,
        features::STORIES,
        wishes::STORIES,
        work::STORIES,
        talk::STORIES,
    ]
    .into_iter()
    .flatten()
    .collect()
}
