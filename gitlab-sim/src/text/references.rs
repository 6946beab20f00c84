//! Live references and mentions: what GitLab turns into links, notifications and "mentioned in"
//! notes after rendering (facts section 4).

use std::sync::LazyLock;

use regex::Regex;

use super::html::{self, Token, VOID};
use super::{markdown, reference_patterns};

/// Something that GitLab would look up, and link if it exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Live {
    /// `@user`, `@group/subgroup` or `@all`, without the sign: it notifies.
    User(String),
    /// `#1`, `GL-1`, `group/project#1`, `[issue:1]`, `[work_item:1]`.
    Issue {
        /// Full path as written, if one was written.
        project: Option<String>,
        /// Number within the project.
        iid: u64,
    },
    /// `!1`.
    MergeRequest {
        /// Full path as written, if one was written.
        project: Option<String>,
        /// Number within the project.
        iid: u64,
    },
    /// `&1`, `[epic:1]`.
    Epic {
        /// Full path as written, if one was written.
        group: Option<String>,
        /// Number within the group.
        iid: u64,
    },
    /// `%1`, `%name`, `%"a name"`: the number or name, without quotes.
    Milestone(String),
    /// `~1`, `~name`, `~"a name"`: the number or name, without quotes.
    Label(String),
    /// `$1`.
    Snippet {
        /// Full path as written, if one was written.
        project: Option<String>,
        /// Global id.
        id: u64,
    },
    /// `^alert#1`.
    Alert {
        /// Full path as written, if one was written.
        project: Option<String>,
        /// Number within the project.
        iid: u64,
    },
    /// A bare SHA of 7 to 40 hexadecimal digits (digits alone included), in lower case.
    Commit(String),
    /// `[vulnerability:1]`.
    Vulnerability(u64),
    /// The absolute URL of an object on the same instance.
    Url(String),
    /// Any other shape, as written: `*iteration:1`, `[feature_flag:1]`, `group/project>`, …
    Other(String),
}

/// Everything live in a description or comment, in the order of the text, each once.
///
/// References in `pre`, `code`, `a` and `style` are dead, and so are those whose sign is escaped by
/// a backslash; block quotes and other HTML do not protect, nor do character references, which are
/// decoded first. Link targets count. Where releases could differ (comments or unknown tags inside a
/// reference, HTML that is never closed), what any of them would link is live.
pub fn find(text: &str) -> Vec<Live> {
    let mut live = Vec::new();
    search(text, None, &mut live);
    live
}

/// As [`find`], and the URLs of objects on the instance at `instance_url`, linked or bare.
pub fn find_with_base(text: &str, instance_url: &str) -> Vec<Live> {
    let mut live = Vec::new();
    search(text, Some(instance_url.trim_end_matches('/')), &mut live);
    live
}

/// Everything live in a title. Titles are not Markdown: nothing escapes, nothing protects.
pub fn find_in_title(title: &str) -> Vec<Live> {
    let mut live = Vec::new();
    search_text(title, None, &mut live);
    live
}

/// As [`find_in_title`], and the URLs of objects on the instance at `instance_url`.
pub fn find_in_title_with_base(title: &str, instance_url: &str) -> Vec<Live> {
    let mut live = Vec::new();
    search_text(title, Some(instance_url.trim_end_matches('/')), &mut live);
    live
}

fn search(text: &str, base: Option<&str>, live: &mut Vec<Live>) {
    let tokens = html::tokens(&markdown::html_with_escapes_marked(text));
    for target in tokens.iter().filter_map(link_target) {
        let target = percent_encoding::percent_decode_str(target).decode_utf8_lossy();
        let url = base.and_then(|base| {
            object_urls(&target, base)
                .into_iter()
                .find(|url| *url == target)
        });
        if let Some(found) =
            reference_patterns::whole(&target).or(url.map(|url| Live::Url(url.to_owned())))
        {
            add(live, found);
        }
    }
    let pieces = pieces(&tokens);
    let mut texts = joined(&pieces, Seam::Same);
    if pieces.iter().any(|piece| piece.seam == Seam::Uncertain) {
        texts.extend(joined(&pieces, Seam::Uncertain));
    }
    for text in texts {
        search_text(&text, base, live);
    }
}

fn search_text(text: &str, base: Option<&str>, live: &mut Vec<Live>) {
    for (_, found) in reference_patterns::all(text) {
        add(live, found);
    }
    for url in base.map(|base| object_urls(text, base)).unwrap_or_default() {
        add(live, Live::Url(url.to_owned()));
    }
}

fn add(live: &mut Vec<Live>, found: Live) {
    if !live.contains(&found) {
        live.push(found);
    }
}

fn link_target(token: &Token) -> Option<&str> {
    match token {
        Token::Start { name, attributes } if name == "a" => attribute(attributes, "href"),
        Token::Start { .. } | Token::Text(_) | Token::End(_) | Token::Invisible => None,
    }
}

fn attribute<'a>(attributes: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.as_str())
}

/// The URLs in a text that name an object below the base.
fn object_urls<'a>(text: &'a str, base: &str) -> Vec<&'a str> {
    static OBJECT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let kinds = "issues|work_items|merge_requests|epics|milestones|snippets|commit|compare|incidents|\
                     issues/incident|alert_management|vulnerabilities|designs|iterations|feature_flags|labels";
        Regex::new(&format!(r"^/[^\s<>]*?/(?:{kinds})(?:/|\?)[^\s<>]*")).ok()
    });
    let mut urls = Vec::new();
    for (start, _) in text.match_indices(base) {
        let tail = text.get(start + base.len()..).unwrap_or("");
        let Some(found) = OBJECT.as_ref().and_then(|object| object.find(tail)) else {
            continue;
        };
        urls.extend(text.get(start..start + base.len() + found.end()));
    }
    urls
}

/// How a piece of text hangs on the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Seam {
    /// Nothing that survives lies between.
    Same,
    /// A comment or an unknown tag lies between; whether the pieces grow together differs.
    Uncertain,
    /// An element lies between.
    Split,
}

struct Piece {
    text: String,
    seam: Seam,
    dead: bool,
}

/// The texts of a page with what protects them.
fn pieces(tokens: &[Token]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut seam = Seam::Split;
    let mut rest = tokens;
    while let Some((token, mut after)) = rest.split_first() {
        match token {
            Token::Text(text) => {
                pieces.push(Piece {
                    text: text.clone(),
                    seam,
                    dead: false,
                });
                seam = Seam::Same;
            }
            Token::Start { .. } if escaped_plain_character(rest).is_some() => {
                let text = escaped_plain_character(rest).unwrap_or_default().to_owned();
                pieces.push(Piece {
                    text,
                    seam,
                    dead: false,
                });
                seam = Seam::Same;
                after = rest.get(3..).unwrap_or_default();
            }
            Token::Start { name, .. } => {
                seam = seam.max(seam_of(name));
                if !VOID.contains(&name.as_str()) {
                    open.push((name, pieces.len()));
                }
            }
            Token::End(name) => {
                seam = seam.max(seam_of(name));
                if let Some(at) = open.iter().rposition(|(opened, _)| opened == name) {
                    let first = open.get(at).map_or(0, |(_, first)| *first);
                    open.truncate(at);
                    let inside = pieces.get_mut(first..).unwrap_or_default();
                    inside
                        .iter_mut()
                        .for_each(|piece| piece.dead |= protects(name));
                }
            }
            Token::Invisible => seam = seam.max(Seam::Uncertain),
        }
        rest = after;
    }
    pieces
}

/// `<span data-escaped-char>c</span>` around a character that is no reference sign: GitLab takes
/// the span away again, so that `GL\-1` is as live as `GL-1`.
fn escaped_plain_character(tokens: &[Token]) -> Option<&str> {
    const SIGNS: &str = "$%#&@!~^";
    let [
        Token::Start { name, attributes },
        Token::Text(text),
        Token::End(end),
        ..,
    ] = tokens
    else {
        return None;
    };
    let marked =
        name == "span" && end == "span" && attribute(attributes, "data-escaped-char").is_some();
    (marked && !SIGNS.contains(text.as_str())).then_some(text)
}

fn protects(name: &str) -> bool {
    matches!(name, "pre" | "code" | "a" | "style" | "script")
}

/// Elements that GitLab's sanitiser takes away leave their content behind.
fn seam_of(name: &str) -> Seam {
    if super::sanitize::KEPT.contains(&name) {
        Seam::Split
    } else {
        Seam::Uncertain
    }
}

/// The living texts, grown together across seams up to the given kind.
fn joined(pieces: &[Piece], across: Seam) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut continues = false;
    for piece in pieces {
        match texts.last_mut() {
            Some(open) if continues && piece.seam <= across && !piece.dead => {
                open.push_str(&piece.text)
            }
            Some(_) | None if !piece.dead => texts.push(piece.text.clone()),
            Some(_) | None => {}
        }
        continues = !piece.dead;
    }
    texts
}

#[cfg(test)]
#[path = "references_tests.rs"]
mod tests;
