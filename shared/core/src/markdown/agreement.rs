//! Raw HTML on which the parser used here and GitLab's engine disagree, written so that they agree.
//!
//! What one reads as prose and the other as HTML could not be made inert for both: a backslash is
//! shown in HTML.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::closing::{RAW_BLOCKS, open_block};
use super::edits::Edits;
use super::hazards::{hazards, hazards_if_parted};
use super::html::{self, Piece};
use super::literal::escaped;
use super::parser;
use super::survey::{Container, ContainerKind, Survey, survey};

/// One change may lay open the next; only a hostile text needs more rounds than these.
const ROUNDS: usize = 8;

/// The text, read alike by both.
pub(super) fn agreed(mut text: String) -> String {
    for _ in 0..ROUNDS {
        let survey = survey(&text);
        let mut edits = Edits::default();
        blocks(&text, &survey, &mut edits);
        if edits.is_empty() {
            declarations(&survey, &mut edits);
            open_raw_text(&survey, &mut edits);
            number_at_end(&text, &mut edits);
        }
        if edits.is_empty() {
            break;
        }
        text = edits.apply(&text);
    }
    text
}

/// What concerns where a block begins or ends goes first: the rest depends on it.
fn blocks(text: &str, survey: &Survey, edits: &mut Edits) {
    shown_definitions(text, survey, edits);
    lines_under_definitions(text, survey, edits);
    tilde_explanations(text, survey, edits);
    alert_titles(text, survey, edits);
    alerts_alone(text, survey, edits);
    empty_tasks(text, survey, edits);
    if !edits.is_empty() {
        return;
    }
    lazy_tags(text, survey, edits);
    if edits.is_empty() {
        // Behind a tag that begins a block of its own no line is a table's.
        code_after_tables(text, survey, edits);
    }
    tables_in_paragraphs(text, survey, edits);
    open_html_in_footnotes(text, survey, edits);
    open_quotes(survey, edits);
    stray_blocks(text, survey, edits);
    fenced_quotes(text, survey, edits);
    foreign_ends(text, survey, edits);
    wide_definitions(text, survey, edits);
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
fn is_near_end(piece: &Piece, pieces: &[Piece]) -> bool {
    pieces.iter().rev().take(2).any(|last| last == piece)
}

/// A tag alone on a line that is a table's row, or that continues the paragraph of a list item or
/// quote without belonging to it, begins a block of its own in GitLab's engine; a blank line before
/// it says so to both.
fn lazy_tags(text: &str, survey: &Survey, edits: &mut Edits) {
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

fn is_tag_alone(line: &str) -> bool {
    static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let attribute =
            r#"\s+[A-Za-z_:][A-Za-z0-9_.:-]*(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?"#;
        Regex::new(&format!(
            r"^ {{0,3}}</?[A-Za-z][A-Za-z0-9-]*(?:{attribute})*\s*/?>\s*$"
        ))
        .ok()
    });
    TAG.as_ref().is_some_and(|tag| tag.is_match(line))
}

/// The title of an alert (`> [!NOTE] title`) is plain text to GitLab's newest releases, in which
/// nothing can be escaped or cut. One that holds anything live becomes a bold line in a plain quote.
fn alert_titles(text: &str, survey: &Survey, edits: &mut Edits) {
    for quote in survey
        .containers
        .iter()
        .filter(|container| container.kind == ContainerKind::Quote)
    {
        let Some((title, start)) = quote.alert_title(text) else {
            continue;
        };
        let bare = title.replace(['*', '_', '~', '`'], " ");
        if hazards_if_parted(&title).is_empty()
            && hazards(&bare).is_empty()
            && !title.contains('<')
            && !title.contains("://")
        {
            continue;
        }
        let end = start
            + text
                .get(start..)
                .and_then(|rest| rest.find('\n'))
                .unwrap_or(text.len() - start);
        let prefix = continued(text, start);
        let fence = prefix.trim() == ">>>";
        let (before, after) = if fence {
            ("\n", "")
        } else {
            ("", prefix.trim_end())
        };
        edits.replace(
            start..end,
            format!("{before}<strong>{}</strong>\n{after}", escaped(&title)),
        );
    }
}

/// The line after an alert's first line is no part of it without a `>`, whatever the parser says.
fn alerts_alone(text: &str, survey: &Survey, edits: &mut Edits) {
    for quote in survey
        .containers
        .iter()
        .filter(|container| container.kind == ContainerKind::Quote)
    {
        let written = text.get(quote.range.clone()).unwrap_or("");
        let Some((first, rest)) = written.split_once('\n') else {
            continue;
        };
        let alert = first.trim_start_matches(['>', ' ', '\t']).starts_with("[!");
        let next = rest
            .lines()
            .next()
            .unwrap_or("")
            .trim_start_matches([' ', '\t']);
        if alert && !next.is_empty() && !next.starts_with('>') {
            edits.insert(quote.range.start + first.len() + 1, "\n");
        }
    }
}

/// What a line must begin with to stand in the containers of the line in which a place is.
fn continued(text: &str, at: usize) -> String {
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

/// GitLab's engine begins a table in the middle of a paragraph; a blank line says so to both.
fn tables_in_paragraphs(text: &str, survey: &Survey, edits: &mut Edits) {
    for paragraph in &survey.paragraphs {
        let Some(written) = text
            .get(paragraph.clone())
            .filter(|written| written.contains('|'))
        else {
            continue;
        };
        if survey.is_in_footnote(paragraph.start) {
            continue;
        }
        let around: Vec<_> = survey.around(paragraph.start).collect();
        let belongs = |line: &str| around.iter().all(|container| container.takes(text, line));
        let mut start = paragraph.start;
        let mut lines: Vec<(usize, &str)> = Vec::new();
        for line in written.split('\n') {
            lines.push((start, line));
            start += line.len() + 1;
        }
        // Only the first line that could be a rule is tried.
        let rule = lines
            .windows(2)
            .position(|lines| matches!(lines, [_, (_, rule)] if columns_of_rule(rule).is_some()));
        let Some([(at, header), (rule_at, rule)]) = rule.and_then(|rule| lines.get(rule..rule + 2))
        else {
            continue;
        };
        let first = *at == paragraph.start;
        if columns_of_rule(rule) == Some(cells(header)) && belongs(header) && belongs(rule) {
            let own = header.len() - unquoted(header).len();
            if !header.contains('|') {
                // The parser knows no table without a bar in its head.
                edits.insert(at + own, "|");
                edits.insert(at + header.trim_end().len(), "|");
                edits.insert(rule_at + rule.trim_end().len(), "|");
            }
            if first {
                continue;
            }
            let prefix = if around.is_empty() {
                String::new()
            } else {
                continued(text, at + own)
            };
            edits.replace(*at..at + own, format!("{}\n{prefix}", prefix.trim_end()));
            list_marker(at + own, unquoted(header), edits);
        }
    }
}

/// What cannot interrupt a paragraph as a list must not begin one after it either.
fn list_marker(at: usize, line: &str, edits: &mut Edits) {
    let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let numbers = digits > 0
        && line
            .get(digits..)
            .is_some_and(|rest| rest.starts_with(['.', ')']));
    if numbers
        || ["- ", "+ ", "* "]
            .iter()
            .any(|marker| line.starts_with(marker))
    {
        edits.insert(at + digits, "\\");
    }
}

/// An indented line after a table is code to GitLab's engine, not a row.
fn code_after_tables(text: &str, survey: &Survey, edits: &mut Edits) {
    for cell in &survey.table_cells {
        let start = text
            .get(..cell.start)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |end| end + 1);
        let before = text.get(start..cell.start).unwrap_or("");
        let blank = text
            .get(..start)
            .is_some_and(|before| before.ends_with("\n\n"));
        let indented = before.trim().is_empty() && (before.contains('\t') || before.len() > 3);
        let inside = survey.around(cell.start).next().is_some();
        if indented && !inside && !blank && start > 0 {
            edits.insert(start, "\n");
            // The lines behind it are code then, too.
            return;
        }
    }
}

/// A line under a definition is no heading's and no rule to GitLab's engine.
fn lines_under_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
    if !text.contains("]:") {
        return;
    }
    for (span, _) in parser::definitions(text) {
        let end = span.start + text.get(span.clone()).unwrap_or("").trim_end().len();
        let next = text
            .get(end..)
            .and_then(|rest| rest.strip_prefix('\n'))
            .and_then(|rest| rest.lines().next())
            .unwrap_or("");
        let line = next.trim();
        let outside = survey
            .around(span.start)
            .any(|container| !container.takes(text, next));
        if !line.is_empty()
            && !outside
            && (line.bytes().all(|byte| byte == b'-') || line.bytes().all(|byte| byte == b'='))
        {
            edits.insert(end + 1 + next.len() - next.trim_start().len(), "\\");
        }
    }
}

/// A tilde explains a term as a colon does, which only GitLab's engine knows.
fn tilde_explanations(text: &str, survey: &Survey, edits: &mut Edits) {
    for paragraph in &survey.paragraphs {
        let mut start = paragraph.start;
        for line in text
            .get(paragraph.clone())
            .unwrap_or("")
            .split_inclusive('\n')
        {
            let own = line.len() - line.trim_start_matches([' ', '>']).len();
            let marked = line.get(own..).is_some_and(|line| line.starts_with("~ "));
            let above = survey.paragraphs.iter().any(|above| {
                above.end <= start
                    && !survey.headings.contains(above)
                    && text
                        .get(above.end..start)
                        .is_some_and(|between| between.trim().is_empty())
            });
            if marked && (start > paragraph.start || above) {
                edits.replace(start + own..start + own + 1, ":");
            }
            start += line.len();
        }
    }
}

fn unquoted(line: &str) -> &str {
    line.trim_start_matches(['>', ' ', '\t'])
}

/// How many columns a table's second line announces.
fn columns_of_rule(line: &str) -> Option<usize> {
    let indented = line.len() - line.trim_start_matches([' ', '\t']).len() > 3;
    let line = unquoted(line).trim_end();
    let rule = !indented
        && line.contains('-')
        && line.contains('|')
        && line.chars().all(|c| "|:- \t".contains(c));
    let cell = |cell: &str| {
        let dashes = cell.trim().trim_start_matches(':').trim_end_matches(':');
        !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-')
    };
    let inner = line.strip_prefix('|').unwrap_or(line);
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    (rule && inner.split('|').all(cell)).then(|| inner.split('|').count())
}

fn cells(header: &str) -> usize {
    let header = unquoted(header).trim_end().replace("\\|", "");
    let inner = header.strip_prefix('|').unwrap_or(&header);
    inner.strip_suffix('|').unwrap_or(inner).split('|').count()
}

/// Raw HTML that a footnote leaves open hides nothing behind it where the footnote is not shown at
/// its place: it becomes text.
fn open_html_in_footnotes(text: &str, survey: &Survey, edits: &mut Edits) {
    for block in &survey.html_blocks {
        if !survey.is_in_footnote(block.source.start) {
            continue;
        }
        let html = survey.page.text(block.page.clone());
        let open = html::pieces(html).last().is_some_and(|last| match last {
            Piece::Hidden(range) => {
                let markup = html.get(range.clone()).unwrap_or("");
                if markup.starts_with("<!--") {
                    !html::ends_comment(markup)
                } else {
                    !markup.ends_with('>')
                }
            }
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
fn stray_blocks(text: &str, survey: &Survey, edits: &mut Edits) {
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
fn open_quotes(survey: &Survey, edits: &mut Edits) {
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

/// Code in a definition (`:` and five spaces) is prose to GitLab's engine, and a colon alone on its
/// line defines nothing.
fn wide_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
    for definition in &survey.definitions {
        let Some(content) = text
            .get(definition.start..)
            .and_then(|rest| rest.strip_prefix(':'))
        else {
            continue;
        };
        let spaces = content.len() - content.trim_start_matches([' ', '\t', '\n']).len();
        let line = content.get(..spaces).unwrap_or("");
        let indentation = line.rsplit('\n').next().unwrap_or("");
        let start = definition.start + 1;
        if line.is_empty() || line.starts_with('\n') {
            edits.insert(definition.start, "\\");
        } else if line.contains('\n') && (4..6).contains(&indentation.len()) {
            edits.replace(start + spaces - indentation.len()..start + spaces, "   ");
        } else if !line.contains('\n') && (line.len() > 4 || line.contains('\t')) {
            edits.replace(start..start + spaces, " ");
        }
    }
}

impl Container {
    /// The title behind `[!NOTE]` in a quote's first line that says anything, and where the `[`
    /// stands.
    fn alert_title(&self, text: &str) -> Option<(String, usize)> {
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
        let known = ["note", "tip", "important", "warning", "caution"];
        let alert = known.iter().any(|known| kind.eq_ignore_ascii_case(known));
        let title = unescaped(title.trim_matches([' ', '\t']));
        (alert && !title.is_empty()).then(|| (title, self.range.start + quote.len() - inner.len()))
    }

    /// Whether a line of its text belongs to it by itself.
    fn takes(&self, text: &str, line: &str) -> bool {
        let indentation = line.len() - line.trim_start_matches([' ', '>']).len();
        match self.kind {
            ContainerKind::Quote => line.trim_start().starts_with('>'),
            ContainerKind::Item => indentation >= self.needs(text),
            ContainerKind::Footnote => indentation >= 4,
        }
    }

    /// How far a line must be indented to belong to it; no indentation that is no code makes one belong to a quote or
    /// footnote.
    fn needs(&self, text: &str) -> usize {
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

/// A definition in a paragraph that goes on to a table or to a term's explanation is text to
/// GitLab's engine.
fn shown_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
    if !text.contains("]:") {
        return;
    }
    for (span, _) in parser::definitions(text) {
        let around: Vec<_> = survey.around(span.start).collect();
        let last = text
            .get(span.clone())
            .unwrap_or("")
            .trim_end()
            .rfind('\n')
            .map_or(0, |end| end + 1);
        let after = text.get(span.start + last..).unwrap_or("");
        let mut lines: Vec<&str> = after.lines().take(1).collect();
        let belongs = |line: &&str| {
            continues_paragraph(line) && around.iter().all(|container| container.takes(text, line))
        };
        lines.extend(after.lines().skip(1).take_while(belongs));
        let explains = |line: &&str| {
            [": ", "~ "]
                .iter()
                .any(|mark| line.trim_start_matches(' ').starts_with(mark))
        };
        let table = lines.windows(2).any(
            |lines| matches!(lines, [header, rule] if columns_of_rule(rule) == Some(cells(header))),
        );
        if table || lines.iter().skip(1).any(explains) {
            edits.insert(span.start, "\\");
        }
    }
}

fn continues_paragraph(line: &str) -> bool {
    let line = line.trim_start();
    let begins = [
        ">", "<", "---", "===", "***", "```", "~~~", "# ", "- ", "* ", "+ ",
    ];
    !line.is_empty() && !begins.iter().any(|begin| line.starts_with(begin))
}

/// A task without text misleads the parser about what follows; its box is shown as text.
fn empty_tasks(text: &str, survey: &Survey, edits: &mut Edits) {
    for task in &survey.boxes {
        if text
            .get(task.end..)
            .is_none_or(|after| after.lines().next().unwrap_or("").trim().is_empty())
        {
            edits.insert(task.start, "\\");
        }
    }
}

/// Lines of `>>>` fence a quote, whose end is the end of whatever stands open in it.
fn fenced_quotes(text: &str, survey: &Survey, edits: &mut Edits) {
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let length = fence_of_quote(line);
        let block = survey
            .blocks_of_text()
            .find(|block| block.start < start && block.contains(&start));
        let closes = open.last().is_some_and(|(_, opening)| *opening <= length);
        match block {
            _ if length < 3 => {}
            Some(block) if closes && open.last().is_some_and(|(at, _)| *at < block.start) => {
                let before = text.get(..start).unwrap_or("");
                let end = open_block(before, &super::survey::survey(before)).unwrap_or_default();
                edits.insert(start, format!("{end}\n"));
                return;
            }
            Some(_) => {}
            None if closes => {
                open.pop();
            }
            None => {
                if line.starts_with(' ') {
                    dedent(text, start, length, edits);
                    return;
                }
                open.push((start, length));
            }
        }
        start += line.len();
    }
}

/// The content of an indented fence is read without that indentation.
fn dedent(text: &str, start: usize, fence: usize, edits: &mut Edits) {
    let rest = text.get(start..).unwrap_or("");
    let depth = rest.len() - rest.trim_start_matches(' ').len();
    let mut at = start;
    for line in rest.split_inclusive('\n') {
        let spaces = (line.len() - line.trim_start_matches(' ').len()).min(depth);
        edits.replace(at..at + spaces, "");
        if at > start && fence_of_quote(line) >= fence {
            break;
        }
        at += line.len();
    }
}

fn fence_of_quote(line: &str) -> usize {
    let signs = line.trim_matches([' ', '\t', '\n']);
    let fence = signs.bytes().all(|byte| byte == b'>') && !line.starts_with("    ");
    if fence { signs.len() } else { 0 }
}

/// Raw HTML that begins with `<pre>` and its like ends with any of their end tags in GitLab's
/// engine, with its own in the parser used here.
fn foreign_ends(text: &str, survey: &Survey, edits: &mut Edits) {
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

/// A number and a point that end the text are no list item to GitLab's engine; with this many
/// digits they could be a commit.
fn number_at_end(text: &str, edits: &mut Edits) {
    let number = text.strip_suffix(['.', ')']).unwrap_or("");
    let digits = number.len() - number.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 6 {
        edits.insert(number.len(), "\\");
    }
}

impl Survey {
    /// Blocks in which `>>>` is text like any other.
    fn blocks_of_text(&self) -> impl Iterator<Item = &Range<usize>> {
        let fences = self.fences.iter().map(|fence| &fence.range);
        fences.chain(self.html_blocks.iter().map(|block| &block.source))
    }

    fn around(&self, at: usize) -> impl Iterator<Item = &Container> {
        self.containers
            .iter()
            .filter(move |container| container.range.contains(&at))
    }

    fn is_in_footnote(&self, at: usize) -> bool {
        let mut footnotes = self
            .containers
            .iter()
            .filter(|container| container.kind == ContainerKind::Footnote);
        footnotes.any(|footnote| footnote.range.contains(&at))
    }
}

/// Without backslash escapes, then without character references.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = characters.next_if(|next| character == '\\' && next.is_ascii_punctuation());
        plain.push(escaped.unwrap_or(character));
    }
    let mut shown = String::with_capacity(plain.len());
    let mut rest = plain.as_str();
    while let Some(first) = rest.chars().next() {
        let reference = html::character_reference(rest).filter(|(_, length)| {
            rest.get(..*length)
                .is_some_and(|reference| reference.ends_with(';'))
        });
        let (meaning, length) = reference.unwrap_or((first, first.len_utf8()));
        shown.push(meaning);
        rest = rest.get(length..).unwrap_or("");
    }
    shown
}
