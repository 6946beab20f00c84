//! HTML cut into tokens, the way a browser cuts it, for the pages that Markdown with raw HTML
//! turns into.

use super::entities::decode;

/// A piece of HTML. Names are lower case; texts and attribute values are decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Text(String),
    Start {
        name: String,
        attributes: Vec<(String, String)>,
    },
    End(String),
    /// Comments, declarations, processing instructions.
    Invisible,
}

/// Elements that have no content.
pub(super) const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
];

/// Elements whose content is text up to their own end tag.
const RAW_TEXT: &[&str] = &[
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
    "script",
    "style",
    "textarea",
    "title",
    "xmp",
];

/// Cuts HTML into tokens. Never fails: whatever a browser would shrug off is shrugged off.
pub(super) fn tokens(html: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        rest = match markup(rest) {
            Some((Token::Start { name, attributes }, after)) => {
                let (raw, after) = match RAW_TEXT.contains(&name.as_str()) {
                    true => after.split_at(end_of_raw_text(after, &name)),
                    false => ("", after),
                };
                let keeps_entities = matches!(name.as_str(), "script" | "style");
                tokens.push(Token::Start { name, attributes });
                if !raw.is_empty() {
                    let text = if keeps_entities {
                        raw.to_owned()
                    } else {
                        decode(raw).into_owned()
                    };
                    tokens.push(Token::Text(text));
                }
                after
            }
            Some((token, after)) => {
                tokens.push(token);
                after
            }
            None => {
                let end = next_markup(rest);
                let (text, after) = rest.split_at(end);
                push_text(&mut tokens, &decode(text));
                after
            }
        };
    }
    tokens
}

fn push_text(tokens: &mut Vec<Token>, text: &str) {
    if let Some(Token::Text(open)) = tokens.last_mut() {
        open.push_str(text);
    } else {
        tokens.push(Token::Text(text.to_owned()));
    }
}

fn next_markup(text: &str) -> usize {
    let after_first = text.chars().next().map_or(0, char::len_utf8);
    let tail = text.get(after_first..).unwrap_or("");
    tail.find('<').map_or(text.len(), |at| after_first + at)
}

/// The token that starts the text, if markup starts it, and what follows.
fn markup(text: &str) -> Option<(Token, &str)> {
    let inner = text.strip_prefix('<')?;
    if let Some(comment) = inner.strip_prefix("!--") {
        return Some((Token::Invisible, after_comment(comment)));
    }
    if inner.starts_with(['!', '?']) {
        return Some((Token::Invisible, after_bracket(inner)));
    }
    if let Some(name) = inner.strip_prefix('/') {
        return match name.chars().next() {
            Some(first) if first.is_ascii_alphabetic() => {
                let (name, _, after) = tag(name);
                Some((Token::End(name), after))
            }
            Some(_) => Some((Token::Invisible, after_bracket(name))),
            None => None,
        };
    }
    inner
        .starts_with(|c: char| c.is_ascii_alphabetic())
        .then(|| {
            let (name, attributes, after) = tag(inner);
            (Token::Start { name, attributes }, after)
        })
}

fn after_bracket(text: &str) -> &str {
    text.split_once('>').map_or("", |(_, after)| after)
}

fn after_comment(text: &str) -> &str {
    for empty in [">", "->"] {
        if let Some(after) = text.strip_prefix(empty) {
            return after;
        }
    }
    let ends = ["-->", "--!>"].map(|end| text.find(end).map(|at| at + end.len()));
    ends.into_iter()
        .flatten()
        .min()
        .and_then(|end| text.get(end..))
        .unwrap_or("")
}

fn end_of_raw_text(text: &str, name: &str) -> usize {
    let lower = text.to_ascii_lowercase();
    lower.find(&format!("</{name}")).unwrap_or(text.len())
}

/// Name, attributes and what follows the tag. An unfinished tag swallows the rest.
fn tag(text: &str) -> (String, Vec<(String, String)>, &str) {
    let end = text
        .find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>'))
        .unwrap_or(text.len());
    let (name, mut rest) = text.split_at(end);
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            break;
        }
        if let Some(after) = rest.strip_prefix('>') {
            return (name.to_ascii_lowercase(), attributes, after);
        }
        let (attribute, after) = attribute(rest);
        attributes.push(attribute);
        rest = after;
    }
    (name.to_ascii_lowercase(), attributes, rest)
}

fn attribute(text: &str) -> ((String, String), &str) {
    // A leading `=` belongs to the name, which also keeps the walk going forward.
    let end = text
        .char_indices()
        .skip(1)
        .find(|(_, c)| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '='))
        .map_or(text.len(), |(at, _)| at);
    let (name, after_name) = text.split_at(end);
    let name = name.to_ascii_lowercase();
    let Some(value) = after_name.trim_start().strip_prefix('=') else {
        return ((name, String::new()), after_name);
    };
    let value = value.trim_start();
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            let (value, after) = quoted.split_once(quote).unwrap_or((quoted, ""));
            return ((name, decode(value).into_owned()), after);
        }
    }
    let end = value
        .find(|c: char| c.is_ascii_whitespace() || c == '>')
        .unwrap_or(value.len());
    let (value, after) = value.split_at(end);
    ((name, decode(value).into_owned()), after)
}

#[cfg(test)]
mod tests {
    use super::{Token, tokens};

    fn text(text: &str) -> Token {
        Token::Text(text.to_owned())
    }

    fn start(name: &str, attributes: &[(&str, &str)]) -> Token {
        let attributes = attributes
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Token::Start {
            name: name.to_owned(),
            attributes,
        }
    }

    fn end(name: &str) -> Token {
        Token::End(name.to_owned())
    }

    #[test]
    fn markup_is_cut_as_a_browser_cuts_it() {
        let cases: Vec<(&str, Vec<Token>)> = vec![
            ("a &lt; b", vec![text("a < b")]),
            ("1 < 2", vec![text("1 < 2")]),
            (
                "<P class=x>y</P >",
                vec![start("p", &[("class", "x")]), text("y"), end("p")],
            ),
            (
                "<a href='#1' b>",
                vec![start("a", &[("href", "#1"), ("b", "")])],
            ),
            (
                "<a b = \"x>y\">z",
                vec![start("a", &[("b", "x>y")]), text("z")],
            ),
            (
                "a<!-- b > c -->d",
                vec![text("a"), Token::Invisible, text("d")],
            ),
            ("a<!-->b", vec![text("a"), Token::Invisible, text("b")]),
            ("<!-- never closed", vec![Token::Invisible]),
            (
                "<!doctype html><?php ?>",
                vec![Token::Invisible, Token::Invisible],
            ),
            ("<br/>x", vec![start("br", &[]), text("x")]),
            (
                "<script>a<b>&lt;</script>c",
                vec![
                    start("script", &[]),
                    text("a<b>&lt;"),
                    end("script"),
                    text("c"),
                ],
            ),
            ("<div unfinished", vec![start("div", &[("unfinished", "")])]),
            ("</ x>y", vec![Token::Invisible, text("y")]),
            ("é<i =x>", vec![text("é"), start("i", &[("=x", "")])]),
        ];
        for (html, expected) in cases {
            assert_eq!(tokens(html), expected, "{html:?}");
        }
    }
}
