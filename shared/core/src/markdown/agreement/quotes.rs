//! Alerts and fenced quotes, which the parser used here knows in part or not at all.

use super::containers::continued;
use crate::markdown::closing::open_block;
use crate::markdown::edits::Edits;
use crate::markdown::hazards::{hazards, hazards_if_parted};
use crate::markdown::html;
use crate::markdown::literal::escaped;
use crate::markdown::survey::{self, Container, ContainerKind, Survey};

pub(super) const ALERTS: [&str; 5] = ["note", "tip", "important", "warning", "caution"];

/// The title of an alert (`> [!NOTE] title`) is plain text to GitLab's newest releases, in which
/// nothing can be escaped or cut. One that holds anything live becomes a bold line in a plain quote.
pub(super) fn alert_titles(text: &str, survey: &Survey, edits: &mut Edits) {
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
            && !title.contains(['<', '~'])
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
pub(super) fn alerts_alone(text: &str, survey: &Survey, edits: &mut Edits) {
    for quote in survey
        .containers
        .iter()
        .filter(|container| container.kind == ContainerKind::Quote)
    {
        let written = text.get(quote.range.clone()).unwrap_or("");
        let Some((first, rest)) = written.split_once('\n') else {
            continue;
        };
        let kind = first
            .trim_start()
            .strip_prefix("> [!")
            .unwrap_or("")
            .to_ascii_lowercase();
        let alert = ALERTS.iter().any(|known| {
            kind.strip_prefix(known)
                .is_some_and(|after| after.starts_with(']'))
        });
        let line = rest.lines().next().unwrap_or("");
        let next = line.trim_start_matches([' ', '\t']);
        let second = quote.range.start + first.len() + 1;
        let alone = survey.around(quote.range.start).count() == 1;
        let deep =
            |line: &str| line.starts_with("    ") || line.trim_start_matches(' ').starts_with('\t');
        if !alert || next.is_empty() {
            continue;
        }
        match next.strip_prefix('>') {
            Some(_) if alone && deep(line) => edits.insert(second, "\n"),
            // Code that follows at once is code to GitLab's engine only.
            Some(inner) if deep(inner.strip_prefix(' ').unwrap_or(inner)) => {
                edits.insert(second, format!("{}>\n", continued(text, quote.range.start)))
            }
            Some(_) => {}
            None => edits.insert(second, "\n"),
        }
    }
}

/// Behind a tab a `>` is code's to GitLab's engine, the quote's to the parser; behind four spaces
/// both see code.
pub(super) fn tabbed_quotes(text: &str, survey: &Survey, edits: &mut Edits) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let spaces = line.len() - line.trim_start_matches(' ').len();
        let tab = line
            .get(spaces..)
            .is_some_and(|rest| rest.starts_with('\t'));
        let quote = line.trim_start_matches([' ', '\t']).starts_with('>');
        let inside = |container: &Container| {
            container.kind == ContainerKind::Quote
                && container.range.start < start
                && container.range.end > start
        };
        if tab && quote && spaces < 4 && survey.containers.iter().any(inside) {
            edits.replace(start..start + spaces + 1, "    ");
        }
        start += line.len();
    }
}

/// Lines of `>>>` fence a quote, whose end is the end of whatever stands open in it.
pub(super) fn fenced_quotes(text: &str, survey: &Survey, edits: &mut Edits) {
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
                let end = open_block(before, &survey::survey(before)).unwrap_or_default();
                edits.insert(start, format!("{end}\n"));
                return;
            }
            Some(_) => {}
            None if closes => {
                open.pop();
            }
            None if continues_quote(text, start, survey) => {}
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

/// Whether a line of `>` belongs to a quote that began above it without being fenced.
fn continues_quote(text: &str, start: usize, survey: &Survey) -> bool {
    survey.around(start).any(|quote| {
        let first = text
            .get(quote.range.clone())
            .and_then(|quote| quote.lines().next());
        quote.kind == ContainerKind::Quote
            && quote.range.start < start
            && first.is_some_and(|first| fence_of_quote(first) < 3)
    })
}

/// The content of an indented fence is read without that indentation.
pub(super) fn dedent(text: &str, start: usize, fence: usize, edits: &mut Edits) {
    let rest = text.get(start..).unwrap_or("");
    let depth = rest.len() - rest.trim_start_matches(' ').len();
    let mut at = start;
    for line in rest.split_inclusive('\n') {
        let spaces = (line.len() - line.trim_start_matches(' ').len()).min(depth);
        // A tab reaches to the fourth column.
        match line
            .get(spaces..)
            .filter(|rest| spaces < depth && rest.starts_with('\t'))
        {
            Some(_) => edits.replace(
                at..at + spaces + 1,
                " ".repeat(4_usize.saturating_sub(depth)),
            ),
            None => edits.replace(at..at + spaces, ""),
        }
        if at > start && fence_of_quote(line) >= fence {
            break;
        }
        at += line.len();
    }
}

pub(super) fn fence_of_quote(line: &str) -> usize {
    let signs = line.trim_matches([' ', '\t', '\n']);
    let indentation = line.len() - line.trim_start_matches([' ', '\t']).len();
    // A tab reaches to the fourth column: code.
    let code = indentation > 3 || line.get(..indentation).is_some_and(|i| i.contains('\t'));
    let fence = signs.bytes().all(|byte| byte == b'>') && !code;
    if fence { signs.len() } else { 0 }
}

/// Without backslash escapes, then without character references.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = characters.next_if(|next| character == '\\' && next.is_ascii_punctuation());
        plain.push(escaped.unwrap_or(character));
    }
    html::decode_markdown(&plain)
}
