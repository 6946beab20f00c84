//! Raw HTML cut into pieces the way a browser cuts it, each with its place.

use std::ops::Range;

pub(super) use super::entities::{character_reference, decode, decode_markdown};

/// A piece of HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Text on the page, up to the next markup. Character references are not decoded.
    Text(Range<usize>),
    /// A start or end tag. One that the text leaves unfinished reaches to its end.
    Tag(Tag),
    /// Comments, declarations, processing instructions.
    Hidden(Range<usize>),
    /// The content of `<script>` and `<style>`.
    Raw(Range<usize>),
}

/// A start or end tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) range: Range<usize>,
    /// In lower case.
    pub(super) name: String,
    pub(super) end: bool,
    /// Not cut off by the end of the text.
    pub(super) finished: bool,
    pub(super) attributes: Vec<Attribute>,
}

/// One attribute of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    /// In lower case.
    pub(super) name: String,
    /// Without its quotes.
    pub(super) value: Range<usize>,
    pub(super) quote: Option<char>,
}

/// Elements that have no content.
pub(super) const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// Elements that every release keeps: text before and after them never grows together.
const KEPT: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

/// Whether text before and after a piece stays apart on every page.
pub(super) fn parts(piece: &Piece) -> bool {
    match piece {
        Piece::Tag(tag) => KEPT.contains(&tag.name.as_str()),
        Piece::Text(_) | Piece::Hidden(_) | Piece::Raw(_) => false,
    }
}

/// Elements whose content is text up to their own end tag.
const RAW_TEXT: &[&str] = &[
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
    "script",
    "style",
    "textarea",
    "title",
    "xmp",
];

/// Cuts HTML into pieces that together cover it.
pub(super) fn pieces(html: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < html.len() {
        let piece = markup(html, at).unwrap_or_else(|| Piece::Text(at..next_markup(html, at)));
        at = piece.range().end;
        let raw = match &piece {
            Piece::Tag(tag) if holds_raw_text(tag) => {
                let end = end_of_raw_text(html, at, &tag.name);
                let hidden = matches!(tag.name.as_str(), "script" | "style");
                Some(if hidden {
                    Piece::Raw(at..end)
                } else {
                    Piece::Text(at..end)
                })
            }
            Piece::Tag(_) | Piece::Text(_) | Piece::Hidden(_) | Piece::Raw(_) => None,
        };
        pieces.push(piece);
        if let Some(raw) = raw.filter(|raw| !raw.range().is_empty()) {
            at = raw.range().end;
            pieces.push(raw);
        }
    }
    pieces
}

impl Piece {
    pub(super) fn range(&self) -> Range<usize> {
        match self {
            Self::Text(range) | Self::Hidden(range) | Self::Raw(range) => range.clone(),
            Self::Tag(tag) => tag.range.clone(),
        }
    }
}

pub(super) fn rest(html: &str, at: usize) -> &str {
    html.get(at..).unwrap_or("")
}

fn next_markup(html: &str, at: usize) -> usize {
    let rest = rest(html, at);
    let first = rest.chars().next().map_or(1, char::len_utf8);
    let next = rest.get(first..).and_then(|tail| tail.find('<'));
    next.map_or(html.len(), |next| at + first + next)
}

fn markup(html: &str, at: usize) -> Option<Piece> {
    let inner = rest(html, at).strip_prefix('<')?;
    if let Some(comment) = inner.strip_prefix("!--") {
        let end = end_of_comment(comment).map_or(html.len(), |end| at + "<!--".len() + end);
        return Some(Piece::Hidden(at..end));
    }
    let bracket = || inner.find('>').map_or(html.len(), |end| at + 1 + end + 1);
    let mut letters = inner.chars();
    match letters.next()? {
        '!' | '?' => Some(Piece::Hidden(at..bracket())),
        '/' => match letters.next()? {
            first if first.is_ascii_alphabetic() => Some(Piece::Tag(tag(html, at, at + 2, true))),
            _other => Some(Piece::Hidden(at..bracket())),
        },
        first if first.is_ascii_alphabetic() => Some(Piece::Tag(tag(html, at, at + 1, false))),
        _other => None,
    }
}

/// Whether a comment, declaration or instruction, given from its start, has its end.
pub(super) fn ends_hidden(markup: &str) -> bool {
    match markup.strip_prefix("<!--") {
        Some(comment) => end_of_comment(comment).is_some(),
        None => markup.ends_with('>'),
    }
}

/// Whether all that follows a tag is text, up to its own end tag.
pub(super) fn holds_raw_text(tag: &Tag) -> bool {
    !tag.end && RAW_TEXT.contains(&tag.name.as_str())
}

fn end_of_comment(comment: &str) -> Option<usize> {
    let at_once = [">", "->"].into_iter().find(|end| comment.starts_with(end));
    let later = || {
        let ends = ["-->", "--!>"].into_iter();
        ends.filter_map(|end| comment.find(end).map(|at| at + end.len()))
            .min()
    };
    at_once.map(str::len).or_else(later)
}

fn end_of_raw_text(html: &str, at: usize, name: &str) -> usize {
    let tail = rest(html, at).to_ascii_lowercase();
    tail.find(&format!("</{name}"))
        .map_or(html.len(), |end| at + end)
}

fn tag(html: &str, start: usize, name_start: usize, end: bool) -> Tag {
    let mut at = until(html, name_start, |c| {
        c.is_ascii_whitespace() || matches!(c, '/' | '>')
    });
    let name = html.get(name_start..at).unwrap_or("").to_ascii_lowercase();
    let mut attributes = Vec::new();
    let mut finished = false;
    loop {
        at = until(html, at, |c| !c.is_ascii_whitespace() && c != '/');
        match rest(html, at).chars().next() {
            None => break,
            Some('>') => {
                at += 1;
                finished = true;
                break;
            }
            Some(first) => {
                let (attribute, after) = attribute(html, at, first.len_utf8());
                attributes.push(attribute);
                at = after;
            }
        }
    }
    Tag {
        range: start..at,
        name,
        end,
        finished,
        attributes,
    }
}

/// A leading `=` belongs to the name, hence the first character is taken unseen.
fn attribute(html: &str, at: usize, first: usize) -> (Attribute, usize) {
    let name_end = until(html, at + first, |c| {
        c.is_ascii_whitespace() || matches!(c, '/' | '>' | '=')
    });
    let name = html.get(at..name_end).unwrap_or("").to_ascii_lowercase();
    let equals = until(html, name_end, |c| !c.is_ascii_whitespace());
    if !rest(html, equals).starts_with('=') {
        return (
            Attribute {
                name,
                value: name_end..name_end,
                quote: None,
            },
            name_end,
        );
    }
    let value = until(html, equals + 1, |c| !c.is_ascii_whitespace());
    let quote = rest(html, value)
        .chars()
        .next()
        .filter(|c| matches!(c, '"' | '\''));
    match quote {
        Some(quote) => {
            let end = until(html, value + 1, |c| c == quote);
            let after = (end + 1).min(html.len());
            (
                Attribute {
                    name,
                    value: value + 1..end,
                    quote: Some(quote),
                },
                after,
            )
        }
        None => {
            let end = until(html, value, |c| c.is_ascii_whitespace() || c == '>');
            (
                Attribute {
                    name,
                    value: value..end,
                    quote: None,
                },
                end,
            )
        }
    }
}

fn until(html: &str, at: usize, stop: impl Fn(char) -> bool) -> usize {
    rest(html, at)
        .find(stop)
        .map_or(html.len(), |found| at + found)
}

#[cfg(test)]
mod tests {
    use super::{Piece, decode, pieces};

    fn shown(html: &str) -> Vec<String> {
        pieces(html)
            .into_iter()
            .map(|piece| {
                let text = &html[piece.range()];
                match piece {
                    Piece::Text(_) => format!("T {text}"),
                    Piece::Tag(tag) => {
                        let values = tag
                            .attributes
                            .iter()
                            .map(|a| format!(" {}={}", a.name, &html[a.value.clone()]));
                        format!(
                            "<{}{}>{}",
                            if tag.end { "/" } else { "" },
                            tag.name,
                            values.collect::<String>()
                        )
                    }
                    Piece::Hidden(_) => format!("H {text}"),
                    Piece::Raw(_) => format!("R {text}"),
                }
            })
            .collect()
    }

    #[test]
    fn html_is_cut_as_a_browser_cuts_it() {
        let cases: Vec<(&str, Vec<&str>)> = vec![
            ("a<B c='d>' e=f g>h", vec!["T a", "<b> c=d> e=f g=", "T h"]),
            ("1 < 2 <3", vec!["T 1 ", "T < 2 ", "T <3"]),
            (
                "<!-- > -->x<!-->y",
                vec!["H <!-- > -->", "T x", "H <!-->", "T y"],
            ),
            ("<!-- open", vec!["H <!-- open"]),
            (
                "<script>a<b></script>c",
                vec!["<script>", "R a<b>", "</script>", "T c"],
            ),
            (
                "<textarea><b></textarea>",
                vec!["<textarea>", "T <b>", "</textarea>"],
            ),
            ("<br/></P >", vec!["<br>", "</p>"]),
            ("<div class=\"a", vec!["<div> class=a"]),
        ];
        for (html, expected) in cases {
            assert_eq!(shown(html), expected, "{html:?}");
        }
    }

    #[test]
    fn character_references_of_signs_are_known() {
        assert_eq!(
            decode("&#64;a &#x40a &commat; &amp;1 &num; &Hat; & &;"),
            "@a \u{40A} @ &1 # ^ & &;"
        );
    }
}
