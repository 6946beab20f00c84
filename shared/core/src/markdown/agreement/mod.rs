//! Texts on which the parser used here and GitLab's engine disagree, written so that they agree.
//!
//! What one reads as prose and the other as HTML could not be made inert for both: a backslash is
//! shown in HTML.

mod containers;
mod definitions;
mod html;
mod lines;
mod quotes;
mod tables;

use definitions::{
    lines_under_definitions, shown_definitions, tilde_explanations, wide_definitions,
};
use html::{
    declarations, foreign_ends, lazy_tags, open_html_in_footnotes, open_quotes, open_raw_text,
    stray_blocks,
};
use quotes::{alert_titles, alerts_alone, fenced_quotes, tabbed_quotes};
use tables::{code_after_tables, rules_as_heads, tables_in_paragraphs};

pub(super) use lines::continues_paragraph;

use super::CUT;
use super::edits::Edits;
use super::survey::{Survey, survey};

/// One change may lay open the next; only a hostile text needs more rounds than these.
const ROUNDS: usize = 8;

/// The text, read alike by both.
pub(super) fn agreed(mut text: String) -> String {
    for _ in 0..ROUNDS {
        let survey = survey(&text);
        let mut edits = Edits::default();
        blocks(&text, &survey, &mut edits);
        if edits.is_empty() {
            declarations(&text, &survey, &mut edits);
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
    empty_tasks(text, survey, edits);
    if !edits.is_empty() {
        return;
    }
    shown_definitions(text, survey, edits);
    lines_under_definitions(text, survey, edits);
    tabbed_quotes(text, survey, edits);
    alert_titles(text, survey, edits);
    alerts_alone(text, survey, edits);
    if !edits.is_empty() {
        return;
    }
    rules_as_heads(text, survey, edits);
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
    if edits.is_empty() {
        // In a table's row it explains nothing.
        tilde_explanations(text, survey, edits);
    }
}

/// A task without text misleads the parser about what follows; it gets one that is not seen.
fn empty_tasks(text: &str, survey: &Survey, edits: &mut Edits) {
    for task in &survey.boxes {
        if text
            .get(task.end..)
            .is_none_or(|after| after.lines().next().unwrap_or("").trim().is_empty())
        {
            edits.insert(task.end, format!(" {CUT}"));
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
