//! The Markdown dialect of GitLab, as its engine (comrak) is configured there.

use comrak::Options;

/// Which reading of the dialect is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// The newest releases.
    Newest,
    /// Releases before description lists.
    NoDescriptionLists,
}

/// The options of one reading.
///
/// Mathematics is off: `$1` is a snippet reference first, and the judge must see it as one.
pub(super) fn options(dialect: Dialect) -> Options<'static> {
    let mut options = Options::default();
    let extension = &mut options.extension;
    extension.alerts = true;
    extension.autolink = true;
    extension.cjk_friendly_emphasis = true;
    extension.description_lists = dialect == Dialect::Newest;
    extension.footnotes = true;
    extension.multiline_block_quotes = true;
    extension.strikethrough = true;
    extension.table = true;
    extension.tasklist = true;
    options.parse.relaxed_autolinks = true;
    options.parse.tasklist_in_table = true;
    options.render.full_info_string = true;
    options.render.github_pre_lang = true;
    options.render.r#unsafe = true;
    options
}

/// HTML with raw HTML let through and every backslash escape wrapped in
/// `<span data-escaped-char>`, the form GitLab's reference search works on.
pub(super) fn html_with_escapes_marked(text: &str) -> String {
    let mut options = options(Dialect::Newest);
    options.render.escaped_char_spans = true;
    comrak::markdown_to_html(text, &options)
}

/// HTML with raw HTML let through.
pub(super) fn html(text: &str) -> String {
    comrak::markdown_to_html(text, &options(Dialect::Newest))
}
