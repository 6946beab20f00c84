//! Where links and pictures point: every target with its place in the source.

use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Tag, TagEnd};

use super::edits::Edits;
use super::hazards::{Hazard, hazards};
use super::html::{self, Piece};
use super::parser;
use super::survey::Survey;

/// One target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Destination {
    /// What to replace: with its angle brackets, without the quotes of an attribute.
    pub(super) range: Range<usize>,
    /// Without escapes and character references.
    pub(super) target: String,
    pub(super) form: Form,
    /// Followed by a click, where GitLab looks for references; a picture's source is not.
    pub(super) clicked: bool,
    /// Defined, but no link leads there.
    pub(super) unused: bool,
}

/// How the target is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// In parentheses after a text, or in a definition.
    Markdown,
    /// `<https://…>`: text and target in one.
    Autolink,
    /// In a raw HTML tag, with the quote around it.
    Attribute(Option<char>),
}

impl Form {
    /// A target, written for this place.
    pub(super) fn write(self, target: &str) -> String {
        match self {
            Self::Markdown | Self::Autolink => markdown(target),
            Self::Attribute(quote) => {
                let escaped = target
                    .replace('&', "&amp;")
                    .replace('"', "&quot;")
                    .replace('\'', "&#39;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;");
                let bare = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$*+,;%".contains(c);
                match quote {
                    None if !escaped.chars().all(bare) => format!("\"{escaped}\""),
                    None | Some(_) => escaped,
                }
            }
        }
    }
}

impl Form {
    /// As [`Form::write`], inert also where some release reads the whole definition as text.
    pub(super) fn write_inert(self, target: &str) -> String {
        let written = self.write(target);
        let mut edits = Edits::default();
        for hazard in hazards(&written)
            .into_iter()
            .filter(|_| self == Self::Markdown)
        {
            match hazard {
                Hazard::Sign(at) => edits.insert(at, "\\"),
                Hazard::Cut(_) => {}
            }
        }
        edits.apply(&written)
    }
}

/// Always without brackets, which GitLab's engine does not read at the very end of a text.
fn markdown(target: &str) -> String {
    if target.is_empty() {
        return "<>".to_owned();
    }
    let mut written = String::with_capacity(target.len());
    for character in target.chars() {
        match character {
            '<' | '>' | '(' | ')' | '\\' | '`' | '|' | '"' => written.push_str(&encoded(character)),
            '&' => written.push_str("&amp;"),
            c if c.is_whitespace() || c.is_control() => written.push_str(&encoded(c)),
            plain => written.push(plain),
        }
    }
    written
}

fn encoded(character: char) -> String {
    let mut bytes = [0; 4];
    character
        .encode_utf8(&mut bytes)
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect()
}

/// Every target in a text, in order.
pub(super) fn destinations(text: &str, survey: &Survey) -> Vec<Destination> {
    let (mut found, used) = in_prose(text);
    for (span, target) in parser::definitions(text) {
        let range = after_label(text, &span).and_then(|at| bare_or_bracketed(text, at, false));
        let unused = !used.contains(&target) && stands_once(text, &span);
        let form = Form::Markdown;
        found.extend(range.map(|range| Destination {
            range,
            target,
            form,
            clicked: true,
            unused,
        }));
    }
    found.extend(in_html(survey));
    found.sort_by_key(|destination| destination.range.start);
    found.dedup();
    found
}

struct Open {
    range: Range<usize>,
    inner_end: usize,
    kind: LinkType,
    target: String,
    clicked: bool,
}

/// The labels of definitions that no link names.
pub(super) fn unused_labels_of(text: &str) -> Vec<Range<usize>> {
    let definitions = parser::definitions(text).into_iter();
    let unused = definitions.filter(|(span, _)| stands_once(text, span));
    unused
        .filter_map(|(span, _)| Some(span.start + 1..after_label(text, &span)? - 2))
        .collect()
}

/// Whether a definition's label stands nowhere else: what is no link here may be one elsewhere.
fn stands_once(text: &str, span: &Range<usize>) -> bool {
    let definition = text.get(span.clone()).unwrap_or("");
    let label = definition
        .split_inclusive(']')
        .next()
        .unwrap_or("")
        .to_lowercase();
    text.to_lowercase().matches(&label).count() < 2
}

/// The targets written in prose, and those that links take from definitions.
fn in_prose(text: &str) -> (Vec<Destination>, HashSet<String>) {
    let mut found = Vec::new();
    let mut used = HashSet::new();
    let mut open: Vec<Open> = Vec::new();
    for (event, range) in parser::events(text) {
        match event {
            Event::Start(Tag::Link {
                link_type: kind,
                dest_url,
                ..
            }) => {
                grow(&mut open, &range);
                let inner_end = range.start + 1;
                open.push(Open {
                    range,
                    inner_end,
                    kind,
                    target: dest_url.into_string(),
                    clicked: true,
                });
            }
            Event::Start(Tag::Image {
                link_type: kind,
                dest_url,
                ..
            }) => {
                grow(&mut open, &range);
                let inner_end = range.start + 2;
                open.push(Open {
                    range,
                    inner_end,
                    kind,
                    target: dest_url.into_string(),
                    clicked: false,
                });
            }
            Event::End(TagEnd::Link | TagEnd::Image) => match open.pop() {
                Some(open) if is_by_reference(open.kind) => {
                    used.insert(open.target);
                }
                closed => found.extend(closed.and_then(|open| close(text, open))),
            },
            Event::Start(_)
            | Event::End(_)
            | Event::Text(_)
            | Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::SoftBreak
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => grow(&mut open, &range),
        }
    }
    (found, used)
}

fn is_by_reference(kind: LinkType) -> bool {
    matches!(
        kind,
        LinkType::Reference | LinkType::Collapsed | LinkType::Shortcut
    )
}

fn grow(open: &mut [Open], inner: &Range<usize>) {
    if let Some(innermost) = open.last_mut() {
        innermost.inner_end = innermost.inner_end.max(inner.end);
    }
}

fn close(text: &str, open: Open) -> Option<Destination> {
    let Open {
        range,
        inner_end,
        kind,
        target,
        clicked,
    } = open;
    match kind {
        LinkType::Inline => {
            let tail = text.get(inner_end..range.end)?;
            let at = inner_end + tail.find("](")? + 2;
            let range = bare_or_bracketed(text, at, true)?;
            Some(Destination {
                range,
                target,
                form: Form::Markdown,
                clicked,
                unused: false,
            })
        }
        LinkType::Autolink => Some(Destination {
            range,
            target: html::decode(&target),
            form: Form::Autolink,
            clicked,
            unused: false,
        }),
        LinkType::Reference
        | LinkType::ReferenceUnknown
        | LinkType::Collapsed
        | LinkType::CollapsedUnknown
        | LinkType::Shortcut
        | LinkType::ShortcutUnknown
        | LinkType::Email
        | LinkType::WikiLink { .. } => None,
    }
}

/// The place after `[label]:`.
fn after_label(text: &str, span: &Range<usize>) -> Option<usize> {
    let definition = text.get(span.clone())?;
    let mut escaped = false;
    for (at, character) in definition.char_indices() {
        match character {
            '\\' => escaped = !escaped,
            ']' if !escaped => {
                let colon = definition.get(at + 1..)?.starts_with(':');
                return colon.then_some(span.start + at + 2);
            }
            _label => escaped = false,
        }
    }
    None
}

/// The target written at a place, after white space and the prefixes of block quotes.
fn bare_or_bracketed(text: &str, at: usize, in_parentheses: bool) -> Option<Range<usize>> {
    let tail = text.get(at..)?;
    let mut start = 0;
    let mut line_start = false;
    for character in tail.chars() {
        match character {
            '\n' => line_start = true,
            ' ' | '\t' => {}
            '>' if line_start => {}
            _other => break,
        }
        start += character.len_utf8();
    }
    let written = tail.get(start..)?;
    let length = if written.starts_with('<') {
        bracketed(written)?
    } else {
        bare(written, in_parentheses)
    };
    Some(at + start..at + start + length)
}

fn bracketed(written: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in written.char_indices() {
        match character {
            '\\' => escaped = !escaped,
            '>' if !escaped => return Some(at + 1),
            '\n' => return None,
            _inside => escaped = false,
        }
    }
    None
}

fn bare(written: &str, in_parentheses: bool) -> usize {
    let mut escaped = false;
    let mut depth = 0_usize;
    for (at, character) in written.char_indices() {
        match character {
            '\\' => escaped = !escaped,
            '(' if !escaped => depth += 1,
            ')' if !escaped && depth == 0 && in_parentheses => return at,
            ')' if !escaped => depth = depth.saturating_sub(1),
            c if c.is_ascii_whitespace() || c.is_ascii_control() => return at,
            _inside => escaped = false,
        }
    }
    written.len()
}

fn in_html(survey: &Survey) -> Vec<Destination> {
    let mut found = Vec::new();
    for piece in survey.page.pieces() {
        let Piece::Tag(tag) = piece else { continue };
        for attribute in tag.attributes {
            let clicked = attribute.name == "href";
            let points =
                clicked || matches!(attribute.name.as_str(), "src" | "poster" | "data-src");
            let Some(range) = survey
                .page
                .source_range(&attribute.value)
                .filter(|_| points && !tag.end)
            else {
                continue;
            };
            let target = html::decode(survey.page.text(attribute.value));
            found.push(Destination {
                range,
                target,
                form: Form::Attribute(attribute.quote),
                clicked,
                unused: false,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::survey::survey;
    use super::destinations;

    #[test]
    fn every_form_of_link_is_found_with_its_place() {
        let cases = [
            ("[a](b)", vec![("b", "b")]),
            ("![a *b*](<c d> \"t\"){width=1}", vec![("<c d>", "c d")]),
            ("[![i](p)](l)", vec![("p", "p"), ("l", "l")]),
            ("[a\\]](b\\(c\\))", vec![("b\\(c\\)", "b(c)")]),
            ("[](x&amp;y)", vec![("x&amp;y", "x&y")]),
            ("> [a](\n> b 'c')", vec![("b", "b")]),
            ("[x]\n\n[x]: /u \"t\"", vec![("/u", "/u")]),
            ("[x]:\n/u", vec![("/u", "/u")]),
            ("<https://x/#1>", vec![("<https://x/#1>", "https://x/#1")]),
            (
                "a <IMG alt='y' SRC='/a&amp;b'> b",
                vec![("/a&amp;b", "/a&b")],
            ),
            ("<div>\n<a href=#12>", vec![("#12", "#12")]),
            ("`[a](b)`\n\n    [a](b)\n\n<!-- [a](b) -->", vec![]),
        ];
        for (text, expected) in cases {
            let found = destinations(text, &survey(text));
            let found: Vec<_> = found
                .iter()
                .map(|d| (&text[d.range.clone()], d.target.as_str()))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
