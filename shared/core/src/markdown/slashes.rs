//! No line may begin with a slash: what begins a quick action, in whatever release.

use super::edits::Edits;
use super::html::{self, Piece};
use super::runs::{Fence, Html, Survey};

/// Moves every slash away from the beginning of its line, unseen.
pub(super) fn defuse(text: &str, survey: &Survey, edits: &mut Edits) {
    for html in &survey.html {
        in_html(html, text, edits);
    }
    for at in slash_lines(text) {
        let in_html = survey.html.iter().any(|html| html.block && html.holds(at));
        if in_html {
            continue;
        }
        match survey.fences.iter().find(|fence| fence.range.contains(&at)) {
            Some(fence) => in_fence(fence, text, at, edits),
            None => edits.insert(at, " "),
        }
    }
}

/// The last word: a line that still begins with a slash gets its space, seen or not.
pub(super) fn enforce(text: String) -> String {
    let mut edits = Edits::default();
    for at in slash_lines(&text) {
        edits.insert(at, " ");
    }
    if edits.is_empty() {
        text
    } else {
        edits.apply(&text)
    }
}

fn slash_lines(text: &str) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with('/') {
            starts.push(at);
        }
        at += line.len();
    }
    starts
}

/// A fenced block is shown without the indentation of its fence, so fence and content move by one.
fn in_fence(fence: &Fence, text: &str, at: usize, edits: &mut Edits) {
    let line_start = text
        .get(..fence.range.start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |end| end + 1);
    if line_start < fence.range.start
        || text
            .get(line_start..)
            .is_some_and(|line| line.starts_with(' '))
    {
        edits.insert(at, " ");
        return;
    }
    let closing = fence.closing_line(text);
    let mut start = fence.range.start;
    for line in text
        .get(fence.range.clone())
        .unwrap_or("")
        .split_inclusive('\n')
    {
        if line != "\n" && Some(start) != closing {
            edits.insert(start, " ");
        }
        start += line.len();
    }
}

fn in_html(html: &Html, text: &str, edits: &mut Edits) {
    let pieces = html::pieces(&html.text);
    let mut at = 0;
    for line in html.text.split_inclusive('\n') {
        let source = html.source(at);
        let first = source == 0 || text.as_bytes().get(source - 1) == Some(&b'\n');
        if html.block && line.starts_with('/') && first {
            match pieces.iter().find(|piece| piece.range().contains(&at)) {
                Some(Piece::Text(_)) => edits.replace(source..source + 1, "&#47;"),
                Some(Piece::Tag(tag)) if tag.attributes.iter().any(|a| a.value.contains(&at)) => {
                    edits.replace(source..source + 1, "&#47;");
                }
                Some(Piece::Tag(_) | Piece::Hidden(_) | Piece::Raw(_)) | None => {
                    edits.insert(source, " ")
                }
            }
        }
        at += line.len();
    }
}
