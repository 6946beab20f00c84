//! What a text leaves open, closed, so that a footer after it is seen.

use super::html::{self, Piece, VOID};
use super::page::Page;
use super::survey::{Fence, HtmlBlock, Survey, survey};

/// What to put between a text (as [`defuse`](super::defuse()) made it) and a footer, so that the
/// footer stands outside of every fence, comment and element the text left open. Empty for a text
/// that closes what it opens. Shows nothing itself. The caller adds a blank line, `---` and a blank
/// line after it.
pub fn closing(text: &str) -> String {
    let survey = survey(text);
    let mut suffix = String::new();
    if let Some(end) = open_block(text, &survey) {
        suffix.push('\n');
        suffix.push_str(&end);
    }
    if !survey.page.has_raw_html() {
        return suffix;
    }
    if let Some(end) = open_markup(&page_of(text, &suffix)) {
        suffix.push_str("\n\n");
        suffix.push_str(&end);
    }
    let open = open_elements(&page_of(text, &suffix));
    if !open.is_empty() {
        suffix.push('\n');
    }
    for name in open.iter().rev() {
        suffix.push_str("\n</");
        suffix.push_str(name);
        suffix.push('>');
    }
    suffix
}

/// The page down to where the footer will stand: footnotes come behind it.
fn page_of(text: &str, suffix: &str) -> Page {
    let survey = survey(&format!("{text}{suffix}\n"));
    survey.page.before(survey.notes_from)
}

/// The line that ends a block which no blank line ends.
pub(super) fn open_block(text: &str, survey: &Survey) -> Option<String> {
    let fence = survey
        .fences
        .last()
        .filter(|fence| fence.top_level && at_end(text, fence.range.end));
    if let Some(fence) = fence.filter(|fence| fence.closing_line(text).is_none()) {
        return Some(fence.sign(text).to_owned());
    }
    let block = survey.html_blocks.last();
    block
        .filter(|block| block.top_level && at_end(text, block.source.end))?
        .missing_end(text, &survey.page)
}

fn at_end(text: &str, end: usize) -> bool {
    text.get(end..).is_none_or(|rest| rest.trim().is_empty())
}

impl Fence {
    /// The signs that open it.
    fn sign<'a>(&self, text: &'a str) -> &'a str {
        let opening = text.get(self.range.clone()).unwrap_or("").trim_start();
        let sign = opening.chars().next().unwrap_or('`');
        let length = opening.len() - opening.trim_start_matches(sign).len();
        opening.get(..length).unwrap_or("")
    }

    /// Where the line begins that closes the block, if one does.
    pub(super) fn closing_line(&self, text: &str) -> Option<usize> {
        let block = text.get(self.range.clone())?;
        let fence = self.sign(text);
        let block = block.strip_suffix('\n').unwrap_or(block);
        let start = block.rfind('\n')? + 1;
        let line = block.get(start..)?;
        let signs = line.trim_matches([' ', '\t']);
        let before = line.get(..line.len() - line.trim_start_matches([' ', '\t']).len())?;
        // A tab reaches to the fourth column at least.
        let indentation = if before.contains('\t') {
            4
        } else {
            before.len()
        };
        let sign = fence.chars().next()?;
        let closes = signs.len() >= fence.len() && signs.chars().all(|c| c == sign);
        (closes && indentation < 4).then_some(self.range.start + start)
    }
}

impl HtmlBlock {
    fn missing_end(&self, text: &str, page: &Page) -> Option<String> {
        let block = page
            .text(self.page.clone())
            .trim_start()
            .to_ascii_lowercase();
        let starts = |starts: &[&str]| starts.iter().any(|start| block.starts_with(start));
        let ends = |ends: &[&str]| ends.iter().any(|end| block.contains(end));
        if starts(&["<pre", "<script", "<style", "<textarea"]) {
            let name = RAW_BLOCKS
                .iter()
                .find(|name| block.starts_with(&format!("<{name}")))?;
            return (!ends(&["</pre>", "</script>", "</style>", "</textarea>"]))
                .then(|| format!("</{name}>"));
        }
        let signs = [
            ("<!--", "-->"),
            ("<?", "?>"),
            ("<![cdata[", "]]>"),
            ("<!", ">"),
        ];
        let (start, end) = signs
            .into_iter()
            .find(|(start, _)| block.starts_with(start))?;
        // The two signs of `<?>` are one to GitLab's engine.
        let behind = if start == "<?" { 1 } else { start.len() };
        if block.get(behind..)?.contains(end) || ends(&["<!-->", "<!--->"]) {
            return None;
        }
        if end == "-->" {
            return Some("<!-- -->".to_owned());
        }
        // A browser ends these at the first `>`; what ends them here must not be shown then.
        let shown = open_markup(&page_of(text, "")).is_none();
        Some(if shown {
            format!("<!--{end}-->")
        } else {
            end.to_owned()
        })
    }
}

/// Elements whose raw HTML no blank line ends.
pub(super) const RAW_BLOCKS: [&str; 4] = ["pre", "script", "style", "textarea"];

/// A block that ends the comment, tag or raw text which the page ends in.
fn open_markup(page: &Page) -> Option<String> {
    let pieces = page.pieces();
    let last = pieces.last()?;
    match last {
        Piece::Hidden(range) => {
            let markup = page.text(range.clone());
            let end = if markup.starts_with("<!--") {
                "<!-- -->"
            } else {
                "<p>"
            };
            (!html::ends_hidden(markup)).then(|| end.to_owned())
        }
        Piece::Tag(tag) if !tag.finished => Some("<p \"'>".to_owned()),
        Piece::Text(_) | Piece::Raw(_) => {
            let before = pieces.iter().rev().nth(1)?;
            match before {
                Piece::Tag(tag) if html::holds_raw_text(tag) => Some(format!("</{}>", tag.name)),
                Piece::Tag(_) | Piece::Text(_) | Piece::Hidden(_) | Piece::Raw(_) => None,
            }
        }
        Piece::Tag(tag) if html::holds_raw_text(tag) => Some(format!("</{}>", tag.name)),
        Piece::Tag(_) => None,
    }
}

/// The elements of raw HTML that are open at the end, outermost first.
fn open_elements(page: &Page) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    for piece in page.pieces() {
        let Piece::Tag(tag) = piece else { continue };
        if page.source(tag.range.start).is_none() {
            continue;
        }
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
            ("<!-- open\n\ntext", "\n<!-- -->"),
            ("<!-- closed -->", ""),
            ("> <!-- open", "\n\n<!-- -->"),
            ("<?a>", "\n<!--?>-->"),
            ("<?a", "\n?>"),
            ("<details>\n<summary>a</summary>\n\ntext", "\n\n</details>"),
            ("<div title=\"", "\n\n<p \"'>\n\n</div>"),
            ("a <b>bold <i>both</i>", "\n\n</b>"),
            ("<br> <img src=x>", ""),
            ("~~~\n\t~~~", "\n~~~"),
            ("[<script>\n[^1]: </script>", "\n\n</script>"),
        ];
        for (text, suffix) in cases {
            assert_eq!(closing(text), suffix, "{text:?}");
        }
    }
}
