//! What a text leaves open, closed, so that a footer after it is seen.

use super::html::{self, Piece, VOID};
use super::runs::{Fence, Html, survey};

/// What to put between a text (as [`defuse`](super::defuse()) made it) and a footer, so that the
/// footer stands outside of every fence, comment and element the text left open. Empty for a text
/// that closes what it opens. Shows nothing itself. The caller adds a blank line, `---` and a blank
/// line after it.
pub fn closing(text: &str) -> String {
    let survey = survey(text);
    let mut suffix = String::new();
    if let Some(fence) = survey
        .fences
        .last()
        .filter(|fence| fence.top_level && fence.reaches_end(text))
    {
        if let Some(end) = fence.missing_end(text) {
            suffix.push('\n');
            suffix.push_str(&end);
        }
    }
    let last = survey
        .html
        .last()
        .filter(|html| html.top_level && html.block && html.reaches_end(text));
    if let Some(end) = last.and_then(|html| missing_end(&html.text)) {
        suffix.push('\n');
        suffix.push_str(end);
    }
    let open = open_elements(&survey.html);
    if !open.is_empty() {
        suffix.push('\n');
        for name in open.iter().rev() {
            suffix.push_str("\n</");
            suffix.push_str(name);
            suffix.push('>');
        }
    }
    suffix
}

impl Fence {
    fn reaches_end(&self, text: &str) -> bool {
        text.get(self.range.end..)
            .is_none_or(|rest| rest.trim().is_empty())
    }

    /// The line that would close the block.
    fn missing_end(&self, text: &str) -> Option<String> {
        self.closing_line(text)
            .is_none()
            .then(|| self.fence(text).to_owned())
    }

    fn fence<'a>(&self, text: &'a str) -> &'a str {
        let opening = text.get(self.range.clone()).unwrap_or("").trim_start();
        let sign = opening.chars().next().unwrap_or('`');
        let length = opening.len() - opening.trim_start_matches(sign).len();
        opening.get(..length).unwrap_or("")
    }

    /// Where the line begins that closes the block, if one does.
    pub(super) fn closing_line(&self, text: &str) -> Option<usize> {
        let block = text.get(self.range.clone())?;
        let fence = self.fence(text);
        let block = block.strip_suffix('\n').unwrap_or(block);
        let start = block.rfind('\n')? + 1;
        let line = block.get(start..)?;
        // In a quote or list the prefix comes first.
        let line = line.trim_start_matches([' ', '\t', '>']).trim_end();
        let sign = fence.chars().next()?;
        (line.len() >= fence.len() && line.chars().all(|c| c == sign))
            .then_some(self.range.start + start)
    }
}

impl Html {
    /// Whether a place of the source belongs to this piece.
    pub(super) fn holds(&self, at: usize) -> bool {
        !self.text.is_empty() && self.source_range(&(0..self.text.len())).contains(&at)
    }

    fn reaches_end(&self, text: &str) -> bool {
        let end = self.source_range(&(0..self.text.len())).end;
        text.get(end..).is_none_or(|rest| rest.trim().is_empty())
    }
}

/// What ends an HTML block that no blank line ends.
fn missing_end(block: &str) -> Option<&'static str> {
    let block = block.trim_start().to_ascii_lowercase();
    let ends: [(&str, &[&str], &str); 8] = [
        ("<!--", &["-->"], "-->"),
        ("<?", &["?>"], "?>"),
        ("<![cdata[", &["]]>"], "]]>"),
        ("<!", &[">"], ">"),
        ("<pre", RAW_ENDS, "</pre>"),
        ("<script", RAW_ENDS, "</script>"),
        ("<style", RAW_ENDS, "</style>"),
        ("<textarea", RAW_ENDS, "</textarea>"),
    ];
    let (_, ended, end) = ends
        .into_iter()
        .find(|(start, ..)| block.starts_with(start))?;
    let begun_only = block.starts_with("<!-->") || block.starts_with("<!--->");
    (!begun_only && !ended.iter().any(|end| block.contains(end))).then_some(end)
}

const RAW_ENDS: &[&str] = &["</pre>", "</script>", "</style>", "</textarea>"];

/// The elements of raw HTML that are open at the end, outermost first.
fn open_elements(html: &[Html]) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    for piece in html.iter().flat_map(|html| html::pieces(&html.text)) {
        let Piece::Tag(tag) = piece else { continue };
        if tag.end {
            if let Some(at) = open.iter().rposition(|name| *name == tag.name) {
                open.truncate(at);
            }
        } else if !VOID.contains(&tag.name.as_str()) {
            open.push(tag.name);
        }
    }
    open.retain(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
    open
}

#[cfg(test)]
mod tests {
    use super::closing;

    #[test]
    fn what_is_open_is_closed_and_nothing_else() {
        let cases = [
            ("plain", ""),
            ("```\ncode\n```", ""),
            ("```rust\ncode", "\n```"),
            (" ~~~~\ncode\n~~~", "\n~~~~"),
            ("- ```\n  code", ""),
            ("<!-- open\n\ntext", "\n-->"),
            ("<!-- closed -->", ""),
            ("<details>\n<summary>a</summary>\n\ntext", "\n\n</details>"),
            ("a <b>bold <i>both</i>", "\n\n</b>"),
            ("<br> <img src=x>", ""),
        ];
        for (text, suffix) in cases {
            assert_eq!(closing(text), suffix, "{text:?}");
        }
    }
}
