//! Quick actions: lines such as `/close` that GitLab executes and removes (facts section 3).

use std::sync::LazyLock;

use comrak::nodes::{Node, NodeValue};
use regex::{Captures, Regex};

use super::command_names::{COMMANDS, SUBSTITUTIONS};
use super::markdown::{self, Dialect};

/// Which of GitLab's two recognitions reads the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Generation {
    /// The text is parsed as Markdown, and only top-level paragraphs are searched.
    #[default]
    Current,
    /// Regular expressions alone.
    Legacy,
}

/// One executed slash line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Lower case, without the slash.
    pub name: String,
    /// The rest of the line, trimmed.
    pub args: String,
}

/// What GitLab makes of a text before it stores it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extraction {
    /// In the order of the text, substitutions such as `/shrug` included.
    pub commands: Vec<Command>,
    /// The text that is stored: every CR deleted, executed lines removed, substitutions done,
    /// trailing white space stripped.
    pub rest: String,
}

/// Executes the words known today.
pub fn extract(text: &str, generation: Generation) -> Extraction {
    match generation {
        Generation::Current => by_paragraph(text, &KNOWN_CURRENT, Dialect::Newest),
        Generation::Legacy => by_expression(text, &KNOWN_LEGACY),
    }
}

/// The strict judge: every slash word counts as a command, and the text counts as executed if any
/// release of the generation would execute it.
///
/// The older expression had several wordings over the years. They differ in code: some did not
/// know inline code at all, and one knew fences only without an info string, so that a `/close` in
/// a ```` ```rust ```` fence was executed. A fence indented by one space, with its content, is safe
/// in all of them and reads the same.
///
/// Returns the first reading that executes something, else the plain one.
pub fn extract_any(text: &str, generation: Generation) -> Extraction {
    let mut readings: Vec<Extraction> = match generation {
        Generation::Current => [Dialect::Newest, Dialect::NoDescriptionLists]
            .map(|dialect| by_paragraph(text, &ANY_CURRENT, dialect))
            .into(),
        Generation::Legacy => ANY_LEGACY
            .iter()
            .map(|wording| by_expression(text, wording))
            .collect(),
    };
    let executed = readings
        .iter()
        .position(|reading| !reading.commands.is_empty());
    readings.swap_remove(executed.unwrap_or(0))
}

/// Whether any line has a slash word in column 0, wherever it stands: stricter than every
/// generation.
pub fn any_slash_line(text: &str) -> bool {
    static SLASH_LINE: LazyLock<Regex> = LazyLock::new(|| regex(r"(?m)^/[A-Za-z]\w*(?:[ \t\r]|$)"));
    SLASH_LINE.is_match(text)
}

const FENCE: &str = r"^```.+?\n```$";
const FENCE_WITHOUT_INFO: &str = r"^```\n.+?\n```$";
const INLINE_CODE: &str = r"`.+?`";
const INLINE_CODE_ON_ROWS: &str = r"`\n*.+?\n*`";
const INLINE_CODE_BY_LINE_END: &str = r"^.*`\n*.+?\n*`$";
const HTML_BLOCK: &str = r"^<[^>]+?>\n.+?\n</[^>]+?>$";
const QUOTE_BLOCK: &str = r"^>>>.+?\n>>>$";
const ANY_WORD: &str = "[a-z][a-z0-9_]*";

static KNOWN_CURRENT: LazyLock<Regex> =
    LazyLock::new(|| expression(&[INLINE_CODE, HTML_BLOCK], &COMMANDS.join("|")));
static ANY_CURRENT: LazyLock<Regex> =
    LazyLock::new(|| expression(&[INLINE_CODE, HTML_BLOCK], ANY_WORD));
static KNOWN_LEGACY: LazyLock<Regex> = LazyLock::new(|| {
    expression(
        &[FENCE, INLINE_CODE_ON_ROWS, HTML_BLOCK, QUOTE_BLOCK],
        &COMMANDS.join("|"),
    )
});
static ANY_LEGACY: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    [
        &[FENCE, INLINE_CODE_ON_ROWS, HTML_BLOCK, QUOTE_BLOCK] as &[&str],
        &[FENCE, INLINE_CODE_BY_LINE_END, HTML_BLOCK, QUOTE_BLOCK],
        &[
            FENCE_WITHOUT_INFO,
            INLINE_CODE_ON_ROWS,
            HTML_BLOCK,
            QUOTE_BLOCK,
        ],
        &[FENCE, HTML_BLOCK, QUOTE_BLOCK],
    ]
    .map(|excluded| expression(excluded, ANY_WORD))
});

fn expression(excluded: &[&str], names: &str) -> Regex {
    let excluded = excluded.join("|");
    let substitutions = SUBSTITUTIONS.join("|");
    let argument = r"(?:[ ](?P<ARG>[^\n]*))?(?:[ \t\r\x0B\x0C\n]*\n|$)";
    let command = argument.replace("ARG", "arg");
    let substitution = argument.replace("ARG", "comment");
    regex(&format!(
        r"(?msi){excluded}|^/(?P<substitution>{substitutions}){substitution}|^/(?P<cmd>{names}){command}"
    ))
}

#[expect(
    clippy::expect_used,
    reason = "the patterns are constants of this file, compiled by its tests"
)]
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a constant pattern")
}

fn by_expression(text: &str, expression: &Regex) -> Extraction {
    let mut commands = Vec::new();
    let rest = execute(&text.replace('\r', ""), expression, &mut commands);
    Extraction {
        commands,
        rest: strip_end(rest),
    }
}

fn by_paragraph(text: &str, expression: &Regex, dialect: Dialect) -> Extraction {
    let text = text.replace('\r', "");
    let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
    let mut commands = Vec::new();
    for (start, mut end) in candidate_paragraphs(&text, dialect) {
        // GitLab takes one following empty line along, so that none is left behind.
        if lines.get(end + 1).is_some_and(|line| line == "\n") {
            end += 1;
        }
        let end = end.min(lines.len().saturating_sub(1));
        let Some(paragraph) = lines.get_mut(start..=end) else {
            continue;
        };
        let executed = execute(&paragraph.concat(), expression, &mut commands);
        paragraph.fill(String::new());
        if let Some(first) = paragraph.first_mut() {
            *first = executed;
        }
    }
    Extraction {
        commands,
        rest: strip_end(lines.concat()),
    }
}

/// First and last line, counted from 0, of the top-level paragraphs whose text has a line that
/// starts with a slash.
fn candidate_paragraphs(text: &str, dialect: Dialect) -> Vec<(usize, usize)> {
    let arena = comrak::Arena::new();
    let document = comrak::parse_document(&arena, text, &markdown::options(dialect));
    document
        .children()
        .filter(|node| matches!(node.data().value, NodeValue::Paragraph))
        .filter(|node| shown_text(node).lines().any(|line| line.starts_with('/')))
        .map(|node| {
            let position = node.data().sourcepos;
            (
                position.start.line.saturating_sub(1),
                position.end.line.saturating_sub(1),
            )
        })
        .collect()
}

/// What stands between the tags of a paragraph; attributes, such as a picture's text, do not.
fn shown_text(node: Node<'_>) -> String {
    let mut shown = String::new();
    let ast = node.data();
    if let NodeValue::Text(text) = &ast.value {
        shown.push_str(text);
    } else if let NodeValue::Code(code) = &ast.value {
        shown.push_str(&code.literal);
    } else if matches!(ast.value, NodeValue::SoftBreak | NodeValue::LineBreak) {
        shown.push('\n');
    } else if !matches!(ast.value, NodeValue::Image(_)) {
        node.children()
            .for_each(|child| shown.push_str(&shown_text(child)));
    }
    shown
}

fn execute(text: &str, expression: &Regex, commands: &mut Vec<Command>) -> String {
    expression
        .replace_all(text, |found: &Captures<'_>| {
            let whole = found.get(0).map_or("", |whole| whole.as_str());
            if let Some(word) = found.name("substitution") {
                let name = word.as_str().to_lowercase();
                let comment = found
                    .name("comment")
                    .map_or("", |comment| comment.as_str())
                    .trim_end();
                let replaced = substitute(&name, comment);
                commands.push(Command {
                    name,
                    args: comment.trim().to_owned(),
                });
                format!("{replaced}{}", trailing_breaks(whole))
            } else if let Some(word) = found.name("cmd") {
                let args = found
                    .name("arg")
                    .map_or("", |args| args.as_str())
                    .trim()
                    .to_owned();
                commands.push(Command {
                    name: word.as_str().to_lowercase(),
                    args,
                });
                String::new()
            } else {
                whole.to_owned()
            }
        })
        .into_owned()
}

fn substitute(name: &str, comment: &str) -> String {
    let figure = if name == "shrug" {
        r"¯\_(ツ)_/¯"
    } else {
        "(╯°□°)╯︵ ┻━┻"
    };
    if comment.is_empty() {
        figure.to_owned()
    } else {
        format!("{comment} {figure}")
    }
}

fn trailing_breaks(matched: &str) -> &str {
    matched
        .find('\n')
        .and_then(|at| matched.get(at..))
        .unwrap_or("")
}

fn strip_end(mut text: String) -> String {
    let kept = text
        .trim_end_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '\x0B' | '\0'))
        .len();
    text.truncate(kept);
    text
}

#[cfg(test)]
#[path = "quick_actions_tests.rs"]
mod tests;
