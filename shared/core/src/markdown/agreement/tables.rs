//! Where a table begins and ends.

use super::containers::continued;
use crate::markdown::edits::Edits;
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
pub(super) fn list_marker(at: usize, line: &str, edits: &mut Edits) {
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
        let indented = before.trim().is_empty() && (before.contains('\t') || before.len() > 3);
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
    let header = unquoted(header).trim_end().replace("\\|", "");
    let inner = header.strip_prefix('|').unwrap_or(&header);
    inner.strip_suffix('|').unwrap_or(inner).split('|').count()
}
