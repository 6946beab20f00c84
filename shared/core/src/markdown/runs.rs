//! What a text consists of, seen as the page it becomes: runs of prose, raw HTML, fenced blocks.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::cells::{Cell, Run, cells};
use super::html::{self, Piece};
use super::parser;

/// A text taken apart.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Text nodes of prose, outside links and code. Runs that only raw HTML parts stand here once
    /// more as one, because releases differ in what they make of a comment or an unknown tag.
    pub(super) prose: Vec<Run>,
    /// Raw HTML: blocks, and single tags within prose.
    pub(super) html: Vec<Html>,
    pub(super) fences: Vec<Fence>,
}

/// A piece of raw HTML without the prefixes of the quotes and lists around it.
#[derive(Debug, Default)]
pub(super) struct Html {
    pub(super) text: String,
    /// Where each part of `text` begins, there and in the source.
    parts: Vec<(usize, usize)>,
    /// A block of its own, not a tag within prose.
    pub(super) block: bool,
    /// Not inside a quote, list or footnote.
    pub(super) top_level: bool,
}

/// A fenced code block.
#[derive(Debug)]
pub(super) struct Fence {
    pub(super) range: Range<usize>,
    /// Not inside a quote, list or footnote.
    pub(super) top_level: bool,
}

impl Html {
    fn push(&mut self, part: &str, source: usize) {
        self.parts.push((self.text.len(), source));
        self.text.push_str(part);
    }

    /// The place in the source of a byte of `text`.
    pub(super) fn source(&self, at: usize) -> usize {
        let next = self.parts.partition_point(|(start, _)| *start <= at);
        let part = next.checked_sub(1).and_then(|part| self.parts.get(part));
        part.map_or(0, |(start, source)| source + (at - start))
    }

    /// The place in the source of a range of `text`; the range must not be empty.
    pub(super) fn source_range(&self, range: &Range<usize>) -> Range<usize> {
        let last = range.end.saturating_sub(1).max(range.start);
        self.source(range.start)..self.source(last) + (range.end - last)
    }

    /// Its text nodes, and all of them as one: releases differ in which tags survive.
    pub(super) fn runs(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        let mut joined = Run::default();
        for piece in html::pieces(&self.text) {
            if let Piece::Text(range) = piece {
                let run = self.run(range);
                joined.append(&run);
                runs.push(run);
            }
        }
        if runs.len() > 1 {
            runs.push(joined);
        }
        runs
    }

    fn run(&self, range: Range<usize>) -> Run {
        let mut run = Run::default();
        let mut at = range.start;
        while let Some(rest) = self.text.get(at..range.end).filter(|rest| !rest.is_empty()) {
            let plain = || {
                rest.chars()
                    .next()
                    .map_or((' ', 1), |first| (first, first.len_utf8()))
            };
            let (shown, length) = html::character_reference(rest).unwrap_or_else(plain);
            let source = self.source_range(&(at..at + length));
            run.push(Cell {
                shown,
                source,
                escaped: false,
            });
            at += length;
        }
        run
    }
}

/// Takes a text apart.
pub(super) fn survey(text: &str) -> Survey {
    let mut walk = Walk {
        text,
        ..Walk::default()
    };
    for (event, range) in parser::events(text) {
        walk.step(&event, range);
    }
    walk.end_of_paragraph();
    walk.survey
}

#[derive(Default)]
struct Walk<'a> {
    text: &'a str,
    survey: Survey,
    node: Run,
    /// Nodes since the last seam that surely parts.
    joined: Run,
    joined_nodes: usize,
    containers: usize,
    /// Links, pictures and code blocks around: their text is dead.
    dead: usize,
    block: Option<Html>,
    shown_until: usize,
}

impl Walk<'_> {
    fn step(&mut self, event: &Event<'_>, range: Range<usize>) {
        match event {
            Event::Text(shown) if self.dead == 0 => self.shown(shown, range),
            Event::SoftBreak if self.dead == 0 => self.shown("\n", range),
            Event::Text(_) | Event::SoftBreak => {}
            Event::InlineHtml(part) => self.inline_html(part, range.start),
            Event::Html(part) => {
                if let Some(block) = &mut self.block {
                    block.push(part, range.start);
                }
            }
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(*tag),
            Event::Code(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::HardBreak
            | Event::Rule
            | Event::TaskListMarker(_) => self.end_of_paragraph(),
        }
    }

    fn shown(&mut self, shown: &str, range: Range<usize>) {
        let before = range.start.checked_sub(1);
        let escaped = before.is_some_and(|before| {
            before >= self.shown_until && self.text.as_bytes().get(before) == Some(&b'\\')
        });
        self.shown_until = range.end;
        for cell in cells(self.text, range, shown, escaped) {
            self.node.push(cell);
        }
    }

    fn inline_html(&mut self, part: &str, start: usize) {
        self.end_of_node();
        self.shown_until = start + part.len();
        let mut html = Html::default();
        html.push(part, start);
        self.survey.html.push(html);
    }

    fn end_of_node(&mut self) {
        let node = std::mem::take(&mut self.node);
        if !node.is_empty() {
            self.joined.append(&node);
            self.joined_nodes += 1;
            self.survey.prose.push(node);
        }
    }

    fn end_of_paragraph(&mut self) {
        self.end_of_node();
        let joined = std::mem::take(&mut self.joined);
        if std::mem::take(&mut self.joined_nodes) > 1 {
            self.survey.prose.push(joined);
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        self.end_of_paragraph();
        match tag {
            Tag::CodeBlock(kind) => {
                self.dead += 1;
                if matches!(kind, CodeBlockKind::Fenced(_)) {
                    self.survey.fences.push(Fence {
                        range,
                        top_level: self.containers == 0,
                    });
                }
            }
            Tag::Link { .. } | Tag::Image { .. } | Tag::MetadataBlock(_) => self.dead += 1,
            Tag::HtmlBlock => {
                let top_level = self.containers == 0;
                self.block = Some(Html {
                    block: true,
                    top_level,
                    ..Html::default()
                });
            }
            Tag::BlockQuote(_)
            | Tag::List(_)
            | Tag::Item
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition => self.containers += 1,
            Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::Table(_)
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        self.end_of_paragraph();
        match tag {
            TagEnd::CodeBlock | TagEnd::Link | TagEnd::Image | TagEnd::MetadataBlock(_) => {
                self.dead = self.dead.saturating_sub(1);
            }
            TagEnd::HtmlBlock => self.survey.html.extend(self.block.take()),
            TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition => {
                self.containers = self.containers.saturating_sub(1)
            }
            TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::Table
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::TableCell
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript => {}
        }
    }
}
