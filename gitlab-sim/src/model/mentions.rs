//! What a saved text sets off: notifications of people, cross-reference notes on other issues
//! (facts section 4).

use super::edit_error::EditError;
use super::journal::Notification;
use super::people::UserId;
use super::project::ProjectId;
use super::rights::Actor;
use super::world::World;
use crate::text::references::{self, Live};

impl World {
    /// Looks through an issue's title and description.
    pub(crate) fn notice_issue_text(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
    ) -> Result<(), EditError> {
        let base = self.base_url().to_owned();
        let issue = self.require_issue(project, iid)?;
        let mut found = references::find_in_title(&issue.title);
        if let Some(text) = &issue.description {
            found.extend(references::find_with_base(text, &base));
        }
        self.follow(project, iid, by, None, found)
    }

    /// Looks through a comment.
    pub(crate) fn notice_note_text(
        &mut self,
        project: ProjectId,
        iid: u64,
        note: u64,
    ) -> Result<(), EditError> {
        let base = self.base_url().to_owned();
        let found = self.require_note(project, iid, note)?;
        let (by, live) = (found.author, references::find_with_base(&found.body, &base));
        self.follow(project, iid, by, Some(note), live)
    }

    fn follow(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        note: Option<u64>,
        found: Vec<Live>,
    ) -> Result<(), EditError> {
        for live in found {
            match live {
                Live::User(name) => self.notify(project, iid, by, note, name),
                Live::Issue {
                    project: path,
                    iid: other,
                } => {
                    let home = match path {
                        Some(path) => self.project_at(&path).map(|found| found.id),
                        None => Some(project),
                    };
                    if let Some(home) = home {
                        self.cross_reference((home, other), (project, iid), by)?;
                    }
                }
                Live::Url(url) => {
                    if let Some(target) = self.issue_at_url(&url) {
                        self.cross_reference(target, (project, iid), by)?;
                    }
                }
                Live::MergeRequest { .. }
                | Live::Epic { .. }
                | Live::Milestone { .. }
                | Live::Label { .. }
                | Live::Snippet { .. }
                | Live::Alert { .. }
                | Live::Commit(_)
                | Live::Vulnerability(_)
                | Live::Other(_) => {}
            }
        }
        Ok(())
    }

    fn notify(
        &mut self,
        project: ProjectId,
        iid: u64,
        by: UserId,
        note: Option<u64>,
        name: String,
    ) {
        let already = self.notifications.iter().any(|one| {
            one.project == project
                && one.issue == iid
                && one.note == note
                && one.by == by
                && one.mentioned == name
        });
        if already {
            return;
        }
        let recipients = self.people_called(project, &name);
        let (at, via) = (self.now(), self.via);
        self.notifications.push(Notification {
            at,
            by,
            via,
            project,
            issue: iid,
            note,
            mentioned: name,
            recipients,
        });
    }

    fn people_called(&self, project: ProjectId, name: &str) -> Vec<UserId> {
        if let Some(user) = self.user_named(name) {
            return vec![user.id];
        }
        if name == "all" {
            return self
                .project(project)
                .map_or_else(Vec::new, |home| home.members.keys().copied().collect());
        }
        let below = format!("{name}/");
        let mut people: Vec<UserId> = self
            .projects
            .values()
            .filter(|home| self.groups.contains_key(name) && home.path.starts_with(&below))
            .flat_map(|home| home.members.keys().copied())
            .collect();
        people.sort_unstable();
        people.dedup();
        people
    }

    /// `https://instance/group/project/-/issues/7` as an issue of this instance.
    pub(crate) fn issue_at_url(&self, url: &str) -> Option<(ProjectId, u64)> {
        let rest = url.strip_prefix(self.base_url())?.strip_prefix('/')?;
        let (path, tail) = rest.split_once("/-/")?;
        let number = tail
            .strip_prefix("issues/")
            .or_else(|| tail.strip_prefix("work_items/"))?;
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        Some((self.project_at(path)?.id, digits.parse().ok()?))
    }

    /// "mentioned in issue …", once per pair, if the writer may read the mentioned issue.
    fn cross_reference(
        &mut self,
        mentioned: (ProjectId, u64),
        from: (ProjectId, u64),
        by: UserId,
    ) -> Result<(), EditError> {
        let Some(issue) = self.issue(mentioned.0, mentioned.1) else {
            return Ok(());
        };
        let known = issue
            .notes
            .iter()
            .any(|note| note.mentioned_by == Some(from));
        let readable = self.can_read_issue(&Actor::of_user(self, by), issue);
        if mentioned == from || known || !readable {
            return Ok(());
        }
        let place = match self.project(from.0) {
            Some(home) if from.0 != mentioned.0 => format!("{}#{}", home.path, from.1),
            _ => format!("#{}", from.1),
        };
        let body = format!("mentioned in issue {place}");
        self.write_system_note(mentioned.0, mentioned.1, by, body, false, Some(from))
    }
}
