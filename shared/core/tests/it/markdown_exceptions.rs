//! The texts in which making inert may change the view, and how far it may: what the documentation
//! of `mirror_core::markdown` lists, as code. Everywhere else the view must be the same.

use std::collections::BTreeSet;

/// Whether a reader sees the same in both, as far as the text lets that be asked.
pub(crate) fn reads_alike(text: &str, before: &str, after: &str) -> bool {
    before == after
        || (marks_collide(text) && without_marks(before) == without_marks(after))
        || (text.contains("<pre") && words(before).eq(words(after)))
        || code_marks_differ(text)
        || holds_raw_text(text)
        || leaves_quote_open(text)
        || html_in_footnote(text)
        || html_in_fenced_quote(text)
        || address_in_marks(text)
        || ends_in_number(text)
}

fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n")
}

fn lengths(text: &str, mark: char) -> BTreeSet<usize> {
    text.split(|c| c != mark)
        .map(str::len)
        .filter(|length| *length > 0)
        .collect()
}

/// Tildes of different lengths in one paragraph, or together with other marks of emphasis.
fn marks_collide(text: &str) -> bool {
    paragraphs(text).any(|paragraph| {
        lengths(paragraph, '~').len() > 1
            || (paragraph.contains('~') && paragraph.contains(['*', '_']))
    })
}

/// In `<pre>` white space is shown that means nothing elsewhere.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

fn without_marks(text: &str) -> String {
    text.chars()
        .filter(|c| !"~*_`".contains(*c) && !c.is_whitespace())
        .collect()
}

/// Backticks of different lengths in one paragraph: after such that open nothing GitLab's engine
/// misses code that follows.
fn code_marks_differ(text: &str) -> bool {
    paragraphs(text).any(|paragraph| lengths(paragraph, '`').len() > 1)
}

/// Elements that HTML reads as plain text up to their end tag, and `<pre>` with others inside.
fn holds_raw_text(text: &str) -> bool {
    let text = text.to_lowercase();
    let names = [
        "script",
        "style",
        "textarea",
        "title",
        "xmp",
        "iframe",
        "noembed",
        "noframes",
        "plaintext",
    ];
    names
        .iter()
        .any(|name| text.contains(&format!("<{name}")) || text.contains(&format!("</{name}")))
}

/// A block of raw HTML, as GitLab's engine cuts blocks, that ends within an attribute's quote.
fn leaves_quote_open(text: &str) -> bool {
    let mut options = comrak::Options::default();
    options.extension.alerts = true;
    options.extension.description_lists = true;
    options.extension.footnotes = true;
    options.extension.multiline_block_quotes = true;
    options.extension.table = true;
    let arena = comrak::Arena::new();
    let document = comrak::parse_document(&arena, text, &options);
    document.descendants().any(|node| {
        let comrak::nodes::NodeValue::HtmlBlock(block) = &node.data().value else {
            return false;
        };
        [("=\"", '"'), ("='", '\'')]
            .into_iter()
            .any(|(opening, quote)| {
                let mut values = block
                    .literal
                    .match_indices(opening)
                    .map(|(at, _)| at + opening.len());
                values.any(|value| !block.literal[value..].contains(quote))
            })
    })
}

fn html_in_footnote(text: &str) -> bool {
    text.contains("[^") && text.contains("]:") && text.contains('<')
}

fn html_in_fenced_quote(text: &str) -> bool {
    text.contains(">>>") && text.contains('<')
}

/// A bare address that touches a mark of emphasis, a bar, a backslash or a backtick.
fn address_in_marks(text: &str) -> bool {
    let mut words = text.split(|c: char| c.is_ascii_whitespace());
    words.any(|word| {
        (word.contains("://") || word.contains("www."))
            && word.contains(['*', '_', '~', '|', '\\', '`'])
    })
}

/// A list item of nothing but a number, which GitLab's engine shows only at the very end.
fn ends_in_number(text: &str) -> bool {
    let text = text.strip_suffix(['.', ')']).unwrap_or("");
    text.ends_with(|c: char| c.is_ascii_digit())
}
