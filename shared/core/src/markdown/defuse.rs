//! Descriptions and comments, made inert.

use super::cells::Run;
use super::destinations::{Destination, destinations};
use super::edits::Edits;
use super::hazards::{Hazard, hazards, is_reference, occurrences};
use super::runs::{Survey, survey};
use super::{addresses, slashes};

/// What is known of the two sides when a text is made inert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inert<'a> {
    /// The target's own address (`https://host/sub`, no trailing slash needed), where source and
    /// target are one instance: there an absolute URL of an object is a live reference. It then
    /// gets an explicit port, which leads to the same page and matches no reference.
    pub same_instance: Option<&'a str>,
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
    let text = normalised(text);
    let base = inert.same_instance.map(|base| base.trim_end_matches('/'));
    let survey = survey(&text);
    let mut edits = Edits::default();
    for run in &survey.prose {
        in_prose(run, base, &mut edits);
    }
    for run in survey.html.iter().flat_map(|html| html.runs()) {
        in_raw_html(&run, &text, base, &mut edits);
    }
    link_targets(&text, &survey, base, &mut edits);
    slashes::defuse(&text, &survey, &mut edits);
    slashes::enforce(edits.apply(&text))
}

/// The text as GitLab stores it (facts section 3): every CR deleted, trailing white space stripped.
fn normalised(text: &str) -> String {
    let mut text = text.replace('\r', "");
    let stripped = |c: char| c.is_ascii_whitespace() || matches!(c, '\x0B' | '\0');
    text.truncate(text.trim_end_matches(stripped).len());
    text.replace('\0', "\u{FFFD}")
}

const CUT: &str = "<span></span>";

fn in_prose(run: &Run, base: Option<&str>, edits: &mut Edits) {
    let text = run.text();
    let mut dangers = dangers(text, base);
    for address in addresses::find(text) {
        let dangerous = dangers.iter().any(|danger| address.contains(&danger.at()));
        if dangerous && addresses::link(run, &address, base, edits) {
            dangers.retain(|danger| !address.contains(&danger.at()));
        }
    }
    for danger in dangers {
        let Some(cell) = run.cell_at(danger.at()) else {
            continue;
        };
        match danger {
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

fn link_targets(text: &str, survey: &Survey, base: Option<&str>, edits: &mut Edits) {
    for destination in destinations(text, survey) {
        let Destination {
            range,
            target,
            form,
            clicked,
        } = destination;
        let decoded = percent_encoding::percent_decode_str(&target).decode_utf8_lossy();
        if clicked && is_reference(&decoded) {
            edits.replace(range, form.write(&unmatched(&target)));
        } else if let Some(moved) = base.and_then(|base| addresses::with_port(&target, base)) {
            edits.replace(range, addresses::write(form, &target, &moved));
        }
    }
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
