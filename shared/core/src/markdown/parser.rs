//! The dialect in which texts are read here: CommonMark with what GitLab adds, as far as the
//! parser knows it.

use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser};

/// Each event with its place in the text.
pub(super) fn events(text: &str) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    Parser::new_ext(text, options(text)).into_offset_iter()
}

/// The link reference definitions that count: their places and targets.
pub(super) fn definitions(text: &str) -> Vec<(Range<usize>, String)> {
    let parser = Parser::new_ext(text, options(text));
    let definitions = parser.reference_definitions().iter();
    let mut found: Vec<_> = definitions
        .map(|(_, definition)| (definition.span.clone(), definition.dest.to_string()))
        .collect();
    found.sort_by_key(|(span, _)| span.start);
    found
}

/// The parser takes any line that begins with a colon for a term's explanation, where GitLab's
/// engine wants a space behind it: without one such line none is looked for.
fn options(text: &str) -> Options {
    let explains = |line: &str| {
        let line = line.trim_start_matches([' ', '>']);
        line.starts_with(": ") || line.starts_with(":\t")
    };
    let explanations = text.lines().any(explains);
    let common = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_GFM;
    if explanations {
        common | Options::ENABLE_DEFINITION_LIST
    } else {
        common
    }
}
