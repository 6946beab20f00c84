//! Alerts and fenced quotes, which the parser used here knows in part or not at all.

use super::containers::continued;
use crate::markdown::closing::open_block;
use crate::markdown::edits::Edits;
use crate::markdown::hazards::{hazards, hazards_if_parted};
use crate::markdown::html;
use crate::markdown::literal::escaped;
use crate::markdown::survey::{self, ContainerKind, Survey};

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
pub(super) fn dedent(text: &str, start: usize, fence: usize, edits: &mut Edits) {
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

pub(super) fn fence_of_quote(line: &str) -> usize {
    let signs = line.trim_matches([' ', '\t', '\n']);
    let fence = signs.bytes().all(|byte| byte == b'>') && !line.starts_with("    ");
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
