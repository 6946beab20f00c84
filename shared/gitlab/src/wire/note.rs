//! Notes, discussions, and what else hangs on an issue (facts sections 2, 5 and 6).

use super::issue::{WireUser, author};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::NoteId,
    issue::{Discussion, Note},
};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct WireNote {
    id: NoteId,
    body: Option<String>,
    author: Option<WireUser>,
    created_at: DateTime<Utc>,
    updated_at: Option<DateTime<Utc>>,
    system: Option<bool>,
    internal: Option<bool>,
    confidential: Option<bool>,
    resolvable: Option<bool>,
    resolved: Option<bool>,
}

#[derive(Deserialize)]
pub(crate) struct WireDiscussion {
    pub(crate) id: String,
    individual_note: Option<bool>,
    notes: Option<Vec<WireNote>>,
}

/// The answer to an upload; the other fields differ by version.
#[derive(Deserialize)]
pub(crate) struct WireUpload {
    pub(crate) url: String,
    pub(crate) markdown: String,
}

#[derive(Deserialize)]
pub(crate) struct WireLabelEvent {
    pub(crate) user: Option<WireUser>,
    pub(crate) label: Option<EventLabel>,
    pub(crate) action: String,
}

#[derive(Deserialize)]
pub(crate) struct EventLabel {
    pub(crate) name: String,
}

impl From<WireNote> for Note {
    fn from(wire: WireNote) -> Self {
        Self {
            id: wire.id,
            body: wire.body.unwrap_or_default(),
            author: author(wire.author),
            created_at: wire.created_at,
            updated_at: wire.updated_at.unwrap_or(wire.created_at),
            system: wire.system.unwrap_or(false),
            // Two names of one thing; were they ever to differ, the stricter holds.
            internal: wire.internal.unwrap_or(false) || wire.confidential.unwrap_or(false),
            // `resolved` is there only where it can be.
            resolved: wire.resolved.filter(|_| wire.resolvable.unwrap_or(true)),
        }
    }
}

impl From<WireDiscussion> for Discussion {
    fn from(wire: WireDiscussion) -> Self {
        let notes = wire.notes.unwrap_or_default();
        Self {
            id: wire.id,
            individual: wire.individual_note.unwrap_or(notes.len() == 1),
            notes: notes.into_iter().map(Note::from).collect(),
        }
    }
}
