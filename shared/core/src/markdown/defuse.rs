//! Descriptions and comments, made inert.

use std::ops::Range;

use super::cells::Run;
use super::destinations::{Destination, destinations};
use super::edits::Edits;
use super::hazards::{Hazard, hazards, is_reference, occurrences};
use super::survey::{Survey, survey};
use super::{addresses, slashes, tildes};

/// What is known of the two sides when a text is made inert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inert<'a> {
    /// The target's own address (`https://host/sub`, no trailing slash needed), where source and
    /// target are one instance: there an absolute URL of an object is a live reference. It then
    /// gets an explicit port, which leads to the same page and matches no reference.
    pub same_instance: Option<&'a str>,
    /// The source project's address: where a link such as `[x](#12)` leads on the mirror. Empty if
    /// it is not known; such a link then leads nowhere.
    pub source_project_web_url: &'a str,
}

/// A description or comment body in which GitLab finds no command, no mention and no reference,
/// and which reads as before. See the [module](super) for what that means exactly.
///
/// Pure and deterministic. Call it on the source's text each time, not on its own result.
pub fn defuse(text: &str) -> String {
    defuse_with(text, &Inert::default())
}

/// As [`defuse`], for a target of which more is known.
pub fn defuse_with(text: &str, inert: &Inert<'_>) -> String {
    let base = inert.same_instance.map(|base| base.trim_end_matches('/'));
    let text = addresses::settled(&declared(normalised(text)), base);
    let survey = survey(&text);
    let pieces = survey.page.pieces();
    let mut edits = Edits::default();
    let bare = addresses::bare(&text, &survey);
    for run in &survey.prose {
        in_prose(run, base, &text, &bare, &mut edits);
    }
    for run in survey.page.runs(&pieces) {
        in_raw_html(&run, &text, base, &mut edits);
    }
    tildes::unstrike(&text, &survey.struck, &mut edits);
    link_targets(&text, &survey, inert, &mut edits);
    slashes::defuse(&text, &survey, &pieces, &mut edits);
    slashes::enforce(edits.apply(&text))
}

/// The text as GitLab stores it (facts section 3): every CR deleted, trailing white space stripped.
fn normalised(text: &str) -> String {
    // A byte order mark is no part of the text to GitLab, and stands first only here.
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut text = text.replace('\r', "");
    let stripped = |c: char| c.is_ascii_whitespace() || matches!(c, '\x0B' | '\0');
    text.truncate(text.trim_end_matches(stripped).len());
    text.replace('\0', "\u{FFFD}")
}

/// The text without what only the parser used here takes for a declaration.
fn declared(text: String) -> String {
    let mut text = text;
    // Escaping one may lay open the next.
    for _ in 0..text.matches("<!").count().min(MOST_DECLARATIONS) {
        let undeclared = survey(&text).undeclared;
        if undeclared.is_empty() {
            break;
        }
        let mut edits = Edits::default();
        for at in undeclared {
            edits.insert(at, "\\");
        }
        text = edits.apply(&text);
    }
    text
}

/// More than any text but a hostile one holds; what is left reads as text here as well.
const MOST_DECLARATIONS: usize = 8;

const CUT: &str = "<span></span>";

fn in_prose(run: &Run, base: Option<&str>, source: &str, bare: &[Range<usize>], edits: &mut Edits) {
    let text = run.text();
    let struck = tildes::strike(source, run, edits);
    for danger in dangers(text, base) {
        let Some(cell) = run.cell_at(danger.at()) else {
            continue;
        };
        let in_address = || {
            bare.iter()
                .any(|address| address.contains(&cell.source.start))
        };
        let reference = source
            .get(cell.source.clone())
            .is_some_and(|written| written.starts_with('&') && written.len() > 1);
        match danger {
            Hazard::Sign(_) if struck.contains(&cell.source.start) => {}
            // In a bare address a backslash would be part of it, after a task's box it would let
            // the box be one; a character reference is cut off from its name rather than replaced.
            Hazard::Sign(at) if reference || follows_box(text, at) || in_address() => {
                edits.insert(cell.source.end, CUT);
            }
            Hazard::Sign(_) => edits.replace(cell.source.clone(), format!("\\{}", cell.shown)),
            Hazard::Cut(_) => edits.insert(cell.source.start, CUT),
        }
    }
    // `<!x` begins a declaration as soon as a `>` follows, and a cut brings one.
    for (at, _) in text.match_indices("<!") {
        if let Some(cell) = run
            .cell_at(at)
            .filter(|cell| !cell.escaped && cell.source.len() == 1)
        {
            edits.replace(cell.source.clone(), "\\<");
        }
    }
}

fn follows_box(text: &str, at: usize) -> bool {
    at == 3 && text.starts_with('[') && text.get(2..3) == Some("]")
}

fn in_raw_html(run: &Run, text: &str, base: Option<&str>, edits: &mut Edits) {
    for danger in dangers(run.text(), base) {
        let Some(cell) = run.cell_at(danger.at()) else {
            continue;
        };
        match danger {
            Hazard::Sign(_) => {
                let written = text.get(cell.source.clone()).unwrap_or("");
                edits.replace(cell.source.clone(), format!("<span>{written}</span>"));
            }
            Hazard::Cut(_) => edits.insert(cell.source.start, CUT),
        }
    }
}

/// What is live in a text node, addresses of the target's own objects included.
fn dangers(text: &str, base: Option<&str>) -> Vec<Hazard> {
    let mut found = hazards(text);
    for url in base.map(|base| occurrences(text, base)).unwrap_or_default() {
        found.push(Hazard::Cut(url.start + 1));
    }
    found
}

fn link_targets(text: &str, survey: &Survey, inert: &Inert<'_>, edits: &mut Edits) {
    let ported = |url: &str| {
        inert
            .same_instance
            .and_then(|base| addresses::with_port(url, base))
    };
    for destination in destinations(text, survey) {
        let Destination {
            range,
            target,
            form,
            clicked,
        } = destination;
        let decoded = percent_encoding::percent_decode_str(&target).decode_utf8_lossy();
        if clicked && is_reference(&decoded) {
            let absolute = at_source(&decoded, inert.source_project_web_url);
            let moved =
                absolute.map_or_else(|| unmatched(&target), |url| ported(&url).unwrap_or(url));
            edits.replace(range, form.write(&moved));
        } else if let Some(moved) = ported(&target) {
            edits.replace(range, addresses::write(form, &target, &moved));
        }
    }
}

/// The page of the source project that a link target names.
fn at_source(target: &str, project: &str) -> Option<String> {
    let project = project.trim_end_matches('/');
    let (kind, number) = match target.split_at_checked(1)? {
        ("#", number) => ("issues", number),
        ("!", number) => ("merge_requests", number),
        _other => return None,
    };
    let known = !project.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    known.then(|| format!("{project}/-/{kind}/{number}"))
}

/// The same place, written so that it is no reference: a fragment stays a fragment, a relative
/// path begins at the root, where no reference does.
fn unmatched(target: &str) -> String {
    if target.starts_with('#') {
        format!("{target}#")
    } else {
        format!("/{target}")
    }
}
