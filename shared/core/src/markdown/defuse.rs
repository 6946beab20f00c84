//! Descriptions and comments, made inert.

use std::ops::Range;

use super::agreement::agreed;
use super::cells::{Cell, Run};
use super::destinations::{Destination, Form, destinations, unused_labels_of};
use super::edits::Edits;
use super::hazards::{Hazard, hazards, hazards_if_parted, is_reference, occurrences};
use super::html::{self, Piece, decode_markdown};
use super::literal::escaped;
use super::survey::{Survey, survey};
use super::{addresses, parser, slashes};

/// What is known of the two sides when a text is made inert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inert<'a> {
    /// The target's own address (`https://host/sub`, no trailing slash needed): there an absolute
    /// URL of an object is a live reference. It gets an explicit port, which leads to the same page
    /// and matches no reference.
    pub target: Option<&'a str>,
    /// The source project's address: where a link such as `[x](#12)` leads on the mirror. Empty if
    /// it is not known; such a link then leads nowhere.
    pub source_project_web_url: &'a str,
    /// Addresses on the target that the text is to link to all the same: mirrors of what it refers
    /// to. Sorted.
    pub mirrors: &'a [String],
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
    let base = inert.target.map(|base| base.trim_end_matches('/'));
    let text = addresses::settled(&agreed(normalised(text)), base);
    let survey = survey(&text);
    let pieces = survey.page.pieces();
    let mut edits = Edits::default();
    let html = survey.page.has_raw_html();
    let tildes = survey
        .tildes
        .iter()
        .flat_map(|tildes| tildes.settle(&text, html, &mut edits))
        .collect();
    let prose = Prose {
        text: &text,
        base,
        addresses: addresses::bare(&text, &survey),
        tildes,
        html,
        code: !survey.code.is_empty(),
    };
    for run in &survey.prose {
        prose.defuse(run, &mut edits);
        prose.part_from_marks(run, &mut edits);
        prose.close_no_code(run, &mut edits);
        prose.name_no_footnote(run, &mut edits);
    }
    for run in survey.page.runs(&pieces) {
        in_raw_html(&run, &text, base, &mut edits);
    }
    part_from_hidden(&survey, &mut edits);
    link_targets(&text, &survey, inert, &mut edits);
    unused_labels(&text, &mut edits);
    spare_definitions(&text, &survey, &mut edits);
    slashes::defuse(&text, &survey, &pieces, &mut edits);
    slashes::enforce(edits.apply(&text))
}

/// The text as GitLab stores it (facts section 3): every CR deleted, trailing white space stripped.
pub(super) fn normalised(text: &str) -> String {
    // A byte order mark is no part of the text to GitLab, and stands first only here.
    let text = text.replace('\r', "");
    let mut text = text.trim_start_matches('\u{FEFF}').to_owned();
    let stripped = |c: char| c.is_ascii_whitespace() || matches!(c, '\x0B' | '\0');
    text.truncate(text.trim_end_matches(stripped).len());
    text.replace('\0', "\u{FFFD}")
        .replace(['\x0B', '\x0C'], " ")
}

/// Parts a text node, unseen.
pub(super) const CUT: &str = "<span></span>";

/// What must be known to change a run of prose.
struct Prose<'a> {
    text: &'a str,
    base: Option<&'a str>,
    /// Web addresses that stand bare.
    addresses: Vec<Range<usize>>,
    /// Tildes that are written out already.
    tildes: Vec<Range<usize>>,
    /// Raw HTML stands somewhere in the text.
    html: bool,
    /// Code stands somewhere.
    code: bool,
}

/// Whether this is the percent sign of `![a](b){width=60%}`, which sizes the picture only as long as
/// nothing is escaped in it. What follows it names no milestone: the name would end at once.
fn is_picture_size(text: &str, sign: &Range<usize>) -> bool {
    let before = text.get(..sign.start).unwrap_or("");
    let after = text.get(sign.end..).unwrap_or("");
    let sized = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let Some(rest) = after.strip_prefix('}') else {
        return false;
    };
    text.get(sign.clone()) == Some("%")
        && ["){width=", "){height="]
            .iter()
            .any(|start| sized.ends_with(start))
        && (rest.is_empty() || rest.starts_with(char::is_whitespace))
}

impl Prose<'_> {
    fn defuse(&self, run: &Run, edits: &mut Edits) {
        for danger in dangers(run.text(), self.base, self.html) {
            let Some(cell) = run.cell_at(danger.at()) else {
                continue;
            };
            match danger {
                Hazard::Cut(_) => edits.insert(cell.source.start, CUT),
                Hazard::Sign(_) if holds(&self.tildes, cell) => {}
                Hazard::Sign(_) if is_picture_size(self.text, &cell.source) => {}
                Hazard::Sign(at) if self.must_cut(run, at, cell) => {
                    edits.insert(cell.source.end, CUT)
                }
                Hazard::Sign(_) => edits.replace(cell.source.clone(), format!("\\{}", cell.shown)),
            }
        }
    }

    /// A footnote that is not defined is shown as it is written, escapes and all: it must not look
    /// like one.
    fn name_no_footnote(&self, run: &Run, edits: &mut Edits) {
        for (at, _) in run.text().match_indices("[^") {
            let Some(open) = run.cell_at(at).filter(|cell| !cell.escaped) else {
                continue;
            };
            let rest = self.text.get(open.source.start..).unwrap_or("");
            let name = rest.split_inclusive([']', '\n']).next().unwrap_or("");
            if name.ends_with(']')
                && name.matches('[').count() == 1
                && !name.contains('`')
                && [
                    decode_markdown(name),
                    decode_markdown(name).replace(['*', '_', '~'], " "),
                ]
                .iter()
                .any(|name| !dangers(name, self.base, self.html).is_empty())
            {
                let start = open.source.start;
                edits.replace(start..start + name.len(), escaped(&decode_markdown(name)));
            }
        }
    }

    /// After backticks that open nothing, GitLab's engine can miss code that follows.
    fn close_no_code(&self, run: &Run, edits: &mut Edits) {
        for (at, _) in run.text().match_indices('`').filter(|_| self.code) {
            if let Some(cell) = run
                .cell_at(at)
                .filter(|cell| self.text.get(cell.source.clone()) == Some("`"))
            {
                edits.replace(cell.source.clone(), "\\`");
            }
        }
    }

    /// To some readers a mark beside a run is text: of a milestone's name, of an iteration's sign.
    /// And a hash beside a comment may grow by what stands behind that.
    fn part_from_marks(&self, run: &Run, edits: &mut Edits) {
        let text = run.text();
        let start = run.cell_at(0).map_or(0, |cell| cell.source.start);
        let before = self.text.get(..start).unwrap_or("");
        if text.starts_with("iteration:") && before.ends_with('*') {
            edits.insert(start + 1, CUT);
        }
        if self.html && before.ends_with('>') && text.starts_with(|c: char| c.is_ascii_hexdigit()) {
            edits.insert(start, CUT);
        }
        let last = run
            .text()
            .len()
            .checked_sub(1)
            .and_then(|last| run.cell_at(last));
        let Some(cell) = last.filter(|cell| cell.shown == '%' && !cell.escaped) else {
            return;
        };
        if self
            .text
            .get(cell.source.end..)
            .is_some_and(|after| after.starts_with('_'))
        {
            edits.insert(cell.source.end, CUT);
        }
    }

    /// Whether a backslash would be seen or would change more than the sign: in a bare address it
    /// would be part of it, behind a task's box it would make the box one, and what one engine
    /// reads as prose another may read as raw HTML. A character reference is better kept.
    fn must_cut(&self, run: &Run, at: usize, cell: &Cell) -> bool {
        let behind_box =
            at == 3 && run.text().starts_with('[') && run.text().get(2..3) == Some("]");
        let written = self.text.get(cell.source.clone()).unwrap_or("");
        let reference = written.starts_with('&') && written.len() > 1;
        let addressed = addresses::is_in_word(self.text, cell.source.start);
        self.html || behind_box || reference || addressed || holds(&self.addresses, cell)
    }
}

fn holds(places: &[Range<usize>], cell: &Cell) -> bool {
    places
        .iter()
        .any(|place| place.contains(&cell.source.start))
}

fn in_raw_html(run: &Run, text: &str, base: Option<&str>, edits: &mut Edits) {
    for danger in dangers(run.text(), base, true) {
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
    // What is hidden behind it may join what follows to this.
    let last = run.text().char_indices().next_back();
    let last = last.filter(|(_, sign)| "@#!&$%~^".contains(*sign));
    if let Some(cell) = last.and_then(|(at, _)| run.cell_at(at)) {
        edits.insert(cell.source.end, CUT);
    }
}

/// What a block of raw HTML begins to hide and does not end, ends within what follows, and joins
/// that to what stands before it.
fn part_from_hidden(survey: &Survey, edits: &mut Edits) {
    for block in &survey.html_blocks {
        let html = survey.page.text(block.page.clone());
        let pieces = html::pieces(html);
        let Some(Piece::Hidden(hidden)) = pieces.last() else {
            continue;
        };
        let ended = html::ends_hidden(html.get(hidden.clone()).unwrap_or(""));
        let before = html.get(..hidden.start).unwrap_or("");
        let place = survey.page.source(block.page.start + hidden.start);
        if let Some(at) = place.filter(|_| !ended && !before.trim().is_empty()) {
            edits.insert(at, CUT);
        }
    }
}

/// What is live in a text node, addresses of the target's own objects included.
fn dangers(text: &str, base: Option<&str>, html: bool) -> Vec<Hazard> {
    let mut found = if html {
        hazards_if_parted(text)
    } else {
        hazards(text)
    };
    for url in base.map(|base| occurrences(text, base)).unwrap_or_default() {
        // Behind the colon, so that no reader makes a link of the rest.
        let scheme = text.get(url.clone()).and_then(|url| url.find("://"));
        found.push(Hazard::Cut(url.start + scheme.map_or(1, |colon| colon + 1)));
    }
    found
}

/// What no link uses as a definition, some reader may show as text.
fn unused_labels(text: &str, edits: &mut Edits) {
    for label in unused_labels_of(text) {
        let written = text.get(label.clone()).unwrap_or("");
        for hazard in hazards(written) {
            match hazard {
                Hazard::Sign(at)
                    if written
                        .get(..at)
                        .is_some_and(|before| before.ends_with('\\')) => {}
                Hazard::Sign(at) => edits.insert(label.start + at, "\\"),
                Hazard::Cut(at) => edits.insert(label.start + at, CUT),
            }
        }
    }
}

/// What looks like a definition and is neither one that counts nor shown (a second one of its name,
/// say) may be text to some reader: its signs are escaped, which changes nothing to anybody else.
fn spare_definitions(text: &str, survey: &Survey, edits: &mut Edits) {
    if !text.contains("]:") {
        return;
    }
    let counted = parser::definitions(text);
    let known = |at: usize| {
        survey
            .events
            .iter()
            .chain(counted.iter().map(|(span, _)| span))
            .any(|known| known.contains(&at))
    };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for hazard in hazards(line)
            .into_iter()
            .filter(|_| line.contains("]:") && !line.contains("[^"))
        {
            let at = start + hazard.at();
            let before = line.get(..hazard.at()).unwrap_or("");
            let escaped = (before.len() - before.trim_end_matches('\\').len()) % 2 == 1;
            if matches!(hazard, Hazard::Sign(_)) && !escaped && !known(at) {
                edits.insert(at, "\\");
            }
        }
        start += line.len();
    }
}

fn link_targets(text: &str, survey: &Survey, inert: &Inert<'_>, edits: &mut Edits) {
    let ported = |url: &str| {
        let live = inert
            .mirrors
            .binary_search_by(|mirror| mirror.as_str().cmp(url))
            .is_ok();
        let base = inert.target.filter(|_| !live)?;
        addresses::with_port(url, base)
    };
    for destination in destinations(text, survey) {
        let Destination {
            range,
            target,
            form,
            clicked,
            unused,
        } = destination;
        let decoded = percent_encoding::percent_decode_str(&target).decode_utf8_lossy();
        if unused && is_reference(&decoded) {
            edits.replace(range, form.write_inert(&target));
        } else if clicked && is_reference(&decoded) {
            let absolute = at_source(&decoded, inert.source_project_web_url);
            let moved =
                absolute.map_or_else(|| unmatched(&target), |url| ported(&url).unwrap_or(url));
            edits.replace(range, form.write_inert(&moved));
        } else if let Some(moved) = ported(&target) {
            edits.replace(range, addresses::write(form, &target, &moved));
        } else if text
            .get(range.clone())
            .is_some_and(|written| written.contains("\\&"))
        {
            // GitLab's engine reads a character reference there.
            edits.replace(range, form.write(&target));
        } else if range.end == text.len()
            && text
                .get(range.clone())
                .is_some_and(|written| written.starts_with('<'))
            && form == Form::Markdown
        {
            // GitLab's engine reads no definition whose brackets end the text.
            edits.replace(range, form.write(&target));
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
