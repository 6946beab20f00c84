//! What a line begins, as GitLab's engine reads it in the middle of a paragraph.

use std::sync::LazyLock;

use regex::Regex;

/// Every way to end a paragraph without a blank line: quotes, headings of both kinds, rules,
/// fences, raw HTML, lists and footnotes. A table or a term's explanation takes its last line along
/// and is no such way.
static ENDS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let blocks = "address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|\
                  details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|\
                  h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|\
                  ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|\
                  title|tr|track|ul";
    let ways = [
        ">".to_owned(),
        "#{1,6}(?:[ \\t]|$)".to_owned(),
        "(?:=+|-+)[ \\t]*$".to_owned(),
        r"(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$".to_owned(),
        "(?:~~~|`{3,}[^`]*$)".to_owned(),
        r"<(?:!--|\?|![A-Za-z]|!\[CDATA\[)".to_owned(),
        r"<(?i:script|pre|style|textarea)(?:[ \t>]|$)".to_owned(),
        format!(r"</?(?i:{blocks})(?:[ \t]|/?>|$)"),
        r"(?:[-+*]|1[.)])[ \t]+[^ \t]".to_owned(),
        r"\[\^[^\]\s]+\]:".to_owned(),
    ];
    Regex::new(&format!("^ {{0,3}}(?:{})", ways.join("|"))).ok()
});

/// Whether a line goes on with the paragraph above it.
pub(in crate::markdown) fn continues_paragraph(line: &str) -> bool {
    let line = line.strip_suffix('\n').unwrap_or(line);
    !line.trim_matches([' ', '\t']).is_empty()
        && ENDS.as_ref().is_some_and(|ends| !ends.is_match(line))
}

#[cfg(test)]
mod tests {
    use super::continues_paragraph;

    #[test]
    fn only_some_lines_end_a_paragraph() {
        for line in [
            "> a", "#", "## a", "===", "-", "* * *", "```", "````a", "~~~a`", "<!-- a", "</div>",
            "<p", "<PRE>", "- a", "1) a", "[^a]: b", "", " \t",
        ] {
            assert!(!continues_paragraph(line), "{line:?}");
        }
        for line in [
            "a", "    > a", "#a", "<b>", "<", "* ", "2. a", "```a`", "| a", ": a", "**", "[a]: b",
        ] {
            assert!(continues_paragraph(line), "{line:?}");
        }
    }
}
