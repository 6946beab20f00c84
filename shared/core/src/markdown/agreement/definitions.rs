//! Definitions of link targets and of terms.

use super::lines::continues_paragraph;
use super::tables::{cells, columns_of_rule};
use crate::markdown::CUT;
use crate::markdown::edits::Edits;
use crate::markdown::parser;
use crate::markdown::survey::Survey;

/// A line under a definition is no heading's and no rule to GitLab's engine.
pub(super) fn lines_under_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
    if !text.contains("]:") {
        return;
    }
    for (span, _) in parser::definitions(text) {
        let mut end = span.start + text.get(span.clone()).unwrap_or("").trim_end().len();
        let mut next = line_behind(text, end);
        // A second definition of a label counts for nothing, and is one all the same.
        while next.starts_with('[') && next.contains("]:") {
            end += 1 + next.len();
            next = line_behind(text, end);
        }
        let line = next.trim_matches([' ', '\t']);
        let outside = survey
            .around(span.start)
            .any(|container| !container.takes(text, next));
        if !line.is_empty()
            && !outside
            && (line.bytes().all(|byte| byte == b'-') || line.bytes().all(|byte| byte == b'='))
        {
            let line_start = end + 1;
            // What this engine has taken for a definition stays one, whatever follows the line.
            let code = next.starts_with("    ") || next.starts_with('\t');
            if survey.around(span.start).next().is_none() && !code {
                edits.insert(line_start, "\n");
            }
            edits.insert(line_start + next.len() - next.trim_start().len(), "\\");
        }
    }
}

fn line_behind(text: &str, end: usize) -> &str {
    text.get(end..)
        .and_then(|rest| rest.strip_prefix('\n'))
        .and_then(|rest| rest.lines().next())
        .unwrap_or("")
}

/// A definition in a paragraph that goes on to a table or to a term's explanation is text to
/// GitLab's engine.
pub(super) fn shown_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
    if !text.contains("]:") {
        return;
    }
    for (span, _) in parser::definitions(text) {
        let around: Vec<_> = survey.around(span.start).collect();
        let written = text.get(span.clone()).unwrap_or("");
        let own = written.trim_end().lines().count();
        let after = text.get(span.start..).unwrap_or("");
        let mut lines: Vec<&str> = after.lines().take(own).collect();
        let belongs = |line: &&str| {
            continues_paragraph(line) && around.iter().all(|container| container.takes(text, line))
        };
        lines.extend(after.lines().skip(own).take_while(belongs));
        let explains = |line: &&str| begins_explanation(line.trim_start_matches(' '));
        // Only the first line that could be a rule is tried.
        let table = lines.windows(2).find_map(|lines| match lines {
            [header, rule] => columns_of_rule(rule).map(|columns| columns == cells(header)),
            _other => None,
        });
        let unbalanced = is_unbalanced(written);
        if table == Some(true) || unbalanced || lines.iter().skip(1).any(explains) {
            let label = text.get(span.clone()).and_then(|written| {
                let end = written.find("]:")? + 1;
                Some((written.get(..end)?, span.start + end))
            });
            match label {
                // Defined elsewhere too: in brackets it stays a link.
                Some((label, end)) if text.matches(&format!("{label}:")).count() > 1 => {
                    edits.insert(end, CUT)
                }
                Some(_) | None => edits.insert(span.start, "\\"),
            }
        }
    }
}

/// Whether the parentheses of a definition's bare target do not match, which makes it text to
/// GitLab's engine.
fn is_unbalanced(definition: &str) -> bool {
    let target = definition
        .split_once("]:")
        .map_or("", |(_, target)| target.trim_start());
    let mut depth = 0_usize;
    let mut characters = target.chars().take_while(|c| !c.is_ascii_whitespace());
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '(' => depth += 1,
            ')' if depth == 0 => return !target.starts_with('<'),
            ')' => depth -= 1,
            _other => {}
        }
    }
    depth > 0 && !target.starts_with('<')
}

/// Whether a line, without its indentation, explains the term above it.
pub(super) fn begins_explanation(line: &str) -> bool {
    let behind = line.strip_prefix([':', '~']);
    behind.is_some_and(|behind| behind.starts_with([' ', '\t']))
}

/// A tilde explains a term as a colon does, which only GitLab's engine knows.
pub(super) fn tilde_explanations(text: &str, survey: &Survey, edits: &mut Edits) {
    for paragraph in &survey.paragraphs {
        let mut start = paragraph.start;
        for line in text
            .get(paragraph.clone())
            .unwrap_or("")
            .split_inclusive('\n')
        {
            let own = line.len() - line.trim_start_matches([' ', '>']).len();
            let marked = line
                .get(own..)
                .is_some_and(|line| begins_explanation(line) && line.starts_with('~'));
            let above = survey.paragraphs.iter().any(|above| {
                above.end <= start
                    && !survey.headings.contains(above)
                    && !survey.is_in_footnote(above.start)
                    && text
                        .get(above.end..start)
                        .is_some_and(|between| between.trim().is_empty())
            });
            let belongs = survey
                .around(paragraph.start)
                .all(|container| container.takes(text, line));
            if marked && belongs && (start > paragraph.start || above) {
                edits.replace(start + own..start + own + 1, ":");
            }
            start += line.len();
        }
    }
}

/// Code in a definition (`:` and five spaces) is prose to GitLab's engine, and a colon alone on its
/// line defines nothing.
pub(super) fn wide_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
    for definition in &survey.definitions {
        let Some(content) = text
            .get(definition.start..)
            .and_then(|rest| rest.strip_prefix(':'))
        else {
            continue;
        };
        let spaces = content.len() - content.trim_start_matches([' ', '\t', '\n']).len();
        let line = content.get(..spaces).unwrap_or("");
        let indentation = columns(line.rsplit('\n').next().unwrap_or(""));
        let start = definition.start + 1;
        if line.is_empty() || line.starts_with('\n') {
            // On the line above it begins nothing, and a break there reads as a space. Elsewhere a
            // character reference is it: in raw HTML a backslash would be seen.
            let before = text
                .get(..definition.start)
                .unwrap_or("")
                .trim_end_matches(' ');
            let above = before.strip_suffix('\n').unwrap_or("");
            let prose = |at: usize| survey.paragraphs.iter().any(|prose| prose.contains(&at));
            let joins = above.len().checked_sub(1).is_some_and(prose);
            if !joins || above.ends_with(['\n', '\\', ' ']) {
                edits.replace(definition.start..start, "&#58;");
            } else {
                edits.replace(above.len()..definition.start, " ");
            }
        } else if line.contains('\n') && (2..6).contains(&indentation) {
            // What begins on a later line is no part of it to the parser.
            let item = content
                .get(spaces..)
                .unwrap_or("")
                .starts_with(['-', '+', '*']);
            let code = indentation > 3 && !line.starts_with(" \n");
            edits.replace(
                start..start + spaces,
                if item && code { " \\" } else { " " },
            );
        } else if !line.contains('\n') && (line.len() > 4 || line.contains('\t')) {
            edits.replace(start..start + spaces, "    ");
        }
    }
}

/// How far white space at the beginning of a line indents it.
fn columns(indentation: &str) -> usize {
    let wider = |at: usize, sign: char| {
        if sign == '\t' {
            at - at % 4 + 4
        } else {
            at + 1
        }
    };
    indentation.chars().fold(0, wider)
}
