//! Nothing reaches a wider audience than it had (law 5; rules 15 and 16).

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{
    AccessLevel, Content, HookVerdict, IssueEdit, IssueSpec, NoteSpec, Phase, Sim, Visibility,
};
use mirror_core::outcome::{Outcome, SkipReason};
use mirror_worker::Notice;
use std::sync::{Arc, Mutex};

const SECRET: &str = "ZEBRA";

/// Where on the target a secret word stands for more people than it may.
fn exposed(sim: &Sim, project: u64) -> Vec<String> {
    sim.world(|world| {
        let mut found = Vec::new();
        for issue in world.issues(project).filter(|issue| !issue.confidential) {
            let text = format!("{}{:?}", issue.title, issue.description);
            if text.contains(SECRET) {
                found.push(format!("#{}", issue.iid));
            }
            let notes = issue
                .notes
                .iter()
                .filter(|note| !note.system && !note.internal && note.body.contains(SECRET));
            found.extend(notes.map(|note| format!("comment {} on #{}", note.id, issue.iid)));
        }
        let labels = world
            .labels_of(project)
            .filter(|label| label.title.contains(SECRET));
        found.extend(labels.map(|label| format!("label {}", label.title)));
        let project = world.project(project).unwrap();
        if project.visibility != Visibility::Private {
            let files = project
                .uploads
                .iter()
                .filter(|file| file.filename.contains(SECRET));
            found.extend(files.map(|file| format!("file {}", file.filename)));
        }
        found
    })
}

/// Looks after every single request.
struct Watch(Arc<Mutex<Vec<String>>>);

impl World {
    fn watch(&self) -> Watch {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (heard, sim, to) = (seen.clone(), self.target.clone(), self.to.project);
        self.target.set_hook(Arc::new(move |event| {
            for place in exposed(&sim, to) {
                let request = format!("{place} after {} {}", event.method, event.path);
                heard.lock().unwrap().push(request);
            }
            Box::pin(async { HookVerdict::Go })
        }));
        Watch(seen)
    }
}

impl Watch {
    fn saw_nothing(&self) {
        assert_eq!(*self.0.lock().unwrap(), Vec::<String>::new());
    }
}

fn secret(world: &World) -> IssueSpec {
    IssueSpec {
        confidential: true,
        description: Some(format!("The {SECRET} is loose.")),
        ..issue(world.alice, &format!("About the {SECRET}"))
    }
}

#[tokio::test]
async fn the_first_confidential_issue_on_a_target_is_created_with_neutral_text() {
    let world = World::new().await;
    let iid = world.write(secret(&world));
    world.say(iid, note(world.alice, &format!("{SECRET} again")));
    let watch = world.watch();
    let (sim, to) = (world.target.clone(), world.to.project);
    let first: Arc<Mutex<Vec<(String, bool, bool)>>> = Arc::default();
    let seen = first.clone();
    world.target.set_hook(Arc::new(move |event| {
        if event.phase == Phase::After && event.method == "POST" && event.path.ends_with("/issues")
        {
            sim.world(|world| {
                let made = world.issues(to).last().unwrap();
                let text = format!("{:?}", made.description);
                seen.lock().unwrap().push((
                    made.title.clone(),
                    made.confidential,
                    text.contains(SECRET),
                ));
            });
        }
        Box::pin(async { HookVerdict::Go })
    }));
    world.run().await;
    assert_eq!(
        *first.lock().unwrap(),
        [("Mirrored issue".to_owned(), true, false)]
    );
    watch.saw_nothing();
    world.assert_mirrored([iid]);
    world.all_went_well().await;

    world.forget_requests();
    let next = world.write(secret(&world));
    world.later(300);
    world.run().await;
    world.assert_mirrored([next]);
    let puts = world
        .writes()
        .iter()
        .filter(|write| write.starts_with("PUT"))
        .count();
    assert_eq!(puts, 0, "once proven, the text travels with the create");
}

#[tokio::test]
async fn an_issue_that_becomes_confidential_is_hidden_before_anything_else_is_written() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            title: Some(format!("The {SECRET}")),
            description: Some(Some(SECRET.to_owned())),
            labels: Some(vec![SECRET.to_owned()]),
            ..IssueEdit::default()
        },
    );
    world.say(iid, note(world.alice, SECRET));
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn an_issue_that_is_opened_again_is_opened_last() {
    let world = World::new().await;
    let iid = world.write(secret(&world));
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(false),
            title: Some("Solved".into()),
            description: Some(Some("Nothing to hide.".into())),
            ..IssueEdit::default()
        },
    );
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn opening_waits_for_a_person_where_others_wrote_meanwhile() {
    let world = World::new().await;
    let iid = world.write(secret(&world));
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    world.later(600);
    world.say_on_target(copy, note(world.tom, "Between us: …"));
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(false),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    assert!(world.copy(iid).issue.confidential);
    let failures = world.failures();
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(
        failures[0].contains("others commented on target issue #1"),
        "{failures:?}"
    );
    let to = world.to.project;
    world.target.edit(|sim| {
        let open = IssueEdit {
            confidential: Some(false),
            ..IssueEdit::default()
        };
        sim.edit_issue(to, copy, world.tom, open).unwrap();
    });
    world.cx.store.retry_dead(world.mirror).await.unwrap();
    world.later(600);
    world.run().await;
    assert_eq!(world.unfinished().await, Vec::new());
    assert!(!world.copy(iid).issue.confidential);
}

#[tokio::test]
async fn a_token_that_cannot_hide_gets_no_secret() {
    let world = World::on(Stage::new().target_role(AccessLevel::Guest)).await;
    let hidden = world.write(secret(&world));
    let open = world.write(issue(world.alice, "Open"));
    world.say(
        open,
        NoteSpec {
            internal: true,
            ..note(world.alice, SECRET)
        },
    );
    world.say(open, note(world.alice, "For all."));
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    let Some(Outcome::Skipped(SkipReason::ConfidentialNotProven { why })) = world.outcome(hidden)
    else {
        panic!("{:?}", world.outcome(hidden));
    };
    assert!(why.contains("Guest") && why.contains("Planner"), "{why}");
    assert_eq!(world.copies_of(hidden).len(), 0);
    assert_eq!(world.copy(open).notes().len(), 1);
}

#[tokio::test]
async fn a_target_that_ceases_to_hide_leaks_nothing() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            description: Some(Some(SECRET.to_owned())),
            ..IssueEdit::default()
        },
    );
    // Known to the target alone: from now on it drops `confidential` without a word.
    let (to, bot) = (world.to.project, world.to.token_user);
    let role = |role| {
        world
            .target
            .edit(|sim| sim.project_mut(to).unwrap().members.insert(bot, role));
    };
    role(AccessLevel::Guest);
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    let outcome = world.outcome(iid);
    assert!(
        matches!(
            outcome,
            Some(Outcome::Skipped(SkipReason::ConfidentialNotProven { .. }))
        ),
        "{outcome:?}"
    );
    role(AccessLevel::Owner);
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            title: Some("Touched".into()),
            ..IssueEdit::default()
        },
    );
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn an_internal_comment_that_comes_out_public_is_taken_back() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.run().await;
    world.later(600);
    world.say(
        iid,
        NoteSpec {
            internal: true,
            ..note(world.alice, SECRET)
        },
    );
    let (to, bot) = (world.to.project, world.to.token_user);
    world.target.edit(|sim| {
        sim.project_mut(to)
            .unwrap()
            .members
            .insert(bot, AccessLevel::Guest)
    });
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    assert_eq!(world.copy(iid).notes().len(), 0);
}

#[tokio::test]
async fn internal_comments_and_their_threads_stay_internal() {
    let world = World::new().await;
    let alice = world.alice;
    let iid = world.write(issue(alice, "Open"));
    let start = world.say(
        iid,
        NoteSpec {
            internal: true,
            thread: true,
            ..note(alice, SECRET)
        },
    );
    world.say(
        iid,
        NoteSpec {
            internal: true,
            reply_to: Some(start),
            ..note(alice, SECRET)
        },
    );
    world.say(iid, note(alice, "For all."));
    let lone = world.say(
        iid,
        NoteSpec {
            internal: true,
            ..note(alice, SECRET)
        },
    );
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
    world.later(600);
    world.say(
        iid,
        NoteSpec {
            internal: true,
            reply_to: Some(lone),
            ..note(alice, SECRET)
        },
    );
    world.run().await;
    watch.saw_nothing();
    world.all_went_well().await;
    assert_eq!(world.copy(iid).notes().len(), 5);
}

#[tokio::test]
async fn files_of_hidden_texts_go_only_where_nobody_else_can_open_them() {
    for visibility in [
        Visibility::Private,
        Visibility::Internal,
        Visibility::Public,
    ] {
        let world = World::on(Stage::new().target_visibility(visibility)).await;
        let (from, alice) = (world.from.project, world.alice);
        let content = Content::Generated { seed: 1, size: 10 };
        let name = format!("{SECRET}.png");
        let path = world
            .source
            .add_upload(from, alice, &name, content)
            .unwrap()
            .path();
        let iid = world.write(IssueSpec {
            description: Some(format!("![x]({path})")),
            ..secret(&world)
        });
        let watch = world.watch();
        world.run().await;
        watch.saw_nothing();
        let copied = world.files().1.len();
        let left = world
            .notices()
            .iter()
            .any(|notice| matches!(notice, Notice::UploadLeft { .. }));
        assert_eq!(
            (copied, left),
            if visibility == Visibility::Private {
                (1, false)
            } else {
                (0, true)
            }
        );
        assert_eq!(world.copies_of(iid).len(), 1);
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn labels_of_a_confidential_issue_are_not_made_public() {
    let world = World::new().await;
    let milestone = world.source.edit(|sim| {
        let spec = gitlab_sim::MilestoneSpec {
            title: format!("Project {SECRET}"),
            ..Default::default()
        };
        sim.add_milestone(gitlab_sim::Home::Project(world.from.project), spec)
    });
    let to = world.to.project;
    world.target.edit(|sim| {
        let spec = gitlab_sim::LabelSpec::new("bug", "#00ff00");
        sim.add_label(gitlab_sim::Home::Project(to), world.tom, spec)
            .unwrap();
    });
    let iid = world.write(IssueSpec {
        labels: vec![format!("for {SECRET}"), "bug".into()],
        milestone: Some(milestone),
        ..secret(&world)
    });
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.all_went_well().await;
    let copy = world.copy(iid).issue;
    let titles = world.target.world(|sim| sim.label_titles(&copy));
    assert_eq!(titles, ["bug"], "what is there already tells nothing");
    assert!(
        copy.description.unwrap().contains(&format!("for {SECRET}")),
        "told inside instead"
    );
}

#[tokio::test]
async fn a_row_older_than_a_minute_is_read_again_before_it_is_written() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.later(3_600);
    world.owe_scan().await;
    assert!(world.round(1).await, "the scan");
    world.later(61);
    world.edit(
        iid,
        IssueEdit {
            confidential: Some(true),
            description: Some(Some(SECRET.to_owned())),
            ..IssueEdit::default()
        },
    );
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn a_comment_newer_than_the_issues_facts_forces_a_second_look() {
    let world = World::new().await;
    let iid = world.write(issue(world.alice, "Open"));
    world.say(iid, note(world.alice, "Still open."));
    world.later(3_600);
    let (source, from, alice) = (world.source.clone(), world.from.project, world.alice);
    world.source.set_hook(Arc::new(move |event| {
        if event.phase == Phase::Before && event.path.ends_with("/discussions") {
            source.clear_hook();
            source.edit(|sim| {
                let hide = IssueEdit {
                    confidential: Some(true),
                    ..IssueEdit::default()
                };
                sim.edit_issue(from, iid, alice, hide).unwrap();
                sim.add_note(from, iid, note(alice, SECRET)).unwrap();
            });
        }
        Box::pin(async { HookVerdict::Go })
    }));
    let watch = world.watch();
    world.run().await;
    watch.saw_nothing();
    world.assert_mirrored([iid]);
    world.all_went_well().await;
}

#[tokio::test]
async fn no_event_tells_a_hidden_text() {
    let world = World::new().await;
    let iid = world.write(secret(&world));
    world.say(iid, note(world.alice, SECRET));
    world.target.fail(gitlab_sim::FaultRule::new(
        "POST",
        "/(issues|notes)$",
        gitlab_sim::When::Nth(2),
        gitlab_sim::Fault::ErrorBefore(500),
    ));
    world.run().await;
    let events = world.told();
    assert!(!events.contains(SECRET), "{events}");
    world.assert_mirrored([iid]);
}
