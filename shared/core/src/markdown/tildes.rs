//! Tildes: struck text to one reader, a label's sign to another.
//!
//! GitLab's engine strikes with one or two tildes wherever they lean on a word, within words too;
//! the parser used here is laxer with two and stricter with one. Where they differ, the text is
//! written so that both see what GitLab's engine sees.

use std::ops::Range;

use super::cells::Run;
use super::edits::Edits;

/// Struck text of the parser that GitLab's engine would not strike: its tildes are escaped.
pub(super) fn unstrike(text: &str, struck: &[Range<usize>], edits: &mut Edits) {
    for range in struck {
        let part = text.get(range.clone()).unwrap_or("");
        let length = part.len() - part.trim_start_matches('~').len();
        let open = range.start..range.start + length;
        let close = range.end.saturating_sub(length)..range.end;
        if !(leans(text, &open).0 && leans(text, &close).1) {
            let escaped = "\\~".repeat(length);
            edits.replace(open, escaped.as_str());
            edits.replace(close, escaped);
        }
    }
}

/// Pairs of tildes in plain text that GitLab's engine strikes between: they become tags. Returns
/// the places of all tildes so changed.
pub(super) fn strike(text: &str, run: &Run, edits: &mut Edits) -> Vec<usize> {
    let mut changed = Vec::new();
    let mut open: Vec<Range<usize>> = Vec::new();
    for marks in marks(text, run) {
        let (opens, closes) = leans(text, &marks);
        match open.pop_if(|open| closes && open.len() == marks.len()) {
            Some(opening) => {
                changed.extend(opening.clone());
                changed.extend(marks.clone());
                edits.replace(opening, "<del>");
                edits.replace(marks, "</del>");
            }
            None if opens => open.push(marks),
            None => {}
        }
    }
    changed
}

/// Groups of one or two unescaped tildes, as places in the source.
fn marks(text: &str, run: &Run) -> Vec<Range<usize>> {
    let mut marks: Vec<Range<usize>> = Vec::new();
    for (at, _) in run.text().match_indices('~') {
        let Some(cell) = run
            .cell_at(at)
            .filter(|cell| text.get(cell.source.clone()) == Some("~"))
        else {
            continue;
        };
        match marks
            .last_mut()
            .filter(|last| last.end == cell.source.start)
        {
            Some(last) => last.end = cell.source.end,
            None => marks.push(cell.source.clone()),
        }
    }
    marks.retain(|marks| marks.len() <= 2);
    marks
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Space,
    Punctuation,
    Ideograph,
    Letter,
}

fn side(beside: Option<char>) -> Side {
    match beside {
        None => Side::Space,
        Some(c) if c.is_whitespace() => Side::Space,
        Some(c) if c.is_alphanumeric() && c >= '\u{2E80}' => Side::Ideograph,
        Some(c) if c.is_alphanumeric() => Side::Letter,
        Some(c) if c.is_ascii_punctuation() || !c.is_control() => Side::Punctuation,
        Some(_) => Side::Letter,
    }
}

/// Whether marks can open, and whether they can close.
fn leans(text: &str, marks: &Range<usize>) -> (bool, bool) {
    let before = text
        .get(..marks.start)
        .and_then(|before| before.trim_end_matches('~').chars().next_back());
    let after = text
        .get(marks.end..)
        .and_then(|after| after.trim_start_matches('~').chars().next());
    let (before, after) = (side(before), side(after));
    let beside_word = |inner: Side, outer: Side| {
        inner != Side::Space && (inner != Side::Punctuation || outer != Side::Letter)
    };
    (beside_word(after, before), beside_word(before, after))
}

#[cfg(test)]
mod tests {
    use super::leans;

    #[test]
    fn marks_lean_on_words() {
        let cases = [
            ("~bug", 0, (true, false)),
            ("a~b", 1, (true, true)),
            ("a~ b", 1, (false, true)),
            ("a~@b", 1, (false, true)),
        ];
        for (text, at, expected) in cases {
            assert_eq!(leans(text, &(at..at + 1)), expected, "{text:?}");
        }
    }
}
