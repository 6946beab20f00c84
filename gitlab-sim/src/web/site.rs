//! Addresses within the pages, and texts turned into HTML.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::text::references::Live;
use crate::text::visible::rendered_html_with_links;
use crate::{Issue, Project, World};

/// The world as one reader's browser addresses it.
pub(super) struct Site<'w> {
    pub(super) world: &'w World,
    /// The path that the pages are nested under, without a slash at its end.
    pub(super) prefix: &'w str,
}

impl Site<'_> {
    /// The address of a path of this GitLab.
    pub(super) fn to(&self, path: &str) -> String {
        format!("{}/{}", self.prefix, path.trim_start_matches('/'))
    }

    pub(super) fn to_issues(&self, project: &Project) -> String {
        self.to(&format!("{}/-/issues", project.path))
    }

    pub(super) fn to_issue(&self, project: &Project, issue: &Issue) -> String {
        self.to(&format!("{}/-/issues/{}", project.path, issue.iid))
    }

    /// A description or comment as HTML: what is live is linked, uploads are shown.
    pub(super) fn markdown(&self, project: &Project, text: &str) -> String {
        let html = rendered_html_with_links(text, &|live| self.address_of(project, live));
        with_sizes(&self.with_uploads_shown(project, &html))
    }

    fn address_of(&self, project: &Project, live: &Live) -> Option<String> {
        match live {
            Live::User(name) => self
                .world
                .user_named(name)
                .map(|user| self.to(&user.username)),
            Live::Issue { project: path, iid } => {
                let home = match path {
                    Some(path) => self.world.project_at(path)?,
                    None => project,
                };
                home.issues.get(iid).map(|issue| self.to_issue(home, issue))
            }
            Live::Label(title) => self.world.label_titled(project.id, title).map(|label| {
                format!(
                    "{}?state=all&label={}",
                    self.to_issues(project),
                    encoded(&label.title)
                )
            }),
            Live::MergeRequest { .. }
            | Live::Epic { .. }
            | Live::Milestone(_)
            | Live::Snippet { .. }
            | Live::Alert { .. }
            | Live::Commit(_)
            | Live::Vulnerability(_)
            | Live::Url(_)
            | Live::Other(_) => None,
        }
    }

    /// Points the addresses of this instance's uploads to where these pages serve them.
    fn with_uploads_shown(&self, project: &Project, html: &str) -> String {
        static UPLOAD: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r#"(?P<attribute> (?:src|href)=")(?P<home>[^"]*?)/uploads/(?P<file>[0-9a-f]{10,32}/[^"?\#]+)"#)
                .ok()
        });
        let Some(upload) = UPLOAD.as_ref() else {
            return html.to_owned();
        };
        let shown = |found: &Captures<'_>| {
            let part = |name| found.name(name).map_or("", |part| part.as_str());
            let Some(home) = self.upload_home(project, part("home")) else {
                return found.get(0).map_or("", |whole| whole.as_str()).to_owned();
            };
            let address = self.to(&format!("-/sim/uploads/{home}/{}", part("file")));
            format!("{}{address}", part("attribute"))
        };
        upload.replace_all(html, shown).into_owned()
    }

    /// The project whose uploads lie below an address; `None` for another instance's.
    fn upload_home(&self, project: &Project, address: &str) -> Option<u64> {
        let path = address
            .strip_prefix(self.world.base_url())
            .unwrap_or(address)
            .trim_start_matches('/');
        if path.is_empty() {
            return Some(project.id);
        }
        if let Some(id) = path.strip_prefix("-/project/") {
            return id.parse().ok();
        }
        self.world.project_at(path).map(|home| home.id)
    }
}

/// `![x](y.png){width=60%}`: what stands in braces after a picture is its size, not text.
fn with_sizes(html: &str) -> String {
    static SIZED: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?P<img><img [^<>]*)>\{(?P<sizes>(?:\s*(?:width|height)=[0-9]+(?:%|px)?)+)\s*\}",
        )
        .ok()
    });
    let Some(sized) = SIZED.as_ref() else {
        return html.to_owned();
    };
    let with_size = |found: &Captures<'_>| {
        let part = |name| found.name(name).map_or("", |part| part.as_str());
        let sizes = part("sizes")
            .split_whitespace()
            .filter_map(|size| size.split_once('='));
        let sizes: String = sizes
            .map(|(name, size)| format!(" {name}=\"{size}\""))
            .collect();
        format!("{}{sizes}>", part("img"))
    };
    sized.replace_all(html, with_size).into_owned()
}

/// A text as part of a query.
pub(super) fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[cfg(test)]
mod tests {
    use super::with_sizes;

    #[test]
    fn braces_after_a_picture_are_its_size() {
        let cases = [
            (
                "<img src=\"x\">{width=60%}",
                "<img src=\"x\" width=\"60%\">",
            ),
            (
                "<img src=\"x\">{width=60 height=40px}",
                "<img src=\"x\" width=\"60\" height=\"40px\">",
            ),
            ("<img src=\"x\">{onclick=x}", "<img src=\"x\">{onclick=x}"),
            ("{width=60%}", "{width=60%}"),
        ];
        for (html, sized) in cases {
            assert_eq!(with_sizes(html), sized);
        }
    }
}
