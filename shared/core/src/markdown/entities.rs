//! Character references, as far as they matter to what stands beside them.

use super::html::rest;

/// As [`decode`], as Markdown knows them: with their semicolon.
pub(super) fn decode_markdown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let reference = character_reference(rest).filter(|(_, length)| {
            rest.get(..*length)
                .is_some_and(|reference| reference.ends_with(';'))
        });
        let (meaning, length) = reference.unwrap_or((first, first.len_utf8()));
        shown.push(meaning);
        rest = rest.get(length..).unwrap_or("");
    }
    shown
}

/// The meaning of the character reference that starts a text, and its length in bytes. Names
/// beyond ASCII punctuation all read as some letter: enough to judge a neighbourhood.
pub(super) fn character_reference(text: &str) -> Option<(char, usize)> {
    let inner = text.strip_prefix('&')?;
    if let Some(number) = inner.strip_prefix('#') {
        let hex = number.starts_with(['x', 'X']);
        let digits = number.get(usize::from(hex)..)?;
        let radix = if hex { 16 } else { 10 };
        let length = digits
            .find(|c: char| !c.is_digit(radix))
            .unwrap_or(digits.len());
        let value = digits.get(..length).filter(|digits| !digits.is_empty())?;
        let meaning = u32::from_str_radix(value, radix)
            .ok()
            .and_then(char::from_u32);
        let meaning = meaning.filter(|c| *c != '\0').unwrap_or('\u{FFFD}');
        let semicolon = usize::from(rest(digits, length).starts_with(';'));
        return Some((meaning, 2 + usize::from(hex) + length + semicolon));
    }
    let length = inner
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(inner.len());
    let name = inner
        .get(..length)
        .filter(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))?;
    let semicolon = rest(inner, length).starts_with(';');
    let known = NAMES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, meaning)| *meaning);
    if semicolon {
        return Some((known.unwrap_or('\u{FFFD}'), length + 2));
    }
    let legacy = [
        ("amp", '&'),
        ("AMP", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
    ];
    let known = legacy
        .into_iter()
        .find(|(known, _)| name.starts_with(known));
    known.map(|(known, meaning)| (meaning, 1 + known.len()))
}

const NAMES: &[(&str, char)] = &[
    ("amp", '&'),
    ("AMP", '&'),
    ("apos", '\''),
    ("ast", '*'),
    ("midast", '*'),
    ("bsol", '\\'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("dollar", '$'),
    ("equals", '='),
    ("excl", '!'),
    ("grave", '`'),
    ("gt", '>'),
    ("GT", '>'),
    ("Hat", '^'),
    ("lbrack", '['),
    ("lsqb", '['),
    ("lcub", '{'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("lpar", '('),
    ("lt", '<'),
    ("LT", '<'),
    ("NewLine", '\n'),
    ("num", '#'),
    ("percnt", '%'),
    ("period", '.'),
    ("plus", '+'),
    ("quest", '?'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("rbrack", ']'),
    ("rsqb", ']'),
    ("rpar", ')'),
    ("semi", ';'),
    ("sol", '/'),
    ("Tab", '\t'),
    ("vert", '|'),
    ("verbar", '|'),
];

/// Text with its character references decoded, as far as [`character_reference`] knows them.
pub(super) fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(first) = rest(text, at).chars().next() {
        let (meaning, length) =
            character_reference(rest(text, at)).unwrap_or((first, first.len_utf8()));
        decoded.push(meaning);
        at += length;
    }
    decoded
}
