//! Of which issue a hook tells. Of all that GitLab sends only numbers are read, and anything that is
//! not understood is no hint (facts section 10).

use mirror_core::ids::Iid;
use serde_json::Value;

/// What a hook tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// Something about this issue changed: itself, or a comment on it.
    Issue(Iid),
    /// Nothing that concerns a mirror.
    Nothing,
}

/// Reads a body, sent as this event (`X-Gitlab-Event`).
pub fn read(event: &str, body: &[u8]) -> Heard {
    let iid = match event {
        "Issue Hook" | "Confidential Issue Hook" => {
            parsed(body).and_then(|payload| number(payload.get("object_attributes")?.get("iid")?))
        }
        "Note Hook" | "Confidential Note Hook" => parsed(body).and_then(|payload| {
            let on = payload.get("object_attributes")?.get("noteable_type")?;
            if on != "Issue" {
                return None;
            }
            number(payload.get("issue")?.get("iid")?)
        }),
        _ => None,
    };
    iid.map_or(Heard::Nothing, Heard::Issue)
}

fn parsed(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

fn number(value: &Value) -> Option<Iid> {
    value.as_i64().filter(|iid| *iid > 0).map(Iid)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUE: &str = r#"{"object_kind":"issue","new":{"field":[1]},
        "object_attributes":{"id":301,"iid":23,"action":"open","title":"x"}}"#;
    const NOTE: &str = r#"{"object_kind":"note","issue":{"id":92,"iid":17},
        "object_attributes":{"id":1241,"noteable_type":"Issue","note":"Hello"}}"#;

    #[test]
    fn issues_and_their_comments_are_told_of_hidden_ones_too() {
        for event in ["Issue Hook", "Confidential Issue Hook"] {
            assert_eq!(read(event, ISSUE.as_bytes()), Heard::Issue(Iid(23)));
        }
        for event in ["Note Hook", "Confidential Note Hook"] {
            assert_eq!(read(event, NOTE.as_bytes()), Heard::Issue(Iid(17)));
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
            assert_eq!(
                read(event, body.as_bytes()),
                Heard::Nothing,
                "{event} {body}"
            );
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read("Issue Hook", deep.as_bytes()), Heard::Nothing);
    }
}
