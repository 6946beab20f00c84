//! Which HTML survives on a page.

use std::fmt::Write as _;

use super::html::{Token, VOID, tokens};

/// The elements that GitLab keeps.
pub(super) const KEPT: &[&str] = &[
    "a",
    "abbr",
    "audio",
    "b",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "input",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "ul",
    "var",
    "video",
    "wbr",
];

const KEPT_ATTRIBUTES: &[&str] = &[
    "align", "alt", "checked", "class", "colspan", "controls", "dir", "disabled", "height", "href",
    "id", "lang", "open", "rowspan", "src", "start", "title", "type", "width",
];

/// The HTML with everything but a known list of elements, attributes and link schemes taken away,
/// and every element closed. `dress` turns the texts outside code and links into HTML.
pub(super) fn sanitized(html: &str, dress: &dyn Fn(&str) -> String) -> String {
    let mut clean = String::with_capacity(html.len());
    let mut open: Vec<String> = Vec::new();
    let mut swallowing: Option<String> = None;
    for token in tokens(html) {
        if let Some(name) = &swallowing {
            if matches!(&token, Token::End(end) if end == name) {
                swallowing = None;
            }
            continue;
        }
        match token {
            Token::Text(text)
                if open
                    .iter()
                    .any(|name| matches!(name.as_str(), "pre" | "code" | "a")) =>
            {
                clean.push_str(&escape(&text));
            }
            Token::Text(text) => clean.push_str(&dress(&text)),
            Token::Start { name, .. } if matches!(name.as_str(), "script" | "style") => {
                swallowing = Some(name);
            }
            Token::Start { name, attributes }
                if KEPT.contains(&name.as_str()) && harmless(&name, &attributes) =>
            {
                write_start(&mut clean, &name, &attributes);
                if !VOID.contains(&name.as_str()) {
                    open.push(name);
                }
            }
            Token::End(name) => {
                if let Some(at) = open.iter().rposition(|opened| *opened == name) {
                    close(&mut clean, open.split_off(at));
                }
            }
            Token::Start { .. } | Token::Invisible => {}
        }
    }
    close(&mut clean, open);
    clean
}

/// Text made safe for HTML text and for attribute values in double quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// Of the form controls only the task list's box is wanted.
fn harmless(name: &str, attributes: &[(String, String)]) -> bool {
    name != "input"
        || attributes
            .iter()
            .any(|(name, value)| name == "type" && value == "checkbox")
}

fn write_start(clean: &mut String, name: &str, attributes: &[(String, String)]) {
    let _infallible = write!(clean, "<{name}");
    for (attribute, value) in attributes {
        let kept = KEPT_ATTRIBUTES.contains(&attribute.as_str());
        let link = matches!(attribute.as_str(), "href" | "src");
        if kept && (!link || safe_link(value)) {
            let _infallible = write!(clean, " {attribute}=\"{}\"", escape(value));
        }
    }
    if name == "input"
        && !attributes
            .iter()
            .any(|(attribute, _)| attribute == "disabled")
    {
        clean.push_str(" disabled");
    }
    clean.push('>');
}

fn close(clean: &mut String, open: Vec<String>) {
    for name in open.into_iter().rev() {
        let _infallible = write!(clean, "</{name}>");
    }
}

fn safe_link(link: &str) -> bool {
    let plain: String = link
        .chars()
        .filter(|c| !c.is_whitespace() && !c.is_control())
        .collect();
    let scheme = plain
        .split(['/', '?', '#'])
        .next()
        .and_then(|start| start.split_once(':'));
    scheme.is_none_or(|(scheme, _)| {
        matches!(
            scheme.to_ascii_lowercase().as_str(),
            "http" | "https" | "mailto" | "tel"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{escape, sanitized};

    #[test]
    fn only_harmless_html_survives() {
        let cases = [
            ("<p>a &amp; b</p>", "<p>a &amp; b</p>"),
            ("<script>alert(1)</script>x", "x"),
            ("<style>p{}</style>x", "x"),
            (
                "<p onclick=\"x()\" class=\"y\">z</p>",
                "<p class=\"y\">z</p>",
            ),
            ("<a href=\"javascript:alert(1)\">z</a>", "<a>z</a>"),
            ("<a href=\"JaVa\nScript:alert(1)\">z</a>", "<a>z</a>"),
            ("<a href=\"/a:b\">z</a>", "<a href=\"/a:b\">z</a>"),
            (
                "<a href=\"https://x/?a=1&amp;b\">z</a>",
                "<a href=\"https://x/?a=1&amp;b\">z</a>",
            ),
            ("<iframe src=x></iframe><marquee>m</marquee>", "m"),
            ("<b>never <i>closed", "<b>never <i>closed</i></b>"),
            ("</div></main>x", "x"),
            (
                "<input type=text><input type=checkbox>",
                "<input type=\"checkbox\" disabled>",
            ),
            ("<!-- hidden -->x", "x"),
            ("<img src=x onerror=alert(1)>", "<img src=\"x\">"),
        ];
        for (html, clean) in cases {
            assert_eq!(sanitized(html, &escape), clean, "{html:?}");
        }
    }
}
