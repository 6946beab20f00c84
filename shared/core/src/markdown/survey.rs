//! A text taken apart: runs of prose, raw HTML, fenced blocks.

use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, Tag, TagEnd};

use super::cells::{Run, cells};
use super::declarations::{end_of_dashed, is_declaration};
use super::html;
use super::page::Page;
use super::parser;
use super::tildes::Tildes;

/// A text taken apart.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Text nodes of prose, outside links and code. Runs that only raw HTML parts stand here once
    /// more as one, because releases differ in what they make of a comment or an unknown tag.
    pub(super) prose: Vec<Run>,
    pub(super) page: Page,
    pub(super) html_blocks: Vec<HtmlBlock>,
    /// Where the footnotes begin on the page.
    pub(super) notes_from: usize,
    pub(super) fences: Vec<Fence>,
    /// The tildes of each paragraph that has any.
    pub(super) tildes: Vec<Tildes>,
    /// What the parser takes for a declaration, and GitLab's engine for text.
    pub(super) undeclared: Vec<usize>,
    /// Declarations in prose.
    pub(super) declared: Vec<usize>,
    /// All that is shown, is code or is raw HTML, and links and pictures as a whole.
    pub(super) events: Vec<Range<usize>>,
    /// Comments in prose that end in more than two dashes and are hidden all the same, each with the
    /// place up to which GitLab's engine passes on the text as it is written.
    pub(super) dashed: Vec<(Range<usize>, usize)>,
    pub(super) tables: Vec<Range<usize>>,
    /// List items and block quotes.
    pub(super) containers: Vec<Container>,
    /// Code within prose, backticks included.
    pub(super) code: Vec<Range<usize>>,
    /// Headings too.
    pub(super) paragraphs: Vec<Range<usize>>,
    pub(super) headings: Vec<Range<usize>>,
    /// Boxes of tasks.
    pub(super) boxes: Vec<Range<usize>>,
    /// Definitions of terms.
    pub(super) definitions: Vec<Range<usize>>,
    /// Table cells: no inline construct reaches beyond one.
    pub(super) table_cells: Vec<Range<usize>>,
}

/// A block of raw HTML.
#[derive(Debug)]
pub(super) struct HtmlBlock {
    /// Where it stands on the page.
    pub(super) page: Range<usize>,
    /// Where it stands in the text, prefixes of quotes and lists included.
    pub(super) source: Range<usize>,
    /// Not inside a quote, list or footnote.
    pub(super) top_level: bool,
    in_footnote: bool,
}

/// What a line must begin with to belong to it.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) range: Range<usize>,
    pub(super) kind: ContainerKind,
}

/// Kinds of containers, by what their lines begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContainerKind {
    /// `>`.
    Quote,
    /// As much indentation as its first line's text has: list items, definitions of terms.
    Item,
    /// Four spaces.
    Footnote,
}

/// A fenced code block.
#[derive(Debug)]
pub(super) struct Fence {
    pub(super) range: Range<usize>,
    /// Not inside a quote, list or footnote.
    pub(super) top_level: bool,
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
    walk.end_of_block();
    let mut survey = walk.survey;
    let shift = survey.page.append(walk.notes);
    survey.notes_from = shift;
    for block in survey
        .html_blocks
        .iter_mut()
        .filter(|block| block.in_footnote)
    {
        block.page = block.page.start + shift..block.page.end + shift;
    }
    survey
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
    /// Where the text ends that was shown last.
    shown_until: usize,
    tildes: Tildes,
    /// Footnotes stand at the end of the page.
    notes: Page,
    in_footnote: bool,
    /// The emphasis and links around, by number.
    inline: Vec<usize>,
    inline_parts: usize,
}

impl Walk<'_> {
    fn page(&mut self) -> &mut Page {
        if self.in_footnote {
            &mut self.notes
        } else {
            &mut self.survey.page
        }
    }

    fn step(&mut self, event: &Event<'_>, range: Range<usize>) {
        let whole = |tag: &Tag<'_>| {
            matches!(
                tag,
                Tag::Link { .. } | Tag::Image { .. } | Tag::CodeBlock(_) | Tag::Strikethrough
            )
        };
        let holds_others =
            matches!(event, Event::Start(tag) if !whole(tag)) || matches!(event, Event::End(_));
        if !holds_others {
            self.survey.events.push(range.clone());
        }
        match event {
            Event::Text(shown) => self.shown(shown, range),
            Event::SoftBreak => self.shown("\n", range),
            Event::InlineHtml(part) if end_of_dashed(self.text, range.start).is_some() => {
                self.end_of_node();
                self.page().raw(part, range.clone());
                let end = end_of_dashed(self.text, range.start).unwrap_or(range.end);
                self.survey.dashed.push((range, end));
            }
            Event::InlineHtml(part) if !is_declaration(part) => {
                if self.dead == 0 {
                    self.survey.undeclared.push(range.start);
                }
                self.shown(part, range);
            }
            Event::InlineHtml(part) => {
                if self.dead == 0 && part.starts_with("<!") && !part.starts_with("<!--") {
                    self.survey.declared.push(range.start);
                }
                self.end_of_node();
                if html::pieces(part).first().is_some_and(html::parts) {
                    self.end_of_paragraph();
                }
                self.page().raw(part, range);
            }
            Event::Html(part) => self.page().raw(part, range),
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(*tag),
            Event::Code(shown) | Event::InlineMath(shown) | Event::DisplayMath(shown) => {
                self.end_of_paragraph();
                self.survey.code.push(range);
                self.page().generated("<code>");
                self.page().generated_text(shown);
                self.page().generated("</code>");
            }
            Event::FootnoteReference(_) => {
                self.end_of_paragraph();
                self.page().generated("<a href=\"#fn\">1</a>");
            }
            Event::HardBreak | Event::Rule | Event::TaskListMarker(_) => {
                if matches!(event, Event::TaskListMarker(_)) {
                    self.survey.boxes.push(range);
                }
                self.end_of_paragraph();
                self.page().generated("<br />");
            }
        }
    }

    fn shown(&mut self, shown: &str, range: Range<usize>) {
        self.page().generated_text(shown);
        if self.dead > 0 {
            return;
        }
        let before = range.start.checked_sub(1);
        let escaped = before.is_some_and(|before| {
            before >= self.shown_until && self.text.as_bytes().get(before) == Some(&b'\\')
        });
        self.shown_until = range.end;
        for cell in cells(self.text, range, shown, escaped) {
            if cell.shown == '~' && self.text.get(cell.source.clone()) == Some("~") {
                self.tildes
                    .shown(cell.source.start, self.inline.last().copied());
            }
            if matches!(cell.shown, '*' | '_') && !cell.escaped && cell.source.len() == 1 {
                self.tildes.other(cell.source.start);
            }
            self.node.push(cell);
        }
    }

    fn end_of_block(&mut self) {
        let tildes = std::mem::take(&mut self.tildes);
        if !tildes.is_empty() {
            self.survey.tildes.push(tildes);
        }
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
        if !is_inline(&tag.to_end()) {
            self.end_of_block();
        } else if !matches!(tag, Tag::Strikethrough) {
            self.inline.push(self.inline_parts);
            self.inline_parts += 1;
        }
        self.page().generated(match tag {
            Tag::HtmlBlock => "",
            Tag::Link { .. } => "<a href=\"x\">",
            Tag::Image { .. } => "<img alt=\"",
            Tag::Paragraph
            | Tag::Heading { .. }
            | Tag::BlockQuote(_)
            | Tag::CodeBlock(_)
            | Tag::List(_)
            | Tag::Item
            | Tag::FootnoteDefinition(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition
            | Tag::Table(_)
            | Tag::TableHead
            | Tag::TableRow
            | Tag::TableCell
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::MetadataBlock(_) => "<p>",
        });
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
                let start = self.page().len();
                let top_level = self.containers == 0;
                let in_footnote = self.in_footnote;
                self.survey.html_blocks.push(HtmlBlock {
                    page: start..start,
                    source: range,
                    top_level,
                    in_footnote,
                });
            }
            Tag::TableCell => self.survey.table_cells.push(range),
            Tag::Strikethrough => {
                let around = self.inline.last().copied();
                self.tildes.struck(self.text, &range, around);
            }
            Tag::BlockQuote(_) | Tag::Item => {
                let quote = matches!(tag, Tag::BlockQuote(_));
                let kind = if quote {
                    ContainerKind::Quote
                } else {
                    ContainerKind::Item
                };
                self.survey.containers.push(Container { range, kind });
                self.containers += 1;
            }
            Tag::DefinitionListDefinition => {
                self.survey.definitions.push(range.clone());
                self.survey.containers.push(Container {
                    range,
                    kind: ContainerKind::Item,
                });
                self.containers += 1;
            }
            Tag::FootnoteDefinition(_) => {
                self.in_footnote = true;
                self.survey.containers.push(Container {
                    range,
                    kind: ContainerKind::Footnote,
                });
                self.containers += 1;
            }
            Tag::Paragraph => self.survey.paragraphs.push(range),
            Tag::Heading { .. } => {
                self.survey.headings.push(range.clone());
                self.survey.paragraphs.push(range);
            }
            Tag::DefinitionListTitle => {
                self.survey.paragraphs.push(range);
                self.containers += 1;
            }
            Tag::List(_) | Tag::DefinitionList => self.containers += 1,
            Tag::Table(_) => self.survey.tables.push(range),
            Tag::TableHead
            | Tag::TableRow
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Superscript
            | Tag::Subscript => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        self.end_of_paragraph();
        if !is_inline(&tag) {
            self.end_of_block();
        } else if tag != TagEnd::Strikethrough {
            self.inline.pop();
        }
        self.page().generated(match tag {
            TagEnd::HtmlBlock => "",
            TagEnd::Link => "</a>",
            TagEnd::Image => "\" />",
            TagEnd::Paragraph
            | TagEnd::Heading(_)
            | TagEnd::BlockQuote(_)
            | TagEnd::CodeBlock
            | TagEnd::List(_)
            | TagEnd::Item
            | TagEnd::FootnoteDefinition
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::Table
            | TagEnd::TableHead
            | TagEnd::TableRow
            | TagEnd::TableCell
            | TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::MetadataBlock(_) => "</p>",
        });
        match tag {
            TagEnd::CodeBlock | TagEnd::Link | TagEnd::Image | TagEnd::MetadataBlock(_) => {
                self.dead = self.dead.saturating_sub(1);
            }
            TagEnd::HtmlBlock => {
                let end = self.page().len();
                if let Some(block) = self.survey.html_blocks.last_mut() {
                    block.page.end = end;
                }
            }
            TagEnd::FootnoteDefinition => {
                self.in_footnote = false;
                self.containers = self.containers.saturating_sub(1);
            }
            TagEnd::BlockQuote(_)
            | TagEnd::List(_)
            | TagEnd::Item
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

fn is_inline(tag: &TagEnd) -> bool {
    matches!(
        tag,
        TagEnd::Emphasis
            | TagEnd::Strong
            | TagEnd::Strikethrough
            | TagEnd::Superscript
            | TagEnd::Subscript
            | TagEnd::Link
            | TagEnd::Image
    )
}
