//! The dialect in which texts are read here: CommonMark with what GitLab adds, as far as the
//! parser knows it.

use std::borrow::Cow;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser};

/// Each event with its place in the text.
pub(super) fn events(text: &str) -> impl Iterator<Item = (Event<'_>, Range<usize>)> {
    Parser::new_ext(text, options()).into_offset_iter()
}

/// The text for the parser, place for place the same: vertical tab and form feed make no line
/// blank to GitLab's engine, so they must be no white space here.
pub(super) fn readable(text: &str) -> Cow<'_, str> {
    if text.contains(['\x0B', '\x0C']) {
        Cow::Owned(text.replace(['\x0B', '\x0C'], "\u{1}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The link reference definitions that count: their places and targets.
pub(super) fn definitions(text: &str) -> Vec<(Range<usize>, String)> {
    let text = readable(text);
    let parser = Parser::new_ext(&text, options());
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
}
