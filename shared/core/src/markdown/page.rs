//! The page that a text becomes, as far as raw HTML matters: what a browser reads as a tag, a
//! comment or text depends on everything before it, generated markup included.

use std::ops::Range;

use super::cells::{Cell, Run};
use super::html::{self, Piece};

/// Raw HTML in its place between generated markup.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// The raw parts, in order.
    raw: Vec<Part>,
}

#[derive(Clone, Copy, Debug)]
struct Part {
    start: usize,
    source: usize,
    length: usize,
}

impl Page {
    pub(super) fn generated(&mut self, markup: &str) {
        self.text.push_str(markup);
    }

    pub(super) fn generated_text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '&' => self.text.push_str("&amp;"),
                '"' => self.text.push_str("&quot;"),
                other => self.text.push(other),
            }
        }
    }

    pub(super) fn raw(&mut self, html: &str, source: Range<usize>) {
        self.raw.push(Part {
            start: self.text.len(),
            source: source.start,
            length: html.len().min(source.len()),
        });
        self.text.push_str(html);
    }

    /// Puts another page behind this one; says how far its places moved.
    pub(super) fn append(&mut self, other: Page) -> usize {
        let shift = self.text.len();
        self.text.push_str(&other.text);
        self.raw.extend(other.raw.into_iter().map(|part| Part {
            start: part.start + shift,
            ..part
        }));
        shift
    }

    /// What stands before a place.
    pub(super) fn before(mut self, place: usize) -> Self {
        self.text.truncate(place);
        self.raw.retain(|part| part.start < place);
        self
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn has_raw_html(&self) -> bool {
        !self.raw.is_empty()
    }

    pub(super) fn text(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or("")
    }

    /// The page cut as a browser cuts it; nothing where no HTML is raw.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        if self.has_raw_html() {
            html::pieces(&self.text)
        } else {
            Vec::new()
        }
    }

    /// The place in the source of a byte of the page, if it is raw.
    pub(super) fn source(&self, at: usize) -> Option<usize> {
        let next = self.raw.partition_point(|part| part.start <= at);
        let part = self.raw.get(next.checked_sub(1)?)?;
        (at < part.start + part.length).then(|| part.source + (at - part.start))
    }

    /// The place in the source of a range of the page that lies in one raw part.
    pub(super) fn source_range(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let start = self.source(range.start)?;
        let last = self.source(range.end.checked_sub(1)?)?;
        (last.checked_sub(start)? == range.len().checked_sub(1)?).then_some(start..last + 1)
    }

    /// The place on the page of a byte of the source, if it is raw there.
    pub(super) fn at_source(&self, source: usize) -> Option<usize> {
        let mut parts = self.raw.iter();
        let part = parts.find(|part| (part.source..part.source + part.length).contains(&source))?;
        Some(part.start + (source - part.source))
    }

    /// The text nodes written in raw HTML; and those that a comment or an unknown tag parts once
    /// more as one, because releases differ in whether they grow together.
    pub(super) fn runs(&self, pieces: &[Piece]) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut joined = Run::default();
        let mut joined_runs = 0;
        let mut end = 0;
        for piece in pieces {
            let (range, decoded) = match piece {
                Piece::Text(range) => (range, true),
                Piece::Raw(range) => (range, false),
                Piece::Tag(_) | Piece::Hidden(_) => {
                    if html::parts(piece) {
                        flush(&mut runs, &mut joined, &mut joined_runs);
                    }
                    continue;
                }
            };
            for run in self.raw_runs(range, decoded) {
                let start = run.page_start;
                if self.is_generated_between(end, start) {
                    flush(&mut runs, &mut joined, &mut joined_runs);
                }
                end = run.page_end;
                joined.append(&run.run);
                joined_runs += 1;
                runs.push(run.run);
            }
        }
        flush(&mut runs, &mut joined, &mut joined_runs);
        runs
    }

    fn is_generated_between(&self, start: usize, end: usize) -> bool {
        let covered = self
            .raw
            .iter()
            .filter(|part| part.start < end && part.start + part.length > start);
        let length: usize = covered
            .map(|part| (part.start + part.length).min(end) - part.start.max(start))
            .sum();
        length < end.saturating_sub(start)
    }

    fn raw_runs(&self, range: &Range<usize>, decoded: bool) -> Vec<RawRun> {
        let mut runs: Vec<RawRun> = Vec::new();
        let mut at = range.start;
        while let Some(rest) = self.text.get(at..range.end).filter(|rest| !rest.is_empty()) {
            let plain = || {
                rest.chars()
                    .next()
                    .map_or((' ', 1), |first| (first, first.len_utf8()))
            };
            let reference = Some(rest)
                .filter(|_| decoded)
                .and_then(html::character_reference);
            let (shown, length) = reference.unwrap_or_else(plain);
            if let Some(source) = self.source_range(&(at..at + length)) {
                match runs.last_mut().filter(|run| run.page_end == at) {
                    Some(run) => run.push(shown, source, at + length),
                    None => {
                        let mut run = RawRun {
                            run: Run::default(),
                            page_start: at,
                            page_end: at,
                        };
                        run.push(shown, source, at + length);
                        runs.push(run);
                    }
                }
            }
            at += length;
        }
        runs
    }
}

struct RawRun {
    run: Run,
    page_start: usize,
    page_end: usize,
}

impl RawRun {
    fn push(&mut self, shown: char, source: Range<usize>, page_end: usize) {
        self.run.push(Cell {
            shown,
            source,
            escaped: false,
        });
        self.page_end = page_end;
    }
}

fn flush(runs: &mut Vec<Run>, joined: &mut Run, joined_runs: &mut usize) {
    let joined = std::mem::take(joined);
    if std::mem::take(joined_runs) > 1 {
        runs.push(joined);
    }
}
