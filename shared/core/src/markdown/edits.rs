//! Changes to a text, collected in any order and applied at once, so that everything not named
//! stays byte for byte the same.

use std::ops::Range;

#[derive(Debug, Default)]
pub(super) struct Edits {
    changes: Vec<(Range<usize>, String)>,
}

impl Edits {
    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    pub(super) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.changes.push((range, text.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changed text. The same change asked for twice is made once; of two that overlap, the one
    /// that starts first (the longer one, if both start together) is made.
    pub(super) fn apply(mut self, text: &str) -> String {
        self.changes.sort_by(|(a, left), (b, right)| {
            let insertions_first = (a.start, !a.is_empty(), b.end, left);
            insertions_first.cmp(&(b.start, !b.is_empty(), a.end, right))
        });
        self.changes.dedup();
        let mut changed = String::with_capacity(text.len() + 8 * self.changes.len());
        let mut done = 0;
        for (range, replacement) in self.changes {
            let Some(before) = text.get(done..range.start) else {
                continue;
            };
            changed.push_str(before);
            changed.push_str(&replacement);
            done = range.end;
        }
        changed.push_str(text.get(done..).unwrap_or(""));
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::Edits;

    #[test]
    fn edits_are_applied_in_the_order_of_the_text_and_once() {
        let mut edits = Edits::default();
        edits.replace(4..5, "E");
        edits.insert(0, ">");
        edits.insert(4, "-");
        edits.insert(4, "-");
        edits.replace(1..3, "BC");
        edits.replace(2..3, "overlapping");
        assert_eq!(edits.apply("abcdef"), ">aBCd-Ef");
    }

    #[test]
    fn no_edit_changes_nothing() {
        assert_eq!(Edits::default().apply("a\r\nü"), "a\r\nü");
    }
}
