//! Writing, changing and deleting comments.

use super::edit_error::EditError;
use super::issue::{Note, NoteSpec};
use super::journal::ChangeKind;
use super::people::UserId;
use super::project::ProjectId;
use super::system_notes::MAX_NOTES;
use super::world::World;

impl World {
    /// Writes a comment and returns its id; touches the issue, throttled.
    ///
    /// # Errors
    /// If there is no such issue or answered note, or the issue is full of notes.
    pub fn add_note(
        &mut self,
        project: ProjectId,
        iid: u64,
        spec: NoteSpec,
    ) -> Result<u64, EditError> {
        if self.require_issue(project, iid)?.notes.len() >= MAX_NOTES {
            return Err(EditError::TooManyNotes);
        }
        let discussion = match spec.reply_to {
            Some(note) => Some(self.open_thread(project, iid, note)?),
            None => None,
        };
        let threaded = discussion.is_some() || spec.thread;
        let now = self.now();
        let note = Note {
            id: self.next_id("note"),
            discussion: match discussion {
                Some(discussion) => discussion,
                None => self.secret_hex(20),
            },
            threaded,
            body: spec.body,
            author: spec.author,
            system: false,
            internal: spec.internal,
            invisible: false,
            created_at: now,
            updated_at: now,
            resolved: None,
            mentioned_by: None,
        };
        let id = note.id;
        self.require_issue(project, iid)?.notes.push(note);
        self.touch(project, iid);
        self.record(spec.author, project, Some(iid), ChangeKind::NoteCreated(id));
        self.notice_note_text(project, iid, id)?;
        Ok(id)
    }

    /// The discussion of a note, which becomes a thread by being answered (facts section 2).
    fn open_thread(
        &mut self,
        project: ProjectId,
        iid: u64,
        note: u64,
    ) -> Result<String, EditError> {
        let found = self.require_note(project, iid, note)?;
        found.threaded = true;
        Ok(found.discussion.clone())
    }

    pub(crate) fn require_note(
        &mut self,
        project: ProjectId,
        iid: u64,
        note: u64,
    ) -> Result<&mut Note, EditError> {
        let issue = self.require_issue(project, iid)?;
        issue
            .notes
            .iter_mut()
            .find(|one| one.id == note)
            .ok_or(EditError::NoSuchNote(note))
    }

    /// Changes a comment's text; touches the issue, throttled.
    ///
    /// # Errors
    /// If there is no such note.
    pub fn edit_note(
        &mut self,
        project: ProjectId,
        iid: u64,
        note: u64,
        by: UserId,
        body: &str,
    ) -> Result<(), EditError> {
        let now = self.now();
        let found = self.require_note(project, iid, note)?;
        if found.body == body {
            return Ok(());
        }
        body.clone_into(&mut found.body);
        found.updated_at = now;
        self.touch(project, iid);
        self.record(by, project, Some(iid), ChangeKind::NoteUpdated(note));
        self.notice_note_text(project, iid, note)
    }

    /// Deletes a comment, which does not touch the issue at all (facts section 2).
    ///
    /// # Errors
    /// If there is no such note.
    pub fn delete_note(
        &mut self,
        project: ProjectId,
        iid: u64,
        note: u64,
        by: UserId,
    ) -> Result<(), EditError> {
        self.require_note(project, iid, note)?;
        self.require_issue(project, iid)?
            .notes
            .retain(|one| one.id != note);
        self.record(by, project, Some(iid), ChangeKind::NoteDeleted(note));
        Ok(())
    }

    /// Settles a thread or opens it again. GitLab writes that past its models, so that nothing else
    /// of the issue moves.
    ///
    /// # Errors
    /// If the issue has no such discussion.
    pub fn resolve_discussion(
        &mut self,
        project: ProjectId,
        iid: u64,
        discussion: &str,
        by: UserId,
        resolved: bool,
    ) -> Result<(), EditError> {
        let now = self.now();
        let mut found = false;
        for note in self.require_issue(project, iid)?.notes.iter_mut() {
            if note.discussion == discussion && !note.system {
                found = true;
                note.resolved = resolved.then_some((by, now));
            }
        }
        if !found {
            return Err(EditError::NoSuchNote(0));
        }
        self.record(
            by,
            project,
            Some(iid),
            ChangeKind::DiscussionResolved(resolved),
        );
        Ok(())
    }
}
