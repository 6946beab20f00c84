//! Links to uploaded files, in every form in which GitLab accepts them (facts section 6).

use std::ops::Range;

use super::addresses;
use super::destinations::{Form, destinations};
use super::edits::Edits;
use super::survey::{Survey, survey};
use crate::ids::ProjectId;

/// The project whose uploads a text may link to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceProject<'a> {
    /// Its number.
    pub id: ProjectId,
    /// Full path: `group/project`.
    pub path: &'a str,
    /// Address: `https://host/sub/group/project`.
    pub web_url: &'a str,
}

/// One uploaded file, as links name it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UploadRef {
    /// 32 (older: 10) hexadecimal digits.
    pub secret: String,
    /// Percent-decoded.
    pub filename: String,
}

/// The project's uploads that a text links to: each once, in the order of the text. Code and
/// comments hold no links, and other projects' uploads are not ours.
pub fn find(text: &str, source: &SourceProject<'_>) -> Vec<UploadRef> {
    let mut found = Vec::new();
    for link in links(text, source) {
        if let Meaning::Ours(upload) = link.meaning
            && !found.contains(&upload)
        {
            found.push(upload);
        }
    }
    found
}

/// The text with its upload links pointed to where `destination` says; `None` (not transferred)
/// and relative links to other projects' uploads become absolute links to the source. Everything
/// else, titles and attributes included, stays byte for byte.
pub fn rewrite(
    text: &str,
    source: &SourceProject<'_>,
    mut destination: impl FnMut(&UploadRef) -> Option<String>,
) -> String {
    let mut edits = Edits::default();
    for link in links(text, source) {
        let moved = match &link.meaning {
            Meaning::Ours(upload) => destination(upload).map(|moved| moved + &link.suffix),
            Meaning::Elsewhere => None,
        };
        let target =
            moved.or_else(|| (link.target != link.absolute).then(|| link.absolute.clone()));
        if let Some(target) = target {
            edits.replace(
                link.range,
                addresses::write(link.form, &link.target, &target),
            );
        }
    }
    edits.apply(text)
}

/// A file of the source, and the one on the target that may be its copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// As the source's text links to it.
    pub original: UploadRef,
    /// As the copied text links to it.
    pub copy: UploadRef,
    /// The link itself, without query or fragment.
    pub url: String,
}

/// Which files of the target may be copies of those that the source's text links to, told by what
/// stands in their place in the copied text. It proves nothing of what is in them: either text may
/// have been edited since.
pub fn candidates(
    text: &str,
    source: &SourceProject<'_>,
    copied: &str,
    target: &SourceProject<'_>,
) -> Vec<Candidate> {
    let originals = of_project(links(text, source));
    let copies = of_project(links(copied, target));
    // One that stayed a link to the source keeps its place among the others.
    let stayed = of_project(links(copied, source));
    let mut places: Vec<(usize, Option<(&UploadRef, &str)>)> = Vec::new();
    for (start, copy, url) in &copies {
        places.push((*start, Some((copy, url.as_str()))));
    }
    for (start, _, _) in &stayed {
        if !places.iter().any(|(taken, _)| taken == start) {
            places.push((*start, None));
        }
    }
    places.sort_by_key(|(start, _)| *start);
    let in_place = places.len() == originals.len();
    let mut found = Vec::new();
    for (index, (_, original, _)) in originals.iter().enumerate() {
        let copy = if in_place {
            places.get(index).and_then(|(_, copy)| *copy)
        } else {
            let mut named = copies.iter();
            named
                .find(|(_, copy, _)| copy.filename == original.filename)
                .map(|(_, copy, url)| (copy, url.as_str()))
        };
        let Some((copy, url)) = copy else { continue };
        let candidate = Candidate {
            original: original.clone(),
            copy: copy.clone(),
            url: url.to_owned(),
        };
        if !found.contains(&candidate) {
            found.push(candidate);
        }
    }
    found
}

/// Links to the project's own uploads: where, to which, and by which address.
fn of_project(links: Vec<Link>) -> Vec<(usize, UploadRef, String)> {
    links
        .into_iter()
        .filter_map(|link| {
            let bare = link.target.strip_suffix(link.suffix.as_str());
            let url = bare.unwrap_or(&link.target).to_owned();
            match link.meaning {
                Meaning::Ours(upload) => Some((link.range.start, upload, url)),
                Meaning::Elsewhere => None,
            }
        })
        .collect()
}

enum Meaning {
    Ours(UploadRef),
    /// Another project's upload on the same instance.
    Elsewhere,
}

struct Link {
    range: Range<usize>,
    form: Form,
    target: String,
    meaning: Meaning,
    /// The same upload at the source, by its full address.
    absolute: String,
    /// A query or fragment.
    suffix: String,
}

fn links(text: &str, source: &SourceProject<'_>) -> Vec<Link> {
    let survey = survey(text);
    let mut links: Vec<Link> = destinations(text, &survey)
        .into_iter()
        .filter_map(|found| link(found.range, found.form, found.target, source))
        .collect();
    links.extend(bare(text, &survey, source));
    links.sort_by_key(|link| link.range.start);
    links
}

/// Addresses that stand bare in prose become links on the page.
fn bare(text: &str, survey: &Survey, source: &SourceProject<'_>) -> Vec<Link> {
    let addresses = addresses::bare(text, survey).into_iter();
    addresses
        .filter_map(|range| {
            let target = text.get(range.clone())?.to_owned();
            link(range, Form::Autolink, target, source)
        })
        .collect()
}

fn link(
    range: Range<usize>,
    form: Form,
    target: String,
    source: &SourceProject<'_>,
) -> Option<Link> {
    let end = target.find(['?', '#']).unwrap_or(target.len());
    let suffix = target.get(end..)?.to_owned();
    let path = target.get(..end)?;
    let instance = source.instance();
    let on_instance = strip_address(path, instance);
    let relative = on_instance.is_none();
    let path = on_instance.unwrap_or(path);
    let below = strip_prefix_path(path, path_of(instance)).unwrap_or(path);
    let (owner, secret, name) = upload_path(below).or_else(|| upload_path(path))?;
    let upload = UploadRef {
        secret: secret.to_owned(),
        filename: decoded(name)?,
    };
    let ours = match owner {
        Owner::Current => relative,
        Owner::Path(path) => path.eq_ignore_ascii_case(source.path),
        Owner::Id(id) => id == source.id.to_string(),
    };
    let absolute = match (ours, relative) {
        (_, false) => target.clone(),
        (true, true) => format!(
            "{}/uploads/{secret}/{name}{suffix}",
            source.web_url.trim_end_matches('/')
        ),
        (false, true) => format!("{instance}{below}{suffix}"),
    };
    let meaning = if ours {
        Meaning::Ours(upload)
    } else {
        Meaning::Elsewhere
    };
    Some(Link {
        range,
        form,
        target,
        meaning,
        absolute,
        suffix,
    })
}

impl SourceProject<'_> {
    /// `https://host/sub`.
    fn instance(&self) -> &str {
        let url = self.web_url.trim_end_matches('/');
        url.strip_suffix(self.path)
            .unwrap_or(url)
            .trim_end_matches('/')
    }
}

/// What follows `scheme://host/sub`, whatever the scheme and the case of the host.
pub(super) fn strip_address<'a>(target: &'a str, instance: &str) -> Option<&'a str> {
    let (scheme, target) = target.split_once("://")?;
    let (_, instance) = instance.split_once("://")?;
    let start = target.get(..instance.len())?;
    let rest = target.get(instance.len()..)?;
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    (web && start.eq_ignore_ascii_case(instance) && rest.starts_with('/')).then_some(rest)
}

/// `/sub` of `https://host/sub`.
fn path_of(instance: &str) -> &str {
    let after = instance
        .split_once("://")
        .map_or(instance, |(_, after)| after);
    after
        .find('/')
        .and_then(|slash| after.get(slash..))
        .unwrap_or("")
}

fn strip_prefix_path<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    path.strip_prefix(prefix)
        .filter(|rest| rest.starts_with('/') && !prefix.is_empty())
}

enum Owner<'a> {
    /// The project in which the text stands.
    Current,
    Path(&'a str),
    Id(&'a str),
}

/// `/uploads/…`, `/group/project/uploads/…` or `/-/project/ID/uploads/…`.
fn upload_path(path: &str) -> Option<(Owner<'_>, &str, &str)> {
    let at = path.rfind("/uploads/")?;
    let (secret, name) = path.get(at + "/uploads/".len()..)?.split_once('/')?;
    let hex =
        matches!(secret.len(), 10 | 32) && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
    let owner = path.get(..at)?;
    let owner = match owner.strip_prefix("/-/project/") {
        Some(id) => Owner::Id(id),
        None if owner.is_empty() => Owner::Current,
        None => Owner::Path(owner.strip_prefix('/')?),
    };
    (hex && !name.is_empty() && !name.contains('/')).then_some((owner, secret, name))
}

/// A file name, unless it would lead somewhere else.
fn decoded(name: &str) -> Option<String> {
    let name = percent_encoding::percent_decode_str(name)
        .decode_utf8()
        .ok()?
        .into_owned();
    let leads_away =
        name.is_empty() || name == "." || name == ".." || name.contains(['/', '\\', '\0']);
    (!leads_away).then_some(name)
}
