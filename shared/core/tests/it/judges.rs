//! What holds of the parsers whatever they are given. The fuzz targets in `fuzz/` judge by these, too.

use mirror_core::{
    hook::{Hint, read},
    provenance::{Found, Key, alike},
};

const OF_ISSUES: [&str; 2] = ["Issue Hook", "Confidential Issue Hook"];
const OF_NOTES: [&str; 2] = ["Note Hook", "Confidential Note Hook"];

/// A hook is read for its numbers alone, hidden ones no otherwise, and other events tell nothing.
pub(crate) fn hook(body: &[u8]) -> Result<(), String> {
    for [open, hidden] in [OF_ISSUES, OF_NOTES] {
        let hint = read(open, body);
        if hint != read(hidden, body) {
            return Err(format!("{hidden} is read otherwise than {open}"));
        }
        let Some(hint) = hint else { continue };
        if hint.iid.0 < 1 || hint.project.is_some_and(|project| project.0 < 1) {
            return Err(format!("{open} tells of {hint:?}"));
        }
        if read(open, bare(hint).as_bytes()) != Some(hint) {
            return Err(format!("more than the numbers was read for {hint:?}"));
        }
    }
    for other in ["", "Push Hook", "Emoji Hook", "issue hook", "Issue Hook "] {
        if let Some(hint) = read(other, body) {
            return Err(format!("{other:?} tells of {hint:?}"));
        }
    }
    Ok(())
}

/// A payload with nothing but the numbers.
fn bare(hint: Hint) -> String {
    let iid = hint.iid;
    let project = hint.project.map_or(0, |project| project.0);
    format!(
        r#"{{"project":{{"id":{project}}},"issue":{{"iid":{iid}}},
            "object_attributes":{{"iid":{iid},"noteable_type":"Issue"}}}}"#
    )
}

/// A marker that is read is one that we would write: written, it is one hidden line and says the same.
pub(crate) fn marker(body: &str) -> Result<(), String> {
    if !alike(body, body) {
        return Err("it is not like itself".to_owned());
    }
    let Some(found) = Found::in_body(body) else {
        return Ok(());
    };
    let (key, other) = (Key::new([7; 32]), Key::new([8; 32]));
    let line = found.marker.line(&key);
    if line.contains(['\n', '\r']) || line.matches("--").count() != 2 {
        return Err(format!("this is not one hidden line: {line:?}"));
    }
    let Some(again) = Found::in_body(&line) else {
        return Err(format!("what is written is not read: {line:?}"));
    };
    if again.marker != found.marker {
        return Err(format!("{:?} is read as {:?}", found.marker, again.marker));
    }
    if !again.is_authentic(&key) || again.is_authentic(&other) {
        return Err(format!("the code is not the key's: {line:?}"));
    }
    Ok(())
}
