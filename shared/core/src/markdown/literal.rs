//! Our own Markdown: names and titles that are shown as they are.

use super::hazards::{Hazard, hazards};

/// Inline text that shows exactly `text`: nothing in it is Markdown, HTML, a mention, a reference,
/// an address or an emoji. Line breaks become spaces; white space at the ends goes.
pub fn literal(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    escaped(text.trim())
}

/// As [`literal`], for text that is one line and has no white space at its ends.
pub(super) fn escaped(text: &str) -> String {
    let cuts: Vec<usize> = hazards(text)
        .into_iter()
        .filter_map(|hazard| match hazard {
            Hazard::Cut(at) => Some(at),
            Hazard::Sign(_) => None,
        })
        .collect();
    let mut shown = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let after = text
            .get(at + character.len_utf8()..)
            .and_then(|rest| rest.chars().next());
        if cuts.contains(&at) || parts(before, character, after) {
            shown.push_str("<span></span>");
        }
        let numbering = || {
            text.get(..at)
                .is_some_and(|start| start.bytes().all(|b| b.is_ascii_digit()))
        };
        let special = match character {
            '-' | '+' | '=' | ':' | '/' => at == 0,
            '.' | ')' => at > 0 && numbering(),
            other => "\\*_{}[]<>#!|~$%&@^".contains(other),
        };
        // A backslash would not keep a backtick from ending a code span.
        if character == '`' {
            shown.push_str("&#96;");
            before = character;
            continue;
        }
        if special {
            shown.push('\\');
        }
        shown.push(character);
        before = character;
    }
    shown
}

/// Where an address, an emoji or an inline difference would begin.
fn parts(before: char, here: char, after: Option<char>) -> bool {
    let word = |c: char| c.is_alphanumeric() || "+-_".contains(c);
    match here {
        '/' => before == ':' && after == Some('/'),
        '.' => before.eq_ignore_ascii_case(&'w') && after.is_some(),
        '@' => before.is_alphanumeric() || ".+-_".contains(before),
        '+' | '-' => matches!(before, '{' | '[' | ':'),
        other => before == ':' && word(other),
    }
}

/// An inline code span that shows exactly `text`; line breaks become spaces. Nothing for an empty
/// text, which no code span can show.
pub fn code(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.is_empty() {
        return text;
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let ends = |c| text.starts_with(c) || text.ends_with(c);
    let stripped = text.starts_with(' ') && text.ends_with(' ') && !text.trim().is_empty();
    let room = if ends('`') || stripped { " " } else { "" };
    format!("{fence}{room}{text}{room}{fence}")
}

#[cfg(test)]
mod tests {
    use super::{code, literal};

    #[test]
    fn literal_text_is_escaped_no_more_than_needed() {
        let cases = [
            ("Alice Example", "Alice Example"),
            ("v1.0 - beta", "v1.0 - beta"),
            ("@alice #1 *b*\n<i>", "\\@alice \\#1 \\*b\\* \\<i\\>"),
            ("1. x", "1\\. x"),
            ("- x", "\\- x"),
            ("/close", "\\/close"),
            ("a@b.c", "a<span></span>\\@b.c"),
            ("https://x", "https:<span></span>//x"),
            (":+1:", "\\:<span></span>+1:"),
            ("0a1b2c3d", "0a1b2c<span></span>3d"),
        ];
        for (text, expected) in cases {
            assert_eq!(literal(text), expected, "{text:?}");
        }
    }

    #[test]
    fn code_spans_hold_any_text() {
        let cases = [
            ("a", "`a`"),
            ("a`b", "``a`b``"),
            ("`", "`` ` ``"),
            (" a ", "`  a  `"),
            (" ", "` `"),
            ("a\nb", "`a b`"),
        ];
        for (text, expected) in cases {
            assert_eq!(code(text), expected, "{text:?}");
        }
    }
}
