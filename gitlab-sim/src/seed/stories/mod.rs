//! The issues of the demo's shop.

mod bugs;
mod features;
mod talk;
mod work;

use super::script::Story;

/// All of them.
pub(super) fn all() -> Vec<&'static Story> {
    [
        bugs::STORIES,
        features::STORIES,
        work::STORIES,
        talk::STORIES,
    ]
    .into_iter()
    .flatten()
    .collect()
}
