//! Where a table begins and ends.

use super::containers::continued;
use super::definitions::begins_explanation;
use crate::markdown::edits::Edits;
use crate::markdown::parser;
use crate::markdown::survey::Survey;

/// GitLab's engine begins a table in the middle of a paragraph; a blank line says so to both.
pub(super) fn tables_in_paragraphs(text: &str, survey: &Survey, edits: &mut Edits) {
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
        let Some([(at, header), (_, rule)]) = rule.and_then(|rule| lines.get(rule..rule + 2))
        else {
            continue;
        };
        // A rule below a definition has used up that one try, too.
        let tried = lines
            .first()
            .is_some_and(|(_, line)| columns_of_rule(line).is_some())
            && is_below_definition(text, paragraph.start);
        let explains = *at > paragraph.start && begins_explanation(unquoted(header));
        if tried || explains {
            continue;
        }
        let first = *at == paragraph.start;
        if columns_of_rule(rule) == Some(cells(header)) && belongs(header) && belongs(rule) {
            let own = header.len() - unquoted(header).len();
            // The parser knows no table without a bar in its head. And behind a bar nothing in the
            // head begins a list, raw HTML or any other block.
            if !header.contains('|') || !(first || unquoted(header).starts_with('|')) {
                edits.insert(at + own, "|");
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
        }
    }
}

/// A rule in the middle of a paragraph uses up the one try at a table there, also if it then looks
/// like the head of one.
pub(super) fn rules_as_heads(text: &str, survey: &Survey, edits: &mut Edits) {
    for table in &survey.tables {
        let before = text.get(..table.start).unwrap_or("");
        let Some(above) = before.strip_suffix('\n').filter(|above| !above.is_empty()) else {
            continue;
        };
        let prose = survey
            .paragraphs
            .iter()
            .any(|prose| prose.contains(&(above.len() - 1)));
        let written = text.get(table.clone()).unwrap_or("");
        let Some((head, rule)) = written.split_once('\n') else {
            continue;
        };
        let heading = survey
            .headings
            .iter()
            .any(|heading| heading.contains(&(above.len() - 1)));
        if prose && !heading && !above.ends_with('\n') && columns_of_rule(head).is_some() {
            let indentation = rule.len() - rule.trim_start_matches(' ').len();
            edits.insert(table.start + head.len() + 1 + indentation, "\\");
        }
    }
}

fn is_below_definition(text: &str, start: usize) -> bool {
    let mut definitions = parser::definitions(text).into_iter();
    definitions.any(|(span, _)| {
        let written = text.get(span.clone()).unwrap_or("").trim_end();
        span.start + written.len() + 1 == start
    })
}

/// An indented line after a table is code to GitLab's engine, not a row.
pub(super) fn code_after_tables(text: &str, survey: &Survey, edits: &mut Edits) {
    for cell in &survey.table_cells {
        let start = text
            .get(..cell.start)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |end| end + 1);
        let before = text.get(start..cell.start).unwrap_or("");
        let blank = text
            .get(..start)
            .is_some_and(|before| before.ends_with("\n\n"));
        let indented = before.trim_end_matches('|').trim().is_empty()
            && (before.contains('\t') || before.starts_with("    "));
        let inside = survey.around(cell.start).next().is_some();
        if indented && !inside && !blank && start > 0 {
            edits.insert(start, "\n");
            // The lines behind it are code then, too.
            return;
        }
    }
}

pub(super) fn unquoted(line: &str) -> &str {
    line.trim_start_matches(['>', ' ', '\t'])
}

/// How many columns a table's second line announces.
pub(super) fn columns_of_rule(line: &str) -> Option<usize> {
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

pub(super) fn cells(header: &str) -> usize {
    let header = unquoted(header).trim_end().replace("\\|", "x");
    let inner = header.strip_prefix('|').unwrap_or(&header);
    inner.strip_suffix('|').unwrap_or(inner).split('|').count()
}
