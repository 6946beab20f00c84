//! Raw HTML: where it begins, where it ends, and what it leaves open.

use std::sync::LazyLock;

use regex::Regex;

use crate::markdown::CUT;
use crate::markdown::closing::RAW_BLOCKS;
use crate::markdown::edits::Edits;
use crate::markdown::html::{self, Piece};
use crate::markdown::literal::escaped;
use crate::markdown::survey::{ContainerKind, Survey};

/// `<!x …>` is a declaration to the parser, and to both as soon as a later change brings a `>`.
pub(super) fn declarations(text: &str, survey: &Survey, edits: &mut Edits) {
    for (comment, raw_until) in &survey.dashed {
        let inner = text
            .get(comment.clone())
            .unwrap_or("")
            .trim_end_matches('>')
            .trim_end_matches('-');
        let end = comment.start + inner.len().max("<!--".len());
        edits.replace(end..comment.end, " -->");
        let shown = comment.end..*raw_until;
        let written = text.get(shown.clone()).unwrap_or("");
        if !written.is_empty() && !written.contains(['<', '&', '\n']) {
            edits.replace(shown, escaped(written));
        }
    }
    for at in &survey.undeclared {
        // Behind a backtick it may be code as soon as the one before is no declaration any more.
        let first = survey.undeclared.first().copied().unwrap_or(*at);
        if text
            .get(first..*at)
            .is_some_and(|between| between.contains('`'))
        {
            break;
        }
        edits.insert(at + 1, CUT);
    }
    if !edits.is_empty() {
        return;
    }
    for run in &survey.prose {
        for (at, _) in run.text().match_indices("<!") {
            let (Some(open), Some(mark)) = (run.cell_at(at), run.cell_at(at + 1)) else {
                continue;
            };
            let written = open.source.len() == 1 && open.source.end == mark.source.start;
            if written && !open.escaped && !mark.escaped {
                edits.insert(open.source.end, CUT);
                // After one that is none GitLab's engine looks for no other in a paragraph.
                let paragraph = survey
                    .paragraphs
                    .iter()
                    .find(|p| p.contains(&open.source.start));
                // Unless a backtick between them begins code as soon as it is no part of the first.
                let later = survey.declared.iter().filter(|at| {
                    let between = text.get(open.source.start..**at);
                    between.is_some_and(|between| !between.contains('`'))
                        && paragraph.is_some_and(|p| p.contains(at))
                });
                later.for_each(|at| edits.insert(at + 1, CUT));
            }
        }
    }
}

/// An element that hides everything after it, end tag or not, becomes text: GitLab knows none of
/// them.
pub(super) fn open_raw_text(survey: &Survey, edits: &mut Edits) {
    for block in survey.html_blocks.iter().filter(|block| !block.top_level) {
        let html = survey.page.text(block.page.clone());
        let pieces = html::pieces(html);
        let last = pieces.iter().rev().find_map(|piece| match piece {
            Piece::Tag(tag) => Some(tag),
            Piece::Text(_) | Piece::Hidden(_) | Piece::Raw(_) => None,
        });
        // It would end wherever its end tag comes next on the page: in a footnote, perhaps.
        let open = last.filter(|tag| !tag.end && html::holds_raw_text(tag));
        let place = |tag: &html::Tag| survey.page.source(block.page.start + tag.range.start);
        if let Some(at) = open.and_then(place) {
            edits.replace(at..at + 1, "&lt;");
        }
    }
    let pieces = survey.page.pieces();
    let mut last = pieces
        .iter()
        .rev()
        .filter(|piece| !matches!(piece, Piece::Text(_) | Piece::Raw(_)));
    let Some(Piece::Tag(tag)) = last.next().filter(|piece| is_near_end(piece, &pieces)) else {
        return;
    };
    if let Some(at) = survey
        .page
        .source(tag.range.start)
        .filter(|_| html::holds_raw_text(tag))
    {
        edits.replace(at..at + 1, "&lt;");
    }
}

/// The last piece, or the one before its text.
pub(super) fn is_near_end(piece: &Piece, pieces: &[Piece]) -> bool {
    pieces.iter().rev().take(2).any(|last| last == piece)
}

/// A tag alone on a line that is a table's row, or that continues the paragraph of a list item or
/// quote without belonging to it, begins a block of its own in GitLab's engine; a blank line before
/// it says so to both.
pub(super) fn lazy_tags(text: &str, survey: &Survey, edits: &mut Edits) {
    let items = survey.containers.iter().map(|container| &container.range);
    for paragraph in survey.paragraphs.iter().chain(&survey.tables).chain(items) {
        let written = text.get(paragraph.clone()).unwrap_or("");
        if !written.contains("\n") || !written.contains('<') {
            continue;
        }
        let around: Vec<_> = survey.around(paragraph.start).collect();
        let table = survey.tables.contains(paragraph);
        let mut start = paragraph.start;
        for line in written.split_inclusive('\n') {
            let lazy = table || around.iter().any(|container| !container.takes(text, line));
            let blank = text
                .get(..start)
                .is_some_and(|before| before.ends_with("\n\n"));
            if start > paragraph.start && lazy && !blank && is_tag_alone(line) {
                edits.insert(start, "\n");
                break;
            }
            start += line.len();
        }
    }
}

pub(super) fn is_tag_alone(line: &str) -> bool {
    static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let attribute =
            r#"\s+[A-Za-z_:][A-Za-z0-9_.:-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^ \t\n"'=<>`]+))?"#
                .replace(r"\s", r"[ \t\n]");
        Regex::new(&format!(
            r"^ {{0,3}}</?[A-Za-z][A-Za-z0-9-]*(?:{attribute})*[ \t]*/?>[ \t\n]*$"
        ))
        .ok()
    });
    TAG.as_ref().is_some_and(|tag| tag.is_match(line))
}

/// Raw HTML that a footnote leaves open hides nothing behind it where the footnote is not shown at
/// its place: it becomes text.
pub(super) fn open_html_in_footnotes(text: &str, survey: &Survey, edits: &mut Edits) {
    for block in &survey.html_blocks {
        if !survey.is_in_footnote(block.source.start) {
            continue;
        }
        let html = survey.page.text(block.page.clone());
        let open = html::pieces(html).last().is_some_and(|last| match last {
            Piece::Hidden(range) => !html::ends_hidden(html.get(range.clone()).unwrap_or("")),
            Piece::Tag(tag) => !tag.finished || html::holds_raw_text(tag),
            Piece::Text(_) | Piece::Raw(_) => false,
        });
        let first = text
            .get(block.source.clone())
            .and_then(|block| block.find('<'));
        if let Some(at) = first.filter(|_| open) {
            edits.replace(block.source.start + at..block.source.start + at + 1, "&lt;");
            edits.insert(block.source.end, "\n");
        }
    }
}

/// Raw HTML in a line that belongs to no quote or list is no part of them.
pub(super) fn stray_blocks(text: &str, survey: &Survey, edits: &mut Edits) {
    for block in &survey.html_blocks {
        let at = block.source.start;
        let start = text
            .get(..at)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |end| end + 1);
        let line = text
            .get(start..)
            .and_then(|rest| rest.lines().next())
            .unwrap_or("");
        let mut around = survey
            .containers
            .iter()
            .filter(|container| container.range.contains(&at) && container.range.start < start);
        if around
            .any(|container| container.kind == ContainerKind::Quote && !container.takes(text, line))
        {
            edits.insert(start, "\n");
        }
    }
}

/// A quote that a tag leaves open hides what follows from some readers only: the tag becomes text.
pub(super) fn open_quotes(survey: &Survey, edits: &mut Edits) {
    for block in &survey.html_blocks {
        let html = survey.page.text(block.page.clone());
        let pieces = html::pieces(html);
        let Some(Piece::Tag(tag)) = pieces.last().filter(|_| html.contains(['"', '\''])) else {
            continue;
        };
        let open = tag
            .attributes
            .last()
            .is_some_and(|last| last.quote.is_some() && last.value.end == html.len());
        if let Some(at) = survey
            .page
            .source(block.page.start + tag.range.start)
            .filter(|_| open && !tag.finished)
        {
            edits.replace(at..at + 1, "&lt;");
        }
    }
}

/// Raw HTML that begins with `<pre>` and its like ends with any of their end tags in GitLab's
/// engine, with its own in the parser used here.
pub(super) fn foreign_ends(text: &str, survey: &Survey, edits: &mut Edits) {
    for block in &survey.html_blocks {
        let html = survey.page.text(block.page.clone()).to_ascii_lowercase();
        let own = RAW_BLOCKS
            .iter()
            .find(|name| html.trim_start().starts_with(&format!("<{name}")));
        let Some(own) = own else { continue };
        let ends = RAW_BLOCKS.iter().filter_map(|name| {
            let tag = format!("</{name}>");
            html.find(&tag).map(|at| (at, at + tag.len(), name))
        });
        let Some((_, end, name)) = ends.min() else {
            continue;
        };
        if let Some(at) = survey
            .page
            .source(block.page.start + end - 1)
            .filter(|_| name != own)
        {
            let end = format!("<!--</{own}>-->");
            if !text
                .get(at + 1..)
                .is_some_and(|after| after.starts_with(&end))
            {
                edits.insert(at + 1, end);
            }
        }
    }
}
