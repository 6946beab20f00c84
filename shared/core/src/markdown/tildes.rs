//! Tildes: struck text to one reader, a label's sign to another.
//!
//! GitLab's engine strikes with one or two tildes wherever they lean on a word, within words too;
//! the parser used here is laxer with two and stricter with one. Where they differ, the tildes of
//! that paragraph are written so that both see what GitLab's engine sees.

use std::ops::Range;

use super::addresses;
use super::edits::Edits;

/// The tildes of one paragraph: all that are no code and not escaped, and what the parser used here
/// strikes with them.
#[derive(Debug, Default)]
pub(super) struct Tildes {
    marks: Vec<Mark>,
    struck: Vec<(Range<usize>, Range<usize>)>,
    /// Other marks of emphasis that are shown.
    others: Vec<usize>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    range: Range<usize>,
    /// The emphasis or link around.
    around: Option<usize>,
}

impl Tildes {
    /// A tilde that is shown, and the number of the emphasis or link around it.
    pub(super) fn shown(&mut self, at: usize, around: Option<usize>) {
        self.mark(at..at + 1, around);
    }

    /// Another mark of emphasis that is shown.
    pub(super) fn other(&mut self, at: usize) {
        self.others.push(at);
    }

    /// A part that is struck, tildes included.
    pub(super) fn struck(&mut self, text: &str, part: &Range<usize>, around: Option<usize>) {
        let part_text = text.get(part.clone()).unwrap_or("");
        let length = part_text.len() - part_text.trim_start_matches('~').len();
        let length = length.min(2).min(part.len() / 2);
        let single = part_text.len() - part_text.trim_end_matches('~').len();
        let length = length.min(single.max(1));
        let open = part.start..part.start + length;
        let close = part.end - length..part.end;
        self.mark(open.clone(), around);
        self.mark(close.clone(), around);
        self.struck.push((open, close));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    fn mark(&mut self, range: Range<usize>, around: Option<usize>) {
        self.marks.push(Mark { range, around });
    }

    /// Writes the tildes out where the readings differ, and returns the places changed.
    pub(super) fn settle(&self, text: &str, html: bool, edits: &mut Edits) -> Vec<Range<usize>> {
        let marks = self.groups(text);
        let mut pairs = pairs(text, &marks);
        let mut struck = self.struck.clone();
        pairs.sort_by_key(|(open, _)| open.start);
        struck.sort_by_key(|(open, _)| open.start);
        // A mark of emphasis that is shown between them may pair with one outside, and part them.
        let crossed = |(open, close): &(Range<usize>, Range<usize>)| {
            self.others
                .iter()
                .any(|mark| (open.end..close.start).contains(mark))
        };
        // An address may take tildes with it.
        let addressed = |mark: &Mark| addresses::is_in_word(text, mark.range.start);
        let agreed = pairs == struck && !pairs.iter().any(crossed) && !marks.iter().any(addressed);
        let mut settled = Vec::new();
        for Mark { range: group, .. } in marks {
            let named = text
                .get(group.end..)
                .is_some_and(|after| after.starts_with(begins_label));
            let struck = pairs
                .iter()
                .any(|(open, close)| *open == group || *close == group);
            if agreed && (struck || !named) {
                continue;
            }
            // Behind a task's box a backslash would make the box one, in an address it would be shown.
            let boxed = text.get(..group.start).is_some_and(|before| {
                ["[x]", "[X]", "[ ]"]
                    .iter()
                    .any(|mark| before.ends_with(mark))
            });
            let boxed = boxed || addresses::is_in_word(text, group.start);
            let escaped = if boxed { "~" } else { "\\~" }.repeat(group.len());
            let written = match () {
                () if pairs.iter().any(|(open, _)| *open == group) => "<del>".to_owned(),
                () if pairs.iter().any(|(_, close)| *close == group) => "</del>".to_owned(),
                () if html || boxed => format!("{escaped}{}", super::CUT),
                () => escaped,
            };
            edits.replace(group.clone(), written);
            settled.push(group);
        }
        settled
    }

    fn groups(&self, text: &str) -> Vec<Mark> {
        let mut marks = self.marks.clone();
        marks.retain(|mark| !names_footnote(text, mark.range.start));
        marks.sort_by_key(|mark| (mark.range.start, mark.range.end));
        let mut groups: Vec<Mark> = Vec::new();
        for mark in marks {
            match groups
                .last_mut()
                .filter(|last| last.range.end >= mark.range.start)
            {
                Some(last) => last.range.end = last.range.end.max(mark.range.end),
                None => groups.push(mark),
            }
        }
        groups
    }
}

/// Whether a place is in the name of a footnote, defined or not: nothing is struck there.
fn names_footnote(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or("");
    let name = before.rsplit(['[', ']', '\n']).next().unwrap_or("");
    let opens = before.len() > name.len()
        && before
            .get(..before.len() - name.len())
            .is_some_and(|before| before.ends_with('['));
    let after = text.get(at..).unwrap_or("");
    let end = after
        .find([' ', '[', ']', '\n', '`'])
        .unwrap_or(after.len());
    opens
        && name.starts_with('^')
        && !name.contains([' ', '`'])
        && after.get(end..).is_some_and(|end| end.starts_with(']'))
}

fn begins_label(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_?.&:-\"\\".contains(c)
}

/// What GitLab's engine strikes: each closing group with the nearest opening one before it. A pair
/// of unequal length ends the search.
fn pairs(text: &str, groups: &[Mark]) -> Vec<(Range<usize>, Range<usize>)> {
    let mut pairs = Vec::new();
    let mut open: Vec<&Mark> = Vec::new();
    for group in groups.iter().filter(|group| group.range.len() <= 2) {
        let (opens, closes) = leans(text, &group.range);
        let nearest = open
            .iter()
            .rposition(|open| closes && open.around == group.around);
        match nearest.and_then(|at| open.get(at).copied().map(|opening| (at, opening))) {
            Some((at, opening)) if opening.range.len() == group.range.len() => {
                pairs.push((opening.range.clone(), group.range.clone()));
                open.truncate(at);
            }
            Some(_) => break,
            None if opens => open.push(group),
            None => {}
        }
    }
    pairs
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
        Some(c) if c.is_alphanumeric() || c.is_control() || is_unseen(c) => Side::Letter,
        Some(_) => Side::Punctuation,
    }
}

fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Whether tildes can open, and whether they can close.
fn leans(text: &str, marks: &Range<usize>) -> (bool, bool) {
    let before = text
        .get(..marks.start)
        .and_then(|before| before.chars().next_back());
    let after = text.get(marks.end..).and_then(|after| after.chars().next());
    let (before, after) = (side(before), side(after));
    let leans_on = |inner: Side, outer: Side| {
        inner != Side::Space && (inner != Side::Punctuation || outer != Side::Letter)
    };
    (leans_on(after, before), leans_on(before, after))
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::{Mark, leans, pairs};

    #[test]
    fn tildes_lean_on_words() {
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

    #[test]
    fn tildes_within_words_strike_and_label_lists_do_not() {
        let mark = |range: Range<usize>| Mark {
            range,
            around: None,
        };
        assert_eq!(pairs("~a~b", &[mark(0..1), mark(2..3)]), [(0..1, 2..3)]);
        assert_eq!(pairs("~a ~b", &[mark(0..1), mark(3..4)]), []);
        assert_eq!(pairs("~~a~b", &[mark(0..2), mark(3..4)]), []);
    }
}
