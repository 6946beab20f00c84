//! Of which issue a GitLab tells through a hook. Of all that it sends only numbers are read, and
//! anything that is not understood is no hint (facts section 10).

use crate::ids::{Iid, ProjectId};
use serde_json::Value;

/// An issue of which a hook tells: it changed, or a comment on it did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hint {
    /// Its project; old releases do not tell.
    pub project: Option<ProjectId>,
    /// Its number there.
    pub iid: Iid,
}

/// Reads a body, sent as this event (`X-Gitlab-Event`). `None`: it tells nothing that concerns a
/// mirror.
pub fn read(event: &str, body: &[u8]) -> Option<Hint> {
    let of_note = match event {
        "Issue Hook" | "Confidential Issue Hook" => false,
        "Note Hook" | "Confidential Note Hook" => true,
        _ => return None,
    };
    let payload: Value = serde_json::from_slice(body).ok()?;
    let told_of = payload.get("object_attributes")?;
    let issue = if of_note {
        told_of
            .get("noteable_type")
            .filter(|on| *on == "Issue")
            .and_then(|_| payload.get("issue"))?
    } else {
        told_of
    };
    let project = payload.get("project").and_then(|project| project.get("id"));
    Some(Hint {
        project: project.and_then(number).map(ProjectId),
        iid: Iid(number(issue.get("iid")?)?),
    })
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUE: &str = r#"{"object_kind":"issue","new":{"field":[1]},"project":{"id":1},
        "object_attributes":{"id":301,"iid":23,"action":"open","title":"x"}}"#;
    const NOTE: &str = r#"{"object_kind":"note","issue":{"id":92,"iid":17},"project":{"id":5},
        "object_attributes":{"id":1241,"noteable_type":"Issue","note":"Hello"}}"#;

    fn hint(project: Option<i64>, iid: i64) -> Hint {
        Hint {
            project: project.map(ProjectId),
            iid: Iid(iid),
        }
    }

    #[test]
    fn issues_and_their_comments_are_told_of_hidden_ones_too() {
        for event in ["Issue Hook", "Confidential Issue Hook"] {
            assert_eq!(read(event, ISSUE.as_bytes()), Some(hint(Some(1), 23)));
        }
        for event in ["Note Hook", "Confidential Note Hook"] {
            assert_eq!(read(event, NOTE.as_bytes()), Some(hint(Some(5), 17)));
        }
    }

    #[test]
    fn a_release_that_does_not_tell_the_project_is_heard() {
        for project in ["", r#""project":{"name":"x"},"#, r#""project":7,"#] {
            let body = format!(r#"{{{project}"object_attributes":{{"iid":23}}}}"#);
            let heard = read("Issue Hook", body.as_bytes());
            assert_eq!(heard, Some(hint(None, 23)), "{body}");
        }
    }

    #[test]
    fn whatever_else_is_told_is_no_hint() {
        let on_merge = NOTE.replace("\"Issue\"", "\"MergeRequest\"");
        for (event, body) in [
            ("Push Hook", ISSUE),
            ("Emoji Hook", NOTE),
            ("", ISSUE),
            ("Issue Hook", NOTE),
            ("Note Hook", ISSUE),
            ("Note Hook", on_merge.as_str()),
            ("Issue Hook", ""),
            ("Issue Hook", "[]"),
            ("Issue Hook", "null"),
            ("Issue Hook", r#"{"object_attributes":7}"#),
            ("Issue Hook", r#"{"object_attributes":{"iid":"23"}}"#),
            ("Issue Hook", r#"{"object_attributes":{"iid":-1}}"#),
            ("Issue Hook", r#"{"object_attributes":{"iid":0.5}}"#),
            ("Issue Hook", r#"{"object_attributes":{"iid":1e99}}"#),
            (
                "Note Hook",
                r#"{"object_attributes":{"noteable_type":"Issue"}}"#,
            ),
        ] {
            assert_eq!(read(event, body.as_bytes()), None, "{event} {body}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read("Issue Hook", deep.as_bytes()), None);
    }
}
