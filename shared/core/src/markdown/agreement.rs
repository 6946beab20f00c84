//! Raw HTML on which the parser used here and GitLab's engine disagree, written so that they agree.
//!
//! What one reads as prose and the other as HTML could not be made inert for both: a backslash is
//! shown in HTML.

use std::ops::Range;

use super::edits::Edits;
use super::hazards::hazards;
use super::html::{self, Piece, Tag};
use super::literal::literal;
use super::survey::{Container, Survey, survey};

/// One change may lay open the next; only a hostile text needs more rounds than these.
const ROUNDS: usize = 8;

/// The text, read alike by both.
pub(super) fn agreed(mut text: String) -> String {
    for _ in 0..ROUNDS {
        let mut edits = Edits::default();
        let survey = survey(&text);
        declarations(&survey, &mut edits);
        open_raw_text(&survey, &mut edits);
        lazy_tags(&text, &survey, &mut edits);
        alert_titles(&text, &survey, &mut edits);
        wide_definitions(&text, &survey, &mut edits);
        if edits.is_empty() {
            break;
        }
        text = edits.apply(&text);
    }
    text
}

/// `<!x …>` is a declaration to the parser, and to both as soon as a later change brings a `>`.
fn declarations(survey: &Survey, edits: &mut Edits) {
    for at in &survey.undeclared {
        edits.insert(at + 1, super::CUT);
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
                edits.insert(open.source.end, super::CUT);
            }
        }
    }
}

/// An element that hides everything after it, end tag or not, becomes text: GitLab knows none of
/// them.
fn open_raw_text(survey: &Survey, edits: &mut Edits) {
    let pieces = survey.page.pieces();
    let mut last = pieces.iter().rev().filter(|piece| !matches!(piece, Piece::Text(_) | Piece::Raw(_)));
    let Some(Piece::Tag(tag)) = last.next().filter(|piece| is_near_end(piece, &pieces)) else {
        return;
    };
    if let Some(at) = survey.page.source(tag.range.start).filter(|_| html::holds_raw_text(tag)) {
        edits.replace(at..at + 1, "&lt;");
    }
}

/// The last piece, or the one before its text.
fn is_near_end(piece: &Piece, pieces: &[Piece]) -> bool {
    pieces.iter().rev().take(2).any(|last| last == piece)
}

/// A tag alone on a line that is a table's row, or that continues the paragraph of a list item or quote without belonging to
/// it begins a block of its own in GitLab's engine; a blank line before it says so to both.
fn lazy_tags(text: &str, survey: &Survey, edits: &mut Edits) {
    for tag in &survey.tags {
        let start = text.get(..tag.start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let indentation = tag.start - start;
        let indented = text.get(start..tag.start).is_some_and(|before| before.bytes().all(|byte| byte == b' '));
        let alone = text.get(tag.end..).is_some_and(|after| after.lines().next().unwrap_or("").trim().is_empty());
        let around = survey.containers.iter().filter(|container| container.range.contains(&tag.start));
        let lazy = around.into_iter().any(|container| start > container.range.start && container.needs(text) > indentation);
        let in_table = survey.table_cells.iter().any(|cell| cell.contains(&tag.start));
        if indented && indentation < 4 && alone && (lazy || in_table) && is_tag(text, tag) {
            edits.insert(start, "\n");
        }
    }
}

fn is_tag(text: &str, range: &Range<usize>) -> bool {
    let markup = text.get(range.clone()).unwrap_or("");
    let pieces = html::pieces(markup);
    matches!(pieces.first(), Some(Piece::Tag(Tag { finished: true, .. }))) && !markup.contains('\n')
}

/// The title of an alert (`> [!NOTE] title`) is plain text to GitLab's newest releases, in which
/// nothing escapes. One that holds anything of meaning becomes a bold line in a plain quote.
fn alert_titles(text: &str, survey: &Survey, edits: &mut Edits) {
    for quote in survey.containers.iter().filter(|container| container.quote) {
        let Some((title, start)) = quote.alert_title(text) else { continue };
        if hazards(title).is_empty() && !title.contains(['<', '&', '\\']) && !title.contains("://") {
            continue;
        }
        let end = start + text.get(start..).and_then(|rest| rest.find('\n')).unwrap_or(text.len() - start);
        let line = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let prefix: String = text.get(line..start).unwrap_or("").chars().map(|c| if c == '>' { '>' } else { ' ' }).collect();
        let fence = prefix.trim() == ">>>";
        let (before, after) = if fence { ("\n", String::new()) } else { ("", prefix.trim_end().to_owned()) };
        edits.replace(start..end, format!("{before}**{}**\n{after}", literal(title)));
    }
}

/// Code in a definition (`:` and five spaces) is prose to GitLab's engine.
fn wide_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
    for definition in &survey.definitions {
        let written = text.get(definition.clone()).unwrap_or("");
        let Some(content) = written.strip_prefix(':') else { continue };
        let spaces = content.len() - content.trim_start_matches([' ', '\t']).len();
        if spaces > 4 || content.starts_with(['\t']) {
            let start = definition.start + 1;
            edits.replace(start..start + spaces, " ");
        }
    }
}

impl Container {
    /// The title behind `[!NOTE]` in a quote's first line, and where the `[` stands.
    fn alert_title<'a>(&self, text: &'a str) -> Option<(&'a str, usize)> {
        let quote = text.get(self.range.clone())?;
        let line = quote.lines().next()?;
        let inner = line.trim_start_matches(['>', ' ', '\t']);
        let (kind, title) = inner.strip_prefix("[!")?.split_once(']')?;
        let known = ["note", "tip", "important", "warning", "caution"];
        let alert = known.iter().any(|known| kind.eq_ignore_ascii_case(known)) && !title.trim().is_empty();
        alert.then_some((title.trim(), self.range.start + line.len() - inner.len()))
    }

    /// How far a line must be indented to belong to it; no indentation makes one belong to a quote.
    fn needs(&self, text: &str) -> usize {
        if self.quote {
            return usize::MAX;
        }
        let start = text.get(..self.range.start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        let item = text.get(self.range.clone()).and_then(|item| item.lines().next()).unwrap_or("");
        let marker = item.find([' ', '\t']).unwrap_or(item.len());
        let spaces = item.get(marker..).map_or(0, |rest| rest.len() - rest.trim_start().len());
        let spaces = if (1..=4).contains(&spaces) { spaces } else { 1 };
        self.range.start - start + marker + spaces
    }
}
