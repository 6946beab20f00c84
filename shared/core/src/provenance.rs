//! The marker: the hidden first line of every mirrored body that says whose copy it is.
//!
//! GitLab has no idempotency key, so this line is how a copy is found again after a lost answer, a
//! crash or a lost database. It holds ids only, never text, so that nothing confidential can leak
//! through it, and it stands first, so that no unclosed fence or comment of the body swallows it.

use crate::ids::{Iid, InstanceName, IssueId, NoteId, ProjectId};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use sha2::Sha256;
use std::fmt::{self, Write as _};

const OPENING: &str = "<!-- issue-mirror:1 ";
const CLOSING: &str = " -->";

/// The deployment's key. Lives beside the encryption key, never in the database.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// Wraps 32 secret bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn digest(&self, text: &str) -> String {
        // HMAC takes a key of any length, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return String::new();
        };
        mac.update(text.as_bytes());
        let bytes = mac.finalize().into_bytes();
        // No hyphen: two of them would end the comment for some readers.
        URL_SAFE_NO_PAD
            .encode(bytes.get(..16).unwrap_or_default())
            .replace('-', ".")
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What kind of text of ours it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A copy of an issue or note.
    Mirror,
    /// Something we invented (a closing note, a disarmed duplicate): never mirrored, never adopted.
    Notice,
}

/// One station of an object on its way: who it was there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Hop {
    /// The instance, by the name fixed at its registration.
    pub instance: InstanceName,
    /// The project.
    pub project: ProjectId,
    /// The issue's id.
    pub issue: IssueId,
    /// The issue's number.
    pub iid: Iid,
    /// The note's id, where a note is meant.
    pub note: Option<NoteId>,
}

/// What the marker says.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Marker {
    /// What kind of text.
    pub kind: Kind,
    /// Every station so far, the original first.
    pub path: Vec<Hop>,
    /// The instance it was written for.
    pub target_instance: InstanceName,
    /// The project it was written for.
    pub target_project: ProjectId,
}

/// A marker as found in a text: what it claims, and the code it came with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// The claim.
    pub marker: Marker,
    code: String,
}

impl Found {
    /// Reads the marker in the first line of a body. `None` where there is none, or where it is
    /// damaged: a damaged one is nobody's.
    pub fn in_body(body: &str) -> Option<Self> {
        let line = body.lines().next()?.trim();
        let fields = line.strip_prefix(OPENING)?.strip_suffix(CLOSING)?;
        let mut fields = fields.split(' ');
        let kind = match fields.next()? {
            "mirror" => Kind::Mirror,
            "notice" => Kind::Notice,
            _ => return None,
        };
        let path = fields.next()?.strip_prefix("path=")?;
        let path = path.split(',').map(read_hop).collect::<Option<Vec<_>>>()?;
        let (instance, project) = fields.next()?.strip_prefix("to=")?.split_once(';')?;
        let code = fields.next()?.strip_prefix("mac=")?.to_owned();
        if fields.next().is_some() {
            return None;
        }
        let marker = Marker {
            kind,
            path,
            target_instance: read_name(instance)?,
            target_project: ProjectId(project.parse().ok()?),
        };
        Some(Self { marker, code })
    }

    /// Whether this deployment wrote it.
    pub fn is_authentic(&self, key: &Key) -> bool {
        let expected = key.digest(&self.marker.claim());
        // Both are digests, so the time of the comparison tells nothing of the key.
        expected.len() == self.code.len()
            && expected
                .bytes()
                .zip(self.code.bytes())
                .fold(0, |sum, (a, b)| sum | (a ^ b))
                == 0
    }
}

/// Whether two bodies are alike but for the code in their markers. A lost key changes that in every
/// body of ours, which is no reason to write them all anew: what is adopted is known by its author and
/// its claim.
pub fn alike(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let parts = a.split_once('\n').zip(b.split_once('\n'));
    parts.is_some_and(|((_, rest_of_a), (_, rest_of_b))| {
        let claims = Found::in_body(a).zip(Found::in_body(b));
        rest_of_a == rest_of_b && claims.is_some_and(|(a, b)| a.marker == b.marker)
    })
}

impl Marker {
    /// The marker of a first-hand copy.
    pub fn of(hop: Hop, target_instance: InstanceName, target_project: ProjectId) -> Self {
        Self {
            kind: Kind::Mirror,
            path: vec![hop],
            target_instance,
            target_project,
        }
    }

    /// The hidden line.
    pub fn line(&self, key: &Key) -> String {
        let claim = self.claim();
        let code = key.digest(&claim);
        format!("{OPENING}{claim} mac={code}{CLOSING}")
    }

    /// Whether it is the copy of exactly this object, made for exactly this project. Instance names
    /// are compared through `same`, which knows aliases.
    pub fn is_copy_of(
        &self,
        original: &Hop,
        target_instance: &InstanceName,
        target_project: ProjectId,
        same: impl Fn(&InstanceName, &InstanceName) -> bool,
    ) -> bool {
        let Some(last) = self.path.last() else {
            return false;
        };
        self.kind == Kind::Mirror
            && self.target_project == target_project
            && same(&self.target_instance, target_instance)
            && last.project == original.project
            && last.issue == original.issue
            && last.iid == original.iid
            && last.note == original.note
            && same(&last.instance, &original.instance)
    }

    fn claim(&self) -> String {
        let mut claim = String::from(match self.kind {
            Kind::Mirror => "mirror path=",
            Kind::Notice => "notice path=",
        });
        for (index, hop) in self.path.iter().enumerate() {
            if index > 0 {
                claim.push(',');
            }
            write_name(&mut claim, &hop.instance);
            let Hop {
                project,
                issue,
                iid,
                note,
                ..
            } = hop;
            // Writing to a string cannot fail.
            let _ = write!(claim, ";{project};{issue};{iid}");
            if let Some(note) = note {
                let _ = write!(claim, ";{note}");
            }
        }
        claim.push_str(" to=");
        write_name(&mut claim, &self.target_instance);
        let _ = write!(claim, ";{}", self.target_project);
        claim
    }
}

/// Everything but plain host and path characters is percent-encoded, and so is every second of two
/// hyphens: nothing in a name may end the comment or the field.
fn write_name(out: &mut String, name: &InstanceName) {
    let mut previous = 0;
    for byte in name.0.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"._:/".contains(&byte);
        if plain || (byte == b'-' && previous != b'-') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        previous = byte;
    }
}

fn read_name(text: &str) -> Option<InstanceName> {
    let name = percent_decode_str(text).decode_utf8().ok()?;
    Some(InstanceName(name.into_owned()))
}

fn read_hop(text: &str) -> Option<Hop> {
    let mut parts = text.split(';');
    let instance = read_name(parts.next()?)?;
    let number = |part: &str| part.parse::<i64>().ok();
    let hop = Hop {
        instance,
        project: ProjectId(number(parts.next()?)?),
        issue: IssueId(number(parts.next()?)?),
        iid: Iid(number(parts.next()?)?),
        note: match parts.next() {
            Some(note) => Some(NoteId(number(note)?)),
            None => None,
        },
    };
    parts.next().is_none().then_some(hop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hop(note: Option<i64>) -> Hop {
        Hop {
            instance: InstanceName("gitlab.a".into()),
            project: ProjectId(12),
            issue: IssueId(345),
            iid: Iid(7),
            note: note.map(NoteId),
        }
    }

    fn marker(note: Option<i64>) -> Marker {
        Marker::of(hop(note), InstanceName("gitlab.b".into()), ProjectId(34))
    }

    #[test]
    fn the_line_is_pinned_because_old_bodies_are_read_for_ever() {
        let key = Key::new([7; 32]);
        insta::assert_snapshot!(marker(Some(9)).line(&key), @"<!-- issue-mirror:1 mirror path=gitlab.a;12;345;7;9 to=gitlab.b;34 mac=B72OzIUtKgjry5uvKqDE5w -->");
    }

    #[test]
    fn a_pasted_marker_of_another_deployment_is_not_authentic() {
        let ours = Key::new([1; 32]);
        let theirs = Key::new([2; 32]);
        let body = format!("{}\n\ntext", marker(None).line(&theirs));
        let found = Found::in_body(&body).unwrap();
        assert!(!found.is_authentic(&ours));
        assert!(found.is_authentic(&theirs));
    }

    #[test]
    fn bodies_are_alike_whatever_key_they_were_written_under() {
        let body = |claim: &Marker, key: u8, text: &str| {
            format!("{}\n\n{text}", claim.line(&Key::new([key; 32])))
        };
        let ours = body(&marker(None), 1, "text");
        assert!(alike(&ours, &body(&marker(None), 2, "text")));
        assert!(!alike(&ours, &body(&marker(None), 2, "another text")));
        assert!(!alike(&ours, &body(&marker(Some(9)), 2, "text")));
        assert!(!alike(&ours, "text"));
        assert!(alike("text", "text"));
        assert!(!alike("text\nmore", "other\nmore"));
    }

    #[test]
    fn a_damaged_marker_is_nobodys() {
        let line = marker(Some(9)).line(&Key::new([1; 32]));
        for (part, damaged) in [
            (";7;9", ";7;x"),
            (";7;9", ";7;"),
            (";7;9", ";7;9;1"),
            (";7;9", ""),
            ("b;34", "b;"),
            ("mac=", ""),
            ("mirror path", "copy path"),
            (" -->", " more -->"),
            (" -->", "->"),
        ] {
            let text = line.replacen(part, damaged, 1);
            assert_ne!(text, line);
            assert_eq!(Found::in_body(&text), None, "{text}");
        }
    }

    #[test]
    fn a_marker_further_down_is_text() {
        let body = format!("text\n{}", marker(None).line(&Key::new([1; 32])));
        assert_eq!(Found::in_body(&body), None);
    }

    #[test]
    fn a_copy_is_known_by_every_part_of_its_identity() {
        let same = |a: &InstanceName, b: &InstanceName| a == b;
        let b = InstanceName("gitlab.b".into());
        let marker = marker(None);
        assert!(marker.is_copy_of(&hop(None), &b, ProjectId(34), same));
        assert!(!marker.is_copy_of(&hop(Some(1)), &b, ProjectId(34), same));
        assert!(!marker.is_copy_of(&hop(None), &b, ProjectId(35), same));
        let other = Hop {
            iid: Iid(8),
            ..hop(None)
        };
        assert!(!marker.is_copy_of(&other, &b, ProjectId(34), same));
    }

    proptest! {
        #[test]
        fn any_instance_name_survives_and_never_ends_the_comment(
            name in "[ -~é]{1,40}", target in "[a-z.-]{1,20}", note in proptest::option::of(0i64..1_000_000)
        ) {
            let key = Key::new([3; 32]);
            let mut original = hop(note);
            original.instance = InstanceName(name);
            let marker = Marker::of(original, InstanceName(target), ProjectId(1));
            let line = marker.line(&key);
            prop_assert_eq!(line.matches("--").count(), 2);
            prop_assert!(!line.contains('\n'));
            let found = Found::in_body(&format!("  {line}\r\n\r\nbody")).unwrap();
            prop_assert_eq!(&found.marker, &marker);
            prop_assert!(found.is_authentic(&key));
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,200}") {
            let _ = Found::in_body(&text);
            let _ = Found::in_body(&format!("{OPENING}{text}{CLOSING}"));
        }
    }
}
