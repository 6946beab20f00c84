//! Which lines belong to a quote, a list item, a footnote.

use std::ops::Range;

use super::quotes::{ALERTS, fence_of_quote, unescaped};
use crate::markdown::survey::{Container, ContainerKind, Survey};

/// What a line must begin with to stand in the containers of the line in which a place is.
pub(super) fn continued(text: &str, at: usize) -> String {
    let line = text
        .get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |end| end + 1);
    text.get(line..at)
        .unwrap_or("")
        .chars()
        .map(|c| if c == '>' { '>' } else { ' ' })
        .collect()
}

impl Container {
    /// The title behind `[!NOTE]` in a quote's first line that says anything, and where the `[`
    /// stands.
    pub(super) fn alert_title(&self, text: &str) -> Option<(String, usize)> {
        let quote = text.get(self.range.clone())?;
        let first = quote.lines().next()?;
        let fence = fence_of_quote(first) > 2;
        let behind = quote.get(if fence { first.len() } else { 0 }..)?;
        let inner = behind
            .trim_start_matches(['>', ' ', '\t'])
            .trim_start_matches(if fence {
                &['\n', '>', ' '] as &[char]
            } else {
                &[]
            });
        let (kind, title) = inner.lines().next()?.strip_prefix("[!")?.split_once(']')?;
        let alert = ALERTS.iter().any(|known| kind.eq_ignore_ascii_case(known));
        let title = unescaped(title.trim_matches([' ', '\t']));
        // Nothing but one space may stand before it.
        let spaced = fence || quote.starts_with("> [!");
        (alert && spaced && !title.is_empty())
            .then(|| (title, self.range.start + quote.len() - inner.len()))
    }

    /// Whether a line of its text belongs to it by itself.
    pub(super) fn takes(&self, text: &str, line: &str) -> bool {
        let indentation = line.len() - line.trim_start_matches([' ', '>']).len();
        match self.kind {
            ContainerKind::Quote => line.trim_start().starts_with('>'),
            ContainerKind::Item => indentation >= self.needs(text),
            ContainerKind::Footnote => indentation >= 4,
        }
    }

    /// How far a line must be indented to belong to it; no indentation that is no code makes one belong to a quote or
    /// footnote.
    pub(super) fn needs(&self, text: &str) -> usize {
        if self.kind != ContainerKind::Item {
            return usize::MAX;
        }
        let start = text
            .get(..self.range.start)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |end| end + 1);
        let item = text
            .get(self.range.clone())
            .and_then(|item| item.lines().next())
            .unwrap_or("");
        let marker = item.find([' ', '\t']).unwrap_or(item.len());
        let spaces = item
            .get(marker..)
            .map_or(0, |rest| rest.len() - rest.trim_start().len());
        let spaces = if (1..=4).contains(&spaces) { spaces } else { 1 };
        self.range.start - start + marker + spaces
    }
}

impl Survey {
    /// Blocks in which `>>>` is text like any other.
    pub(super) fn blocks_of_text(&self) -> impl Iterator<Item = &Range<usize>> {
        let fences = self.fences.iter().map(|fence| &fence.range);
        fences.chain(self.html_blocks.iter().map(|block| &block.source))
    }

    pub(super) fn around(&self, at: usize) -> impl Iterator<Item = &Container> {
        self.containers
            .iter()
            .filter(move |container| container.range.contains(&at))
    }

    pub(super) fn is_in_footnote(&self, at: usize) -> bool {
        let mut footnotes = self
            .containers
            .iter()
            .filter(|container| container.kind == ContainerKind::Footnote);
        footnotes.any(|footnote| footnote.range.contains(&at))
    }
}
