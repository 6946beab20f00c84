//! Small sources with something of everything that can arrive twice, late or half.

use super::stage::End;
use chrono::TimeDelta;
use gitlab_sim::{
    AccessLevel, Content, Home, IssueEdit, IssueSpec, IssueState, LabelSpec, NoteSpec, UserId,
    UserSpec,
};

/// Adds `count` issues: labels, closed ones, confidential ones, estimates, logged time, files,
/// threads, internal notes, and lines that a GitLab would execute.
pub(crate) fn fill(end: &End, count: u64) {
    let (project, sim) = (end.project, &end.sim);
    let author = author(end);
    sim.edit(|world| {
        let home = Home::Project(project);
        let bug = LabelSpec::new("bug", "#cc0033");
        world.add_label(home, author, bug).unwrap();
        let apart = TimeDelta::minutes(10);
        let all = apart * i32::try_from(count + 1).unwrap();
        let start = world.now() - all.max(TimeDelta::days(2));
        for number in 1..=count {
            let at = start + apart * i32::try_from(number).unwrap();
            world.at(at, |world| {
                let file = (number % 8 == 2).then(|| {
                    let bytes = Content::Generated {
                        seed: number,
                        size: 3_000,
                    };
                    let upload = world
                        .add_upload(project, author, "trace.log", bytes)
                        .unwrap();
                    format!("\n\n[trace.log]({})", upload.path())
                });
                let spec = IssueSpec {
                    author,
                    title: format!("Issue {number}"),
                    description: Some(format!(
                        "Text {number} for @all.\n\n/close\n/spend 4h{}",
                        file.unwrap_or_default()
                    )),
                    labels: if number % 2 == 0 {
                        vec!["bug".to_owned()]
                    } else {
                        vec![format!("new {}", number % 4)]
                    },
                    confidential: number % 7 == 3,
                    time_estimate: if number % 3 == 0 { 5_400 } else { 0 },
                    ..IssueSpec::default()
                };
                let iid = world.create_issue(project, spec).unwrap();
                let mut first = None;
                for comment in 1..=4 {
                    let note = NoteSpec {
                        internal: comment == 3 && number % 5 == 1,
                        reply_to: first.filter(|_| comment == 4 && number % 2 == 0),
                        thread: comment == 1 && number % 4 == 0,
                        ..NoteSpec::new(
                            author,
                            &format!("Comment {comment} on issue {number}.\n\n/label ~bug"),
                        )
                    };
                    let id = world.add_note(project, iid, note).unwrap();
                    first.get_or_insert(id);
                }
                if number % 2 == 1 {
                    world
                        .log_time(project, iid, author, 3_661, Some("work"))
                        .unwrap();
                }
                if number % 3 == 1 {
                    let close = IssueEdit {
                        state: Some(IssueState::Closed),
                        ..IssueEdit::default()
                    };
                    world.edit_issue(project, iid, author, close).unwrap();
                }
            });
        }
    });
}

/// Somebody who writes in the project.
pub(crate) fn author(end: &End) -> UserId {
    end.sim.edit(|world| {
        let author = match world.user_named("alice") {
            Some(user) => user.id,
            None => world.add_user(UserSpec::new("alice", "Alice")),
        };
        let home = world.project_mut(end.project).unwrap();
        home.members.insert(author, AccessLevel::Developer);
        author
    })
}

/// Adds one open issue with this text.
pub(crate) fn add_issue(end: &End, title: &str, text: &str) -> u64 {
    let author = author(end);
    let spec = IssueSpec {
        author,
        title: title.to_owned(),
        description: Some(text.to_owned()),
        ..IssueSpec::default()
    };
    end.sim
        .edit(|world| world.create_issue(end.project, spec).unwrap())
}
