//! No line may begin with a slash: what begins a quick action, in whatever release.

use super::edits::Edits;
use super::html::Piece;
use super::survey::{Fence, Survey};

/// Moves every slash away from the beginning of its line, unseen.
pub(super) fn defuse(text: &str, survey: &Survey, pieces: &[Piece], edits: &mut Edits) {
    for at in slash_lines(text) {
        let block = survey
            .html_blocks
            .iter()
            .any(|block| block.source.contains(&at));
        let fence = survey.fences.iter().find(|fence| fence.range.contains(&at));
        match (survey.page.at_source(at).filter(|_| block), fence) {
            (Some(on_page), _) => in_html(on_page, pieces, at, edits),
            (None, Some(fence)) => in_fence(fence, text, at, edits),
            // Code that begins with the end of its line: a further space would be shown.
            (None, None) if begins_code(text, survey, at) => edits.replace(at - 1..at, " "),
            (None, None) => edits.insert(at, " "),
        }
    }
}

/// Whether all that a code span holds before a place is the end of a line.
fn begins_code(text: &str, survey: &Survey, at: usize) -> bool {
    survey.code.iter().any(|code| {
        text.get(code.start..at).is_some_and(|before| {
            let behind = before.trim_start_matches('`');
            code.contains(&at) && behind == "\n" && behind.len() < before.len()
        })
    })
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

/// Where the slash is shown or is part of a value, it becomes a character reference, which is the
/// same; elsewhere a space is as good.
fn in_html(on_page: usize, pieces: &[Piece], at: usize, edits: &mut Edits) {
    let shown = pieces
        .iter()
        .find(|piece| piece.range().contains(&on_page))
        .is_some_and(|piece| match piece {
            Piece::Text(_) => true,
            Piece::Tag(tag) => tag
                .attributes
                .iter()
                .any(|attribute| attribute.value.contains(&on_page)),
            Piece::Hidden(_) | Piece::Raw(_) => false,
        });
    if shown {
        edits.replace(at..at + 1, "&#47;")
    } else {
        edits.insert(at, " ")
    }
}
