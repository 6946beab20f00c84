//! Comments, files, labels and events tell nobody what they may not know (law 5, rule 16).

use crate::support::{SECRET, Stage, World, issue, note, secret};
use gitlab_sim::{AccessLevel, Content, IssueSpec, NoteSpec, UserSpec, Visibility};
use mirror_core::outcome::{Outcome, SkipReason};
use mirror_worker::Notice;

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

/// Written by mail from outside: it crosses as any issue does, and the address stays at home.
#[tokio::test]
async fn an_issue_of_the_service_desk_crosses_without_the_address_of_who_wrote_it() {
    let world = World::new().await;
    let from = world.from.project;
    let bot = world.source.add_user(UserSpec {
        bot: true,
        ..UserSpec::new("support-bot", "GitLab Support Bot")
    });
    let mut iids = Vec::new();
    for confidential in [false, true] {
        let spec = IssueSpec {
            confidential,
            ..issue(bot, "The parcel came open")
        };
        let iid = world.write(spec);
        let address = "anna@outside.example".to_owned();
        world.source.edit(|sim| {
            let issue = sim.issue_mut(from, iid).unwrap();
            issue.service_desk_reply_to = Some(address);
        });
        world.say(iid, note(bot, "It was wet as well."));
        iids.push(iid);
    }
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored(iids);
    let to = world.to.project;
    let all: Vec<_> = world.target.world(|sim| sim.issues(to).cloned().collect());
    assert!(!format!("{all:?}").contains("outside.example"));
    assert!(!world.told().contains("outside.example"));
    world.a_second_run_writes_nothing().await;
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
