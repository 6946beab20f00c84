//! Web and mail addresses that stand bare in prose, where GitLab makes links of them.
//!
//! GitLab's engine takes a web address off the raw text, up to the next white space or `<`, before
//! it looks at escapes or emphasis. An address that holds anything of meaning is therefore first
//! written out as the link it becomes, so that every reading agrees about it.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::cells::Run;
use super::destinations::Form;
use super::edits::Edits;
use super::hazards::{hazards, occurrences};
use super::survey::{Survey, survey};

/// The text with those bare addresses written out as links that need it. What one held back, such as
/// the backtick of a code span, may lay open the next: hence twice.
pub(super) fn settled(text: &str, base: Option<&str>) -> String {
    let once = settled_once(text, base);
    if once == text {
        once
    } else {
        settled_once(&once, base)
    }
}

fn settled_once(text: &str, base: Option<&str>) -> String {
    if !text.contains("://") && !text.contains("www.") && !text.contains('@') {
        return text.to_owned();
    }
    let survey = survey(text);
    let mut edits = Edits::default();
    for url in bare(text, &survey) {
        let shown = text.get(url.clone()).unwrap_or("");
        if !needs_link(shown, base) {
            continue;
        }
        if !is_free(text, &url) {
            if shown.contains(OPENING) {
                edits.replace(url, super::literal::escaped(shown));
            }
            continue;
        }
        let full = if is_www(shown) {
            format!("http://{shown}")
        } else {
            shown.to_owned()
        };
        // A backslash that is shown would escape the bracket.
        let before = text.get(..url.start).unwrap_or("");
        if (before.len() - before.trim_end_matches('\\').len()) % 2 == 1 {
            edits.insert(url.start, "\\");
        }
        // Behind a name in brackets it would be that link's, behind a colon a definition's target.
        if before.ends_with(']') || before.trim_end().ends_with("]:") {
            edits.insert(url.start, super::CUT);
        }
        // Behind an exclamation mark a link would be a picture.
        if text
            .get(..url.start)
            .is_some_and(|before| before.ends_with('!'))
        {
            edits.insert(url.start, "<span></span>");
        }
        edits.replace(
            url,
            match base.and_then(|base| with_port(&full, base)) {
                Some(moved) => write(Form::Autolink, shown, &moved),
                None if is_www(shown) || !fits_brackets(shown) => {
                    write(Form::Autolink, shown, &full)
                }
                None => format!("<{shown}>"),
            },
        );
    }
    for run in &survey.prose {
        for start in starts(run) {
            let before = text.get(..start.at()).unwrap_or("");
            hash_before(
                text,
                before
                    .trim_end_matches(|c: char| c.is_ascii_alphabetic())
                    .len(),
                &mut edits,
            );
        }
        mails(text, run, &mut edits);
    }
    if edits.is_empty() {
        text.to_owned()
    } else {
        edits.apply(text)
    }
}

/// What an address cuts off from it may be a hash by itself.
fn hash_before(text: &str, at: usize, edits: &mut Edits) {
    let before = text.get(..at).unwrap_or("");
    let word = before
        .trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_')
        .len();
    for hazard in hazards(before.get(word..).unwrap_or("")) {
        edits.insert(word + hazard.at(), super::CUT);
    }
}

/// Whether anything in an address could be read as something else.
fn needs_link(url: &str, base: Option<&str>) -> bool {
    let special = |c: char| !(c.is_alphanumeric() || "-./:?=+,;()#@%".contains(c));
    url.contains(special)
        || !hazards(url).is_empty()
        || base.is_some_and(|base| with_port(url, base).is_some())
}

fn fits_brackets(url: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@!$'()*+,;=%".contains(c);
    let scheme = url.find(':').unwrap_or(0);
    (2..=32).contains(&scheme) && url.chars().all(plain)
}

fn is_www(url: &str) -> bool {
    url.starts_with("www.")
}

/// What may begin something that reaches beyond an address, for a reader that sees no address.
const OPENING: [char; 2] = ['`', '$'];

/// Brackets change the meaning of emphasis marks between them and anything but white space.
fn is_free(text: &str, url: &Range<usize>) -> bool {
    let mark = |c: char| "*_~".contains(c);
    let before = text.get(..url.start).unwrap_or("");
    let after = text.get(url.end..).unwrap_or("");
    let outer_before = before.trim_end_matches(mark);
    let outer_after = after.trim_start_matches(mark);
    let space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let free_before = outer_before.len() == before.len() || space(outer_before.chars().next_back());
    let free_after = outer_after.len() == after.len() || space(outer_after.chars().next());
    free_before && free_after
}

/// The web addresses that stand bare in prose, as places in the text.
pub(super) fn bare(text: &str, survey: &Survey) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for run in &survey.prose {
        for start in starts(run) {
            let within = survey
                .table_cells
                .iter()
                .find(|cell| cell.contains(&start.at()));
            let limit = within.map_or(text.len(), |cell| cell.end);
            let end = found.last().map_or(0, |last| last.end);
            let url = text.get(..limit).and_then(|text| start.url(text));
            found.extend(url.filter(|url| url.start >= end));
        }
    }
    found
}

#[derive(Clone, Copy)]
enum Start {
    Colon(usize),
    Www(usize),
}

fn starts(run: &Run) -> Vec<Start> {
    let text = run.text();
    let written = |(at, sign): (usize, &str)| as_written(run, at..at + sign.len());
    let colons = text.match_indices("://").filter_map(written);
    let mut starts: Vec<Start> = colons.map(|place| Start::Colon(place.start)).collect();
    let names = text.match_indices("www.").filter_map(written);
    starts.extend(names.map(|place| Start::Www(place.start)));
    starts.sort_by_key(|start| start.at());
    starts
}

impl Start {
    fn at(self) -> usize {
        match self {
            Self::Colon(at) | Self::Www(at) => at,
        }
    }

    fn url(self, text: &str) -> Option<Range<usize>> {
        let (start, host) = match self {
            Self::Colon(colon) => {
                let before = text.get(..colon)?;
                (
                    before
                        .trim_end_matches(|c: char| c.is_ascii_alphabetic())
                        .len(),
                    colon + 3,
                )
            }
            Self::Www(start) => {
                let before = text.get(..start)?;
                let line = before.rsplit('\n').next().unwrap_or("");
                let quoted = !line.is_empty() && line.chars().all(|c| c == '>' || c == ' ');
                let free = quoted
                    || before
                        .chars()
                        .next_back()
                        .is_none_or(|c| c.is_ascii_whitespace() || "*_~([|".contains(c));
                free.then_some((start, start + 4))?
            }
        };
        let tail = text.get(host..)?;
        let length = tail
            .find(|c: char| c.is_ascii_whitespace() || c == '\x0B')
            .unwrap_or(tail.len());
        let tail = tail.get(..length)?;
        if has_underscore_in_domain(tail) || tail.contains("](") {
            return None;
        }
        let url = text.get(start..host + length)?;
        let url = without_trail(url.split('<').next()?);
        (url.len() > host - start).then(|| start..start + url.len())
    }
}

/// Whether a place is in a word in which an address may have begun, as far as any reader goes.
pub(super) fn is_in_word(text: &str, at: usize) -> bool {
    let word = text.get(..at).unwrap_or("");
    let word = word.rsplit(char::is_whitespace).next().unwrap_or("");
    word.contains("://") || word.contains("www.")
}

fn has_underscore_in_domain(after_scheme: &str) -> bool {
    let host = |c: char| c.is_alphanumeric() || "-_.\\".contains(c);
    let domain = after_scheme.split(|c| !host(c)).next().unwrap_or("");
    let mut labels = domain.rsplit('.');
    labels.by_ref().take(2).any(|label| label.contains('_'))
}

/// Without the punctuation that ends a sentence, as GitLab's engine cuts it.
fn without_trail(url: &str) -> &str {
    let mut url = url;
    while let Some(last) = url.chars().next_back() {
        let shorter = url.get(..url.len() - last.len_utf8()).unwrap_or("");
        let pair = match last {
            ')' => Some('('),
            ']' => Some('['),
            '}' => Some('{'),
            _other => None,
        };
        url = match last {
            '?' | '!' | '.' | ',' | ':' | '*' | '_' | '~' | '\'' | '"' => shorter,
            ';' => {
                let name = shorter.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                let reference = name.len() < shorter.len() && name.ends_with('&');
                if reference {
                    name.strip_suffix('&').unwrap_or(name)
                } else {
                    shorter
                }
            }
            _other => match pair {
                Some(opening) if url.matches(last).count() > url.matches(opening).count() => {
                    shorter
                }
                Some(_) | None => return url,
            },
        };
    }
    url
}

static MAIL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]*[A-Za-z0-9](?:\.[A-Za-z0-9]+)+").ok()
});

/// A mail address that looks like a commit goes into brackets.
fn mails(text: &str, run: &Run, edits: &mut Edits) {
    for found in MAIL.iter().flat_map(|mail| mail.find_iter(run.text())) {
        let Some(source) = as_written(run, found.range()) else {
            continue;
        };
        let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_whitespace());
        let before = text
            .get(..source.start)
            .and_then(|before| before.chars().next_back());
        let after = text
            .get(source.end..)
            .and_then(|after| after.chars().next());
        if ends(before) && ends(after) && !hazards(found.as_str()).is_empty() {
            edits.replace(source, format!("<{}>", found.as_str()));
        }
    }
}

/// The place of a part of a run that is written without escapes.
pub(super) fn as_written(run: &Run, part: Range<usize>) -> Option<Range<usize>> {
    let first = run.cell_at(part.start)?.source.start;
    let mut end = first;
    for (at, character) in run.text().get(part.clone())?.char_indices() {
        let cell = run.cell_at(part.start + at)?;
        let plain = cell.source == (end..end + character.len_utf8()) && !cell.escaped;
        end = plain.then_some(cell.source.end)?;
    }
    Some(first..end)
}

/// A URL below the base with its port spelled out: the same page, but not the address that GitLab
/// compares with.
pub(super) fn with_port(url: &str, base: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(url)
        .decode_utf8_lossy()
        .into_owned();
    let below = occurrences(&decoded, base)
        .first()
        .is_some_and(|found| found.start == 0);
    if !below {
        return None;
    }
    let (scheme, after) = url.split_once("://")?;
    let end = after.find(['/', '?', '#']).unwrap_or(after.len());
    let (authority, rest) = (after.get(..end)?, after.get(end..)?);
    let ported = match authority.rsplit_once(':') {
        Some((host, port)) => format!("{host}:0{port}"),
        None if scheme.eq_ignore_ascii_case("http") => format!("{authority}:80"),
        None => format!("{authority}:443"),
    };
    Some(format!("{scheme}://{ported}{rest}"))
}

/// A new target for a place; an address that was its own text keeps that text.
pub(super) fn write(form: Form, shown: &str, target: &str) -> String {
    match form {
        Form::Autolink => format!(
            "[{}]({})",
            super::literal::escaped(shown),
            form.write(target)
        ),
        Form::Markdown | Form::Attribute(_) => form.write(target),
    }
}
