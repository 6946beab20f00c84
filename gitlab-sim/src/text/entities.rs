//! Character references in HTML text.

use std::borrow::Cow;

/// The longest name HTML defines, with room for leading zeros in numbers.
const LONGEST: usize = 40;

/// The text with its character references decoded, as a browser reads it: numbers also without
/// the final semicolon.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, reference) = rest.split_at(at);
        decoded.push_str(before);
        if let Some((meaning, length)) = reference_at_start(reference) {
            decoded.push_str(&meaning);
            rest = reference.get(length..).unwrap_or("");
        } else {
            decoded.push('&');
            rest = reference.get(1..).unwrap_or("");
        }
    }
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The meaning of the character reference that starts the text, and its length in bytes.
fn reference_at_start(text: &str) -> Option<(Cow<'static, str>, usize)> {
    match text.strip_prefix("&#") {
        Some(number) => numeric(number).map(|(meaning, length)| (meaning, length + "&#".len())),
        None => named(text),
    }
}

fn numeric(text: &str) -> Option<(Cow<'static, str>, usize)> {
    let (radix, prefix) = if text.starts_with(['x', 'X']) {
        (16, 1)
    } else {
        (10, 0)
    };
    let digits = text.get(prefix..)?;
    let length = digits
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(digits.len());
    let value = u32::from_str_radix(
        digits.get(..length).filter(|digits| !digits.is_empty())?,
        radix,
    );
    let character = value
        .ok()
        .filter(|value| *value != 0)
        .and_then(char::from_u32)
        .unwrap_or('\u{FFFD}');
    let semicolon = usize::from(
        digits
            .get(length..)
            .is_some_and(|rest| rest.starts_with(';')),
    );
    Some((
        Cow::Owned(character.to_string()),
        prefix + length + semicolon,
    ))
}

fn named(text: &str) -> Option<(Cow<'static, str>, usize)> {
    const WITHOUT_SEMICOLON: [(&str, &str); 7] = [
        ("&amp", "&"),
        ("&lt", "<"),
        ("&gt", ">"),
        ("&quot", "\""),
        ("&nbsp", "\u{A0}"),
        ("&copy", "©"),
        ("&reg", "®"),
    ];
    let end = text.bytes().take(LONGEST).position(|byte| byte == b';');
    if let Some(reference) = end.and_then(|end| text.get(..=end)) {
        let simple = WITHOUT_SEMICOLON
            .iter()
            .find(|(name, _)| reference.strip_suffix(';') == Some(*name));
        if let Some((_, meaning)) = simple {
            return Some((Cow::Borrowed(meaning), reference.len()));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b';';
        if reference.bytes().skip(1).all(plain)
            && let Some(meaning) = from_the_markdown_parser(reference)
        {
            return Some((Cow::Owned(meaning), reference.len()));
        }
    }
    WITHOUT_SEMICOLON
        .iter()
        .find(|(name, _)| text.starts_with(name))
        .map(|(name, meaning)| (Cow::Borrowed(*meaning), name.len()))
}

/// The Markdown parser carries HTML's whole table of names, but only its parsing shows it.
fn from_the_markdown_parser(reference: &str) -> Option<String> {
    let html = comrak::markdown_to_html(reference, &comrak::Options::default());
    let inner = html.trim_end().strip_prefix("<p>")?.strip_suffix("</p>")?;
    let unknown = inner.starts_with("&amp;") && inner != "&amp;";
    (!unknown).then(|| decode(inner).into_owned())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn references_decode_as_in_a_browser() {
        let cases = [
            ("plain", "plain"),
            ("&#64;alice", "@alice"),
            ("&#64alice", "@alice"),
            ("&#x40;alice", "@alice"),
            ("&commat;alice", "@alice"),
            ("&num;1 &excl;2", "#1 !2"),
            ("&amp;amp;", "&amp;"),
            ("a &lt; b &gt c", "a < b > c"),
            ("&hellip;", "…"),
            ("&LT;&AMP;", "<&"),
            ("&unknownname;", "&unknownname;"),
            ("AT&T; & co", "AT&T; & co"),
            ("&#0;&#xD800;", "\u{FFFD}\u{FFFD}"),
            ("&", "&"),
            ("&#;", "&#;"),
        ];
        for (text, decoded) in cases {
            assert_eq!(decode(text), decoded, "{text:?}");
        }
    }
}
