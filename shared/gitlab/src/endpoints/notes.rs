//! Comments and threads (facts section 2).

use super::fields::{Fields, timestamp};
use crate::{
    Client, Error, Stamped,
    answer::shape,
    call::Call,
    page::PER_PAGE,
    wire::{WireDiscussion, WireNote},
};
use chrono::{DateTime, Utc};
use http::{Method, StatusCode};
use mirror_core::{
    ids::{Iid, NoteId, ProjectId},
    issue::{Discussion, Note},
    ports::Class,
};
use percent_encoding::utf8_percent_encode;
use serde_json::{Value, json};

/// A comment to be written.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct NewNote {
    /// At most 1,000,000 characters.
    pub body: String,
    /// Hidden from everybody below Planner. Where the token may not do that, GitLab writes it for
    /// everybody, without a word: it is for the caller to know the role before.
    pub internal: bool,
    /// Back-dating; owners only, otherwise dropped.
    pub created_at: Option<DateTime<Utc>>,
}

/// What became of a comment that was written or edited.
#[derive(Clone, PartialEq, Debug)]
pub enum NoteReply {
    /// It stands.
    Created {
        /// As GitLab stored it.
        note: Note,
        /// Its thread, where the answer or the request names one.
        discussion: Option<String>,
        /// A part of it was executed as quick actions: an alarm.
        commands: bool,
    },
    /// Nothing but quick actions: executed, and no note came of it, or the one edited is gone.
    CommandsOnly,
}

impl Client {
    /// All threads and comments of an issue, oldest first, system notes among them; proven
    /// complete, with the clock of the walk's beginning. One request for up to 100 threads, for
    /// `n` pages `2n - 1`, and more if the list changes meanwhile.
    pub async fn discussions(
        &self,
        project: ProjectId,
        iid: Iid,
    ) -> Result<Stamped<Vec<Discussion>>, Error> {
        let call = || self.in_issue(Method::GET, project, iid, "/discussions");
        let key = |discussion: &WireDiscussion| discussion.id.clone();
        let (rows, clock) = self.proven_pages(call, key).await?;
        Ok(Stamped {
            value: rows.into_iter().map(Discussion::from).collect(),
            clock,
        })
    }

    /// One comment.
    pub async fn note(&self, project: ProjectId, iid: Iid, note: NoteId) -> Result<Note, Error> {
        let call = self.in_issue(Method::GET, project, iid, &format!("/notes/{note}"));
        let found: Stamped<WireNote> = self.get(call).await?;
        Ok(found.value.into())
    }

    /// The newest lines that GitLab itself wrote on an issue, newest first, at most 100.
    pub async fn system_notes_desc(
        &self,
        project: ProjectId,
        iid: Iid,
    ) -> Result<Stamped<Vec<Note>>, Error> {
        self.newest(project, iid, "only_activity").await
    }

    /// The newest comments on an issue, newest first, at most 100.
    pub async fn comments_desc(
        &self,
        project: ProjectId,
        iid: Iid,
    ) -> Result<Stamped<Vec<Note>>, Error> {
        self.newest(project, iid, "only_comments").await
    }

    async fn newest(
        &self,
        project: ProjectId,
        iid: Iid,
        filter: &str,
    ) -> Result<Stamped<Vec<Note>>, Error> {
        let call = self.in_issue(Method::GET, project, iid, "/notes").query([
            ("sort", "desc"),
            ("order_by", "created_at"),
            ("activity_filter", filter),
        ]);
        let page = self.page_of::<WireNote>(call, 1, PER_PAGE).await?;
        Ok(Stamped {
            value: page.rows.into_iter().map(Note::from).collect(),
            clock: page.clock,
        })
    }

    /// Writes a comment of its own. The answer does not name its thread.
    pub async fn create_note(
        &self,
        project: ProjectId,
        iid: Iid,
        new: &NewNote,
    ) -> Result<NoteReply, Error> {
        let call = self
            .in_issue(Method::POST, project, iid, "/notes")
            .class(Class::Notes)
            .json(&new.to_json());
        self.write_note(call, None).await
    }

    /// Starts a thread.
    ///
    /// GitLab cannot start an internal one in one request: its endpoint for that ignores
    /// `internal`, and the thread would be there for everybody to read. So an internal one is
    /// written as a comment, and its thread is then looked up in the list of all; should only
    /// that fail, `discussion` is `None` and the note stands.
    pub async fn start_discussion(
        &self,
        project: ProjectId,
        iid: Iid,
        new: &NewNote,
    ) -> Result<NoteReply, Error> {
        if new.internal {
            let reply = self.create_note(project, iid, new).await?;
            return Ok(self.with_discussion(project, iid, reply).await);
        }
        let mut call = self
            .in_issue(Method::POST, project, iid, "/discussions")
            .class(Class::Notes)
            .json(&new.to_json());
        let answer = self.exchange(&mut call).await?;
        let thread: Value = answer.decode(&call)?;
        let id = thread.get("id").and_then(Value::as_str).map(str::to_owned);
        let first = thread.pointer("/notes/0").cloned().unwrap_or(thread);
        reply(&call, answer.status, first, id)
    }

    async fn with_discussion(&self, project: ProjectId, iid: Iid, reply: NoteReply) -> NoteReply {
        let NoteReply::Created { note, commands, .. } = reply else {
            return reply;
        };
        let discussion = match self.discussions(project, iid).await {
            Ok(all) => all
                .value
                .into_iter()
                .find(|thread| thread.notes.iter().any(|other| other.id == note.id))
                .map(|thread| thread.id),
            Err(error) => {
                tracing::debug!(error = %error, "the new note's thread is not known yet");
                None
            }
        };
        NoteReply::Created {
            note,
            discussion,
            commands,
        }
    }

    /// Replies in a thread; a comment of its own becomes one by that. Whether the reply is
    /// internal is the thread's affair.
    pub async fn reply(
        &self,
        project: ProjectId,
        iid: Iid,
        discussion: &str,
        new: &NewNote,
    ) -> Result<NoteReply, Error> {
        let id = utf8_percent_encode(discussion, super::project::SEGMENT);
        let call = self
            .in_issue(
                Method::POST,
                project,
                iid,
                &format!("/discussions/{id}/notes"),
            )
            .class(Class::Notes)
            .json(&new.to_json());
        self.write_note(call, Some(discussion.to_owned())).await
    }

    /// Resolves a thread or opens it again: all of it, whoever wrote in it. What cannot be resolved
    /// is forbidden, and versions that do not resolve threads of issues do not know the request.
    pub async fn resolve_discussion(
        &self,
        project: ProjectId,
        iid: Iid,
        discussion: &str,
        resolved: bool,
    ) -> Result<Discussion, Error> {
        let id = utf8_percent_encode(discussion, super::project::SEGMENT);
        let mut call = self
            .in_issue(Method::PUT, project, iid, &format!("/discussions/{id}"))
            .json(&json!({ "resolved": resolved }));
        let answer = self.exchange(&mut call).await?;
        let thread: WireDiscussion = answer.decode(&call)?;
        Ok(thread.into())
    }

    /// Edits a comment.
    pub async fn update_note(
        &self,
        project: ProjectId,
        iid: Iid,
        note: NoteId,
        body: &str,
    ) -> Result<NoteReply, Error> {
        let call = self
            .in_issue(Method::PUT, project, iid, &format!("/notes/{note}"))
            .json(&json!({ "body": body }));
        self.write_note(call, None).await
    }

    /// Deletes a comment; this does not touch the issue's `updated_at`.
    pub async fn delete_note(
        &self,
        project: ProjectId,
        iid: Iid,
        note: NoteId,
    ) -> Result<(), Error> {
        let mut call = self.in_issue(Method::DELETE, project, iid, &format!("/notes/{note}"));
        self.exchange(&mut call).await.map(drop)
    }

    async fn write_note(
        &self,
        mut call: Call,
        discussion: Option<String>,
    ) -> Result<NoteReply, Error> {
        let answer = self.exchange(&mut call).await?;
        if answer.status == StatusCode::NO_CONTENT {
            return Ok(NoteReply::CommandsOnly);
        }
        let written: Value = answer.decode(&call)?;
        reply(&call, answer.status, written, discussion)
    }
}

impl NewNote {
    fn to_json(&self) -> Value {
        // `internal` is its name since 15.3, `confidential` before; an unknown one is dropped.
        let hidden = self.internal.then_some(true);
        Fields::default()
            .with("body", Some(self.body.as_str()))
            .with("internal", hidden)
            .with("confidential", hidden)
            .with("created_at", self.created_at.map(timestamp))
            .into_json()
    }
}

/// Tells a note from the account of what was executed in its place (202, or no id).
fn reply(
    call: &Call,
    status: StatusCode,
    written: Value,
    discussion: Option<String>,
) -> Result<NoteReply, Error> {
    let changes = written.get("commands_changes");
    let no_note = written.get("id").is_none_or(Value::is_null);
    if status == StatusCode::ACCEPTED || (no_note && changes.is_some()) {
        return Ok(NoteReply::CommandsOnly);
    }
    let commands = changes.is_some_and(something);
    let note: WireNote = serde_json::from_value(written)
        .map_err(|error| Error::malformed(&call.subject, shape(&error)).with_status(status))?;
    Ok(NoteReply::Created {
        note: note.into(),
        discussion,
        commands,
    })
}

fn something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Object(changes) => !changes.is_empty(),
        Value::Array(changes) => !changes.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
