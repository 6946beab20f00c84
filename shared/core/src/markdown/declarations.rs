//! Comments and declarations within prose, which GitLab's engine ends elsewhere than a browser, or
//! knows in fewer forms than the parser used here.

use std::sync::LazyLock;

use regex::Regex;

use super::agreement::continues_paragraph;

/// Where a comment in prose that ends in more than two dashes ends to GitLab's engine, to which
/// three dashes are part of it; nothing where it shows the comment or ends it as everybody does.
pub(super) fn end_of_dashed(text: &str, at: usize) -> Option<usize> {
    static COMMENT: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"\A<!--(?:[^-]|-[^-]|--[^>])*-->").ok());
    let rest = text.get(at..).filter(|rest| !rest.starts_with("<!--->"))?;
    let first = rest.find("-->")?;
    let lines = rest.split_inclusive('\n');
    let more = lines
        .clone()
        .skip(1)
        .take_while(|line| continues_paragraph(line));
    let length: usize = lines.take(1).chain(more).map(str::len).sum();
    let found = COMMENT.as_ref()?.find(rest.get(..length)?)?;
    rest.get(..first)?
        .ends_with('-')
        .then_some(at + found.end())
}

/// `<!NAME …>` is a declaration to GitLab's engine only with a name in capitals and a space; the
/// parser used here is less strict. What is none is shown; so is a comment in prose that ends in
/// three dashes.
pub(super) fn is_declaration(html: &str) -> bool {
    let Some(inner) = html.strip_prefix("<!") else {
        return true;
    };
    let after_name = inner.trim_start_matches(|c: char| c.is_ascii_uppercase());
    let named =
        after_name.len() < inner.len() && after_name.starts_with(|c: char| c.is_ascii_whitespace());
    let comment = inner.strip_prefix("--");
    let comment = comment.is_some_and(|rest| rest == "->" || !rest.ends_with("--->"));
    named || comment || (inner.starts_with("[CDATA[") && inner.ends_with("]]>"))
}
