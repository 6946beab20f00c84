//! The dialect in which texts are read here: CommonMark with what GitLab adds, as far as the
//! parser knows it.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser};

/// Each event with its place in the text.
pub(super) fn events(text: &str) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    Parser::new_ext(text, options()).into_offset_iter()
}

/// The link reference definitions that count: their places and targets.
pub(super) fn definitions(text: &str) -> Vec<(Range<usize>, String)> {
    let parser = Parser::new_ext(text, options());
    let definitions = parser.reference_definitions().iter();
    let mut found: Vec<_> = definitions
        .map(|(_, definition)| (definition.span.clone(), definition.dest.to_string()))
        .collect();
    found.sort_by_key(|(span, _)| span.start);
    found
}

fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM
        | Options::ENABLE_DEFINITION_LIST
}
