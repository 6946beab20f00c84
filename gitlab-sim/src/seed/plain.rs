//! Plain content for figures: nothing in it costs a request beyond the issue and its comments.

use chrono::TimeDelta;

use crate::{AccessLevel, EditError, IssueSpec, NoteSpec, ProjectId, Sim, UserSpec};

/// Adds `issues` open issues with `notes_per_issue` comments each: no labels, no plans, no files,
/// nothing live in the texts. Their `updated_at` are spread, ten minutes apart, and all lie more than
/// an hour back.
///
/// # Errors
/// If there is no such project.
pub fn plain(
    sim: &Sim,
    project: ProjectId,
    issues: u64,
    notes_per_issue: u64,
) -> Result<(), EditError> {
    sim.edit(|world| {
        let author = match world.user_named("plain-author") {
            Some(user) => user.id,
            None => world.add_user(UserSpec::new("plain-author", "Plain Author")),
        };
        let home = world
            .project_mut(project)
            .ok_or(EditError::NoSuchProject(project))?;
        home.members.insert(author, AccessLevel::Developer);
        // One comment a minute, so that each is seen to touch its issue.
        let length =
            TimeDelta::minutes(10).max(TimeDelta::seconds(61) * length_of(notes_per_issue + 1));
        let end = world.now() - TimeDelta::hours(1);
        for number in 0..issues {
            let start = end - length * length_of(issues - number);
            let iid = world.at(start, |world| {
                let spec = IssueSpec {
                    author,
                    title: format!("Plain issue {}", number + 1),
                    description: Some(format!(
                        "The text of plain issue {}.\n\nIt has two paragraphs.",
                        number + 1
                    )),
                    ..IssueSpec::default()
                };
                world.create_issue(project, spec)
            })?;
            for note in 0..notes_per_issue {
                let at = start + TimeDelta::seconds(61) * length_of(note + 1);
                let body = format!("Comment {} on plain issue {}.", note + 1, number + 1);
                world.at(at, |world| {
                    world.add_note(project, iid, NoteSpec::new(author, &body))
                })?;
            }
        }
        Ok(())
    })
}

fn length_of(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
