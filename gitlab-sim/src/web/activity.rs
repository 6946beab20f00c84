//! Comments, threads and system notes, in the order in which they began.

use super::site::Site;
use super::{issue, pieces};
use crate::text::visible::escaped;
use crate::{Issue, Note, Project};

/// Everything that was said and done under an issue.
pub(super) fn list(site: &Site<'_>, project: &Project, issue: &Issue) -> String {
    let mut threads: Vec<(&str, Vec<&Note>)> = Vec::new();
    for note in &issue.notes {
        match threads
            .iter_mut()
            .find(|(discussion, _)| *discussion == note.discussion)
        {
            Some((_, thread)) => thread.push(note),
            None => threads.push((&note.discussion, vec![note])),
        }
    }
    if threads.is_empty() {
        return "<p class=\"empty\">Nobody has said anything yet.</p>".to_owned();
    }
    let shown: String = threads
        .iter()
        .map(|(_, notes)| thread(site, project, notes))
        .collect();
    format!("<div class=\"activity\">{shown}</div>")
}

fn thread(site: &Site<'_>, project: &Project, notes: &[&Note]) -> String {
    let Some((first, replies)) = notes.split_first() else {
        return String::new();
    };
    if first.system {
        return system_note(site, project, first);
    }
    let replies: String = replies
        .iter()
        .map(|note| comment(site, project, note))
        .collect();
    let replies = if replies.is_empty() {
        replies
    } else {
        format!("<div class=\"replies\">{replies}</div>")
    };
    let settled = match first.resolved {
        Some((by, at)) => {
            format!(
                "<p class=\"settled\">Resolved {} by {}</p>",
                pieces::moment(at),
                pieces::person(site, by)
            )
        }
        None => String::new(),
    };
    let internal = if first.internal { " internal" } else { "" };
    format!(
        "<article class=\"thread{internal}\">{}{replies}{settled}</article>",
        comment(site, project, first)
    )
}

fn comment(site: &Site<'_>, project: &Project, note: &Note) -> String {
    let internal = if note.internal {
        "<span class=\"kind secret\">Internal note</span>"
    } else {
        ""
    };
    let edited = if note.updated_at > note.created_at {
        format!(
            " <span class=\"quiet\">· edited {}</span>",
            pieces::moment(note.updated_at)
        )
    } else {
        String::new()
    };
    format!(
        "<section class=\"comment\" id=\"note_{id}\">{avatar}<div><p class=\"by\">{author} \
         <a class=\"quiet\" href=\"#note_{id}\">{at}</a>{edited}{internal}</p>\
         <div class=\"text\">{text}</div>{source}</div></section>",
        id = note.id,
        avatar = pieces::avatar(site, note.author),
        author = pieces::person(site, note.author),
        at = pieces::moment(note.created_at),
        text = site.markdown(project, &note.body),
        source = issue::source(&note.body),
    )
}

fn system_note(site: &Site<'_>, project: &Project, note: &Note) -> String {
    if note.invisible {
        return String::new();
    }
    let author = site
        .world
        .user(note.author)
        .map_or("somebody", |user| user.name.as_str());
    let text = site.markdown(project, &note.body);
    // A system note is one line within a sentence, not a paragraph.
    let text = text
        .trim()
        .trim_start_matches("<p>")
        .trim_end_matches("</p>");
    let text = text
        .replace("{-", "<del>")
        .replace("-}", "</del>")
        .replace("{+", "<ins>")
        .replace("+}", "</ins>");
    format!(
        "<p class=\"system\" id=\"note_{}\"><b>{}</b> {text} <span class=\"quiet\">{}</span></p>",
        note.id,
        escaped(author),
        pieces::moment(note.created_at)
    )
}
