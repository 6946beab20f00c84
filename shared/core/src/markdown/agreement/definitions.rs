//! Definitions of link targets and of terms.

use super::tables::{cells, columns_of_rule};
use crate::markdown::edits::Edits;
use crate::markdown::parser;
use crate::markdown::survey::Survey;

/// A line under a definition is no heading's and no rule to GitLab's engine.
pub(super) fn lines_under_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
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

/// A definition in a paragraph that goes on to a table or to a term's explanation is text to
/// GitLab's engine.
pub(super) fn shown_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
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

pub(super) fn continues_paragraph(line: &str) -> bool {
    let line = line.trim_start();
    let begins = [
        ">", "<", "---", "===", "***", "```", "~~~", "# ", "- ", "* ", "+ ",
    ];
    !line.is_empty() && !begins.iter().any(|begin| line.starts_with(begin))
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
