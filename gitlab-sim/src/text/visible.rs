//! What a person reads on the page that a text becomes.

use super::html::{Token, tokens};
use super::references::Live;
use super::{markdown, reference_patterns, sanitize};

/// The visible text of a Markdown text: tags gone, character references decoded, white space as
/// a browser shows it (kept in `pre`, else one space), one line per block. The alternative text of
/// a picture counts as visible.
pub fn visible_text(text: &str) -> String {
    let mut page = Page::default();
    let mut hidden = 0_usize;
    for token in tokens(&markdown::html(text)) {
        match token {
            Token::Start { name, .. } if hides(&name) => hidden += 1,
            Token::End(name) if hides(&name) => hidden = hidden.saturating_sub(1),
            Token::Text(text) if hidden == 0 => page.write(&text),
            Token::Start { name, attributes } => page.open(&name, &attributes),
            Token::End(name) => page.close(&name),
            Token::Text(_) | Token::Invisible => {}
        }
    }
    page.text.trim_end().to_owned()
}

/// GitLab-like HTML for a page: raw HTML sanitised, every element closed, references left as text.
pub fn rendered_html(text: &str) -> String {
    sanitize::sanitized(&markdown::html(text), &sanitize::escape)
}

/// As [`rendered_html`], with live references turned into links where `link` knows an address.
pub fn rendered_html_with_links(text: &str, link: &dyn Fn(&Live) -> Option<String>) -> String {
    let dress = |text: &str| linked(text, link);
    sanitize::sanitized(&markdown::html_with_escapes_marked(text), &dress)
}

fn linked(text: &str, link: &dyn Fn(&Live) -> Option<String>) -> String {
    let mut html = String::with_capacity(text.len());
    let mut done = 0;
    for (range, live) in reference_patterns::all(text) {
        let Some(address) = link(&live).filter(|_| range.start >= done) else {
            continue;
        };
        let between = text.get(done..range.start).unwrap_or_default();
        let shown = text.get(range.clone()).unwrap_or_default();
        html.push_str(&sanitize::escape(between));
        html.push_str(&format!(
            "<a class=\"reference\" href=\"{}\">{}</a>",
            sanitize::escape(&address),
            sanitize::escape(shown)
        ));
        done = range.end;
    }
    html.push_str(&sanitize::escape(text.get(done..).unwrap_or_default()));
    html
}

/// Text made safe for HTML text and for attribute values in double quotes.
pub fn escaped(text: &str) -> String {
    sanitize::escape(text)
}

fn hides(name: &str) -> bool {
    matches!(name, "script" | "style" | "template" | "title")
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "blockquote"
            | "dd"
            | "details"
            | "div"
            | "dl"
            | "dt"
            | "figcaption"
            | "figure"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "hr"
            | "li"
            | "ol"
            | "p"
            | "pre"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "tfoot"
            | "thead"
            | "tr"
            | "ul"
    )
}

#[derive(Default)]
struct Page {
    text: String,
    preformatted: usize,
    /// A space that is shown only if something follows on the line.
    space_due: bool,
    /// HTML drops the line break that directly follows `<pre>`.
    pre_just_opened: bool,
}

impl Page {
    fn open(&mut self, name: &str, attributes: &[(String, String)]) {
        if is_block(name) {
            self.break_line();
        }
        match name {
            "pre" => {
                self.preformatted += 1;
                self.pre_just_opened = true;
            }
            "br" => self.line_break(),
            "td" | "th" => self.space_due = true,
            "img" => {
                let shown = attributes
                    .iter()
                    .find(|(name, _)| name == "alt")
                    .map_or("", |(_, alt)| alt.as_str());
                self.write(shown);
            }
            "input" if attributes.iter().any(|(name, _)| name == "checked") => self.write("[x] "),
            "input" => self.write("[ ] "),
            _unseen => {}
        }
    }

    fn close(&mut self, name: &str) {
        if is_block(name) {
            self.break_line();
        }
        if name == "pre" {
            self.preformatted = self.preformatted.saturating_sub(1);
        }
    }

    fn write(&mut self, text: &str) {
        if self.preformatted > 0 {
            let text = match std::mem::take(&mut self.pre_just_opened) {
                true => text.strip_prefix('\n').unwrap_or(text),
                false => text,
            };
            self.text.push_str(text);
            return;
        }
        for character in text.chars() {
            if matches!(character, ' ' | '\t' | '\n' | '\r' | '\x0C') {
                self.space_due = true;
            } else {
                if std::mem::take(&mut self.space_due)
                    && !self.text.is_empty()
                    && !self.text.ends_with('\n')
                {
                    self.text.push(' ');
                }
                self.text.push(character);
            }
        }
    }

    fn line_break(&mut self) {
        self.space_due = false;
        self.text.push('\n');
    }

    fn break_line(&mut self) {
        self.space_due = false;
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{rendered_html, rendered_html_with_links, visible_text};
    use crate::text::references::Live;

    #[test]
    fn only_live_references_become_links() {
        let link =
            |live: &Live| (*live == Live::User("alice".to_owned())).then(|| "/a?b&c".to_owned());
        let text = "@alice \\@alice `@alice` @bob <@alice";
        let reference = "<a class=\"reference\" href=\"/a?b&amp;c\">@alice</a>";
        let html = rendered_html_with_links(text, &link);
        let expected = format!(
            "<p>{reference} <span>@</span>alice <code>@alice</code> @bob &lt;{reference}</p>\n"
        );
        assert_eq!(html, expected);
    }

    #[test]
    fn a_reader_sees_text_not_markup() {
        let cases = [
            ("plain", "plain"),
            ("*a*  **b**\nc", "a b c"),
            ("a\n\nb", "a\nb"),
            ("a  \nb", "a\nb"),
            ("\\/close \\@alice", "/close @alice"),
            ("&#64;alice &copy; &amp;amp;", "@alice © &amp;"),
            ("a<!-- hidden -->b", "ab"),
            ("<!-- hidden\n/close\n-->\n\nb", "b"),
            ("`x  y`", "x y"),
            ("```\n  kept   space\n\nend\n```", "  kept   space\n\nend"),
            ("    indented\n      more", "indented\n  more"),
            ("- [x] done\n- [ ] open", "[x] done\n[ ] open"),
            ("| a | b |\n|---|---|\n| 1 | 2 |", "a b\n1 2"),
            ("[text](https://x) ![alt](y.png)", "text alt"),
            (
                "<details><summary>s</summary>\n\nbody\n\n</details>",
                "s\nbody",
            ),
            ("<script>x</script>a", "a"),
            ("a\u{200B}b", "a\u{200B}b"),
        ];
        for (text, visible) in cases {
            assert_eq!(visible_text(text), visible, "{text:?}");
        }
    }

    #[test]
    fn escapes_and_indented_fences_leave_the_view_unchanged() {
        let pairs = [
            ("/close", "\\/close"),
            ("/close", " /close"),
            ("```rust\n/close\n  x\n```", " ```rust\n /close\n   x\n ```"),
            ("a `b\n/close\nc` d", "a `b /close c` d"),
            ("<div>\n/close\n</div>", "<div>\n /close\n</div>"),
        ];
        for (before, after) in pairs {
            assert_eq!(visible_text(before), visible_text(after), "{before:?}");
        }
        assert_ne!(
            visible_text("```\n/close\n```"),
            visible_text("```\n /close\n```")
        );
    }

    #[test]
    fn pages_carry_no_scripts() {
        let html = rendered_html("<img src=x onerror=alert(1)>\n\n[x](javascript:alert(1)) <b>y");
        assert!(
            !html.contains("onerror") && !html.contains("javascript"),
            "{html}"
        );
        assert!(html.contains("<b>y</b>"), "{html}");
    }
}
