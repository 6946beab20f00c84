//! A run of text as one text node of the page shows it, each character tied to its source.

use std::ops::Range;

/// One shown character.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub(super) shown: char,
    /// Where it stands in the source, with its backslash if it has one.
    pub(super) source: Range<usize>,
    /// Written with a backslash in front.
    pub(super) escaped: bool,
}

/// Consecutive characters of one text node.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    cells: Vec<Cell>,
    text: String,
    /// The byte in `text` at which each cell begins.
    starts: Vec<usize>,
}

/// GitLab's reference signs. One that is escaped stands in an element of its own.
const SIGNS: &str = "@#!&%~$^";

impl Run {
    pub(super) fn push(&mut self, cell: Cell) {
        self.starts.push(self.text.len());
        // An escaped sign parts the text: nothing can match across it.
        let parts = cell.escaped && SIGNS.contains(cell.shown);
        self.text.push(if parts { '\0' } else { cell.shown });
        self.cells.push(cell);
    }

    pub(super) fn append(&mut self, other: &Run) {
        for cell in &other.cells {
            self.push(cell.clone());
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// What is shown; an escaped sign is NUL here.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The cell shown at a byte of [`Run::text`].
    pub(super) fn cell_at(&self, byte: usize) -> Option<&Cell> {
        self.starts
            .binary_search(&byte)
            .ok()
            .and_then(|at| self.cells.get(at))
    }
}

/// The cells of one piece of text: `shown` is what becomes of the source at `range`.
///
/// Text is either shown as written, or is one character reference (or another replacement) that
/// stands as a whole.
pub(super) fn cells(
    source: &str,
    range: Range<usize>,
    shown: &str,
    first_escaped: bool,
) -> Vec<Cell> {
    let backslash = usize::from(first_escaped);
    let as_written = source.get(range.clone()) == Some(shown);
    let mut cells = Vec::with_capacity(shown.len());
    for (at, character) in shown.char_indices() {
        let first = at == 0;
        let escaped = first && first_escaped;
        let own = match (as_written, first) {
            (true, _) => range.start + at..range.start + at + character.len_utf8(),
            (false, true) => range.clone(),
            (false, false) => range.end..range.end,
        };
        let start = if escaped {
            own.start - backslash
        } else {
            own.start
        };
        cells.push(Cell {
            shown: character,
            source: start..own.end,
            escaped,
        });
    }
    cells
}
