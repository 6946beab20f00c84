//! Web and mail addresses that stand bare in prose, where GitLab makes links of them.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::cells::Run;
use super::destinations::Form;
use super::edits::Edits;
use super::hazards::occurrences;

static ADDRESS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let url = r"[A-Za-z][A-Za-z0-9+.-]{1,30}://[A-Za-z0-9\-._~:/?#@!$&'()*+,;=%]+";
    let mail = r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+";
    Regex::new(&format!("{url}|{mail}")).ok()
});

/// The addresses in a text node, without the punctuation that ends a sentence.
pub(super) fn find(text: &str) -> Vec<Range<usize>> {
    let found = ADDRESS.iter().flat_map(|address| address.find_iter(text));
    found
        .map(|found| found.start()..found.start() + without_trail(found.as_str()).len())
        .collect()
}

fn without_trail(address: &str) -> &str {
    let mut address = address;
    loop {
        let unbalanced =
            address.ends_with(')') && address.matches(')').count() > address.matches('(').count();
        let shorter = address.trim_end_matches(['?', '!', '.', ',', ':', '*', '_', '~', '\'', ';']);
        let shorter = if unbalanced {
            address.strip_suffix(')').unwrap_or(address)
        } else {
            shorter
        };
        if shorter.len() == address.len() {
            return address;
        }
        address = shorter;
    }
}

/// Writes a bare address as the link it becomes, which protects what stands in it. Says whether
/// that was possible without touching its neighbourhood.
pub(super) fn link(
    run: &Run,
    address: &Range<usize>,
    base: Option<&str>,
    edits: &mut Edits,
) -> bool {
    let Some(source) = plain_source(run, address) else {
        return false;
    };
    let Some(url) = run.text().get(address.clone()) else {
        return false;
    };
    let written = match base.and_then(|base| with_port(url, base)) {
        Some(moved) => write(Form::Autolink, url, &moved),
        None if url.contains('&') => return false,
        None => format!("<{url}>"),
    };
    match run
        .cell_before(address.start)
        .filter(|cell| cell.shown == '\\' && !cell.escaped)
    {
        Some(backslash) => {
            edits.replace(backslash.source.start..source.end, format!("\\\\{written}"))
        }
        None => edits.replace(source, written),
    }
    true
}

/// The place of an address that is written without escapes and stands beside nothing that a
/// bracket would change the meaning of.
pub(super) fn plain_source(run: &Run, address: &Range<usize>) -> Option<Range<usize>> {
    let first = run.cell_at(address.start)?.source.start;
    let mut end = first;
    for (at, character) in run.text().get(address.clone())?.char_indices() {
        let cell = run.cell_at(address.start + at)?;
        let plain = cell.source == (end..end + character.len_utf8()) && !cell.escaped;
        end = plain.then_some(cell.source.end)?;
    }
    let before = run.text().get(..address.start)?.chars().next_back();
    let after = run.text().get(address.end..)?.chars().next();
    let free = |beside: Option<char>| {
        beside.is_some_and(|c| c.is_whitespace() || "()\"',;.:?!\\".contains(c))
    };
    (free(before) && free(after)).then_some(first..end)
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
        Form::Autolink => format!("[{}]({})", super::literal(shown), form.write(target)),
        Form::Markdown | Form::Attribute(_) => form.write(target),
    }
}
