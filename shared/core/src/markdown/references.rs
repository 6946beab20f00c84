//! References to what the source project holds, turned into links (facts section 4).
//!
//! `#12`, `GL-12`, `project#12`, `group/project#12` and addresses of issues lead to the mirror where
//! there is one, else to the source; `!3` and commit hashes lead to the source. What a reader sees
//! stays the same. Code stays code, and where it is in doubt what a text means, or what links would
//! do to it, it is left as it is: [`super::defuse_with`] makes inert whatever is not linked here.
//!
//! On one shared instance only links to mirrors are made: one to the source would write a
//! cross-reference note there.

mod shapes;

pub(super) use shapes::stands_free;

use std::collections::BTreeSet;
use std::ops::Range;

use super::addresses;
use super::agreement::agreed;
use super::defuse::normalised;
use super::destinations::{Form, destinations};
use super::edits::Edits;
use super::html::Piece;
use super::survey::{Survey, survey};
use super::uploads::SourceProject;
use crate::ids::Iid;

/// Something of the source project that a text refers to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Reference {
    Issue(Iid),
    MergeRequest(i64),
    Commit(String),
}

/// Where references lead.
#[derive(Clone, Copy)]
pub struct Leads<'a> {
    /// The address of an issue's mirror, where there is one.
    pub mirror: &'a dyn Fn(Iid) -> Option<String>,
    /// What has no mirror is linked at the source.
    pub to_source: bool,
}

/// A text in which references are links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Linked {
    /// The text.
    pub text: String,
    /// The addresses of mirrors that it links to, each once, sorted. These links are to stay live.
    pub mirrors: Vec<String>,
}

/// The issues of the source project that a text refers to.
pub fn find(text: &str, source: &SourceProject<'_>) -> BTreeSet<Iid> {
    if !shapes::may_refer(text) {
        return BTreeSet::new();
    }
    let text = agreed(normalised(text));
    let places = places(&text, &survey(&text), source).into_iter();
    places
        .filter_map(|place| match place.meaning {
            Reference::Issue(iid) => Some(iid),
            Reference::MergeRequest(_) | Reference::Commit(_) => None,
        })
        .collect()
}

/// The text with its references turned into links. To be called on a source's text, before it is
/// made inert.
pub fn link(text: &str, source: &SourceProject<'_>, leads: &Leads<'_>) -> Linked {
    let mut mirrors = Vec::new();
    let mut edits = Edits::default();
    if !shapes::may_refer(text) {
        let text = text.to_owned();
        return Linked { text, mirrors };
    }
    let read = agreed(normalised(text));
    let survey = survey(&read);
    let html = survey.page.has_raw_html();
    for place in places(&read, &survey, source) {
        let mirror = match &place.meaning {
            Reference::Issue(iid) => (leads.mirror)(*iid),
            Reference::MergeRequest(_) | Reference::Commit(_) => None,
        };
        let Some(url) = mirror
            .clone()
            .or_else(|| place.at_source(source).filter(|_| leads.to_source))
        else {
            continue;
        };
        let shown = read.get(place.range.clone()).unwrap_or("");
        let written = place.write(shown, &url, html);
        edits.replace(place.range, written);
        mirrors.extend(mirror);
    }
    mirrors.sort_unstable();
    mirrors.dedup();
    let text = if edits.is_empty() {
        text.to_owned()
    } else {
        edits.apply(&read)
    };
    Linked { text, mirrors }
}

/// A reference in its place.
#[derive(Debug)]
struct Place {
    range: Range<usize>,
    meaning: Reference,
    stands: Stands,
}

/// How a reference stands in its text.
#[derive(Debug)]
enum Stands {
    /// As a word of its own.
    InProse,
    /// It is a link already, or becomes one by itself: where that leads, and how it is written.
    Linked(Form, String),
}

impl Place {
    /// Its page at the source; `None`: it leads there already.
    fn at_source(&self, source: &SourceProject<'_>) -> Option<String> {
        let project = source.web_url.trim_end_matches('/');
        match (&self.stands, &self.meaning) {
            (Stands::Linked(..), _) => None,
            (Stands::InProse, Reference::Issue(iid)) => Some(format!("{project}/-/issues/{iid}")),
            (Stands::InProse, Reference::MergeRequest(iid)) => {
                Some(format!("{project}/-/merge_requests/{iid}"))
            }
            (Stands::InProse, Reference::Commit(hash)) => {
                Some(format!("{project}/-/commit/{hash}"))
            }
        }
    }

    /// The link, around the same visible text. Where raw HTML stands in the text it is HTML too:
    /// what one engine reads as prose another may read as raw HTML.
    fn write(&self, shown: &str, url: &str, html: bool) -> String {
        match &self.stands {
            Stands::Linked(form, target) => addresses::write(*form, target, url),
            Stands::InProse if html => {
                let url = Form::Attribute(Some('"')).write(url);
                format!("<a href=\"{url}\">{shown}</a>")
            }
            Stands::InProse => {
                let shown = shown
                    .replace('_', "\\_")
                    .replace('#', "\\#")
                    .replace('!', "\\!");
                format!("[{shown}]({})", Form::Markdown.write(url))
            }
        }
    }
}

/// More links than a reader follows would only swell the text.
const MOST: usize = 2_000;

fn places(text: &str, survey: &Survey, source: &SourceProject<'_>) -> Vec<Place> {
    let bare = addresses::bare(text, survey);
    let mut places = in_links(text, survey, source);
    places.extend(in_addresses(text, &bare, source));
    if takes_links(survey) {
        places.extend(in_prose(text, survey, &bare, source));
    }
    places.sort_by_key(|place| place.range.start);
    // A text node that only a comment parts is read twice.
    places.dedup_by_key(|place| place.range.start);
    places.truncate(MOST);
    places
}

fn in_links(text: &str, survey: &Survey, source: &SourceProject<'_>) -> Vec<Place> {
    let found = destinations(text, survey).into_iter();
    found
        .filter(|found| found.clicked && !found.unused)
        .filter_map(|found| {
            let target = percent_encoding::percent_decode_str(&found.target).decode_utf8_lossy();
            let meaning = shapes::whole(&target, source)?;
            Some(Place {
                range: found.range,
                meaning,
                stands: Stands::Linked(found.form, found.target),
            })
        })
        .collect()
}

/// Addresses that stand bare become links on the page.
fn in_addresses(text: &str, bare: &[Range<usize>], source: &SourceProject<'_>) -> Vec<Place> {
    let found = bare.iter().filter(|range| shapes::stands_free(text, range));
    found
        .filter_map(|range| {
            let target = text.get(range.clone())?;
            Some(Place {
                range: range.clone(),
                meaning: shapes::whole(target, source)?,
                stands: Stands::Linked(Form::Autolink, target.to_owned()),
            })
        })
        .collect()
}

fn in_prose(
    text: &str,
    survey: &Survey,
    bare: &[Range<usize>],
    source: &SourceProject<'_>,
) -> Vec<Place> {
    let mut places = Vec::new();
    for run in &survey.prose {
        for (found, meaning) in shapes::all(run.text(), source) {
            let Some(range) = addresses::as_written(run, found) else {
                continue;
            };
            let next = bare.partition_point(|address| address.start <= range.start);
            let address = next.checked_sub(1).and_then(|last| bare.get(last));
            let addressed = address.is_some_and(|address| address.contains(&range.start))
                || addresses::is_in_word(text, range.start);
            if !addressed && shapes::stands_free(text, &range) {
                places.push(Place {
                    range,
                    meaning,
                    stands: Stands::InProse,
                });
            }
        }
    }
    places
}

/// Elements that may stand around a link, or beside one.
const AROUND: &[&str] = &[
    "b", "br", "del", "details", "div", "em", "hr", "i", "img", "ins", "p", "s", "span", "strong",
    "sub", "summary", "sup",
];

/// Whether links may be added to the prose: raw HTML may hold links and code of its own.
pub(super) fn takes_links(survey: &Survey) -> bool {
    survey.page.pieces().iter().all(|piece| match piece {
        Piece::Tag(tag) => {
            let written = survey.page.source_range(&tag.range).is_some();
            !written || (tag.finished && AROUND.contains(&tag.name.as_str()))
        }
        Piece::Raw(_) => false,
        Piece::Text(_) | Piece::Hidden(_) => true,
    })
}
