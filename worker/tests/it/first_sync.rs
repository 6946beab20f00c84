//! What crosses on the first run (design, section 8), and that a second run finds nothing to do.

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{
    Content, IssueEdit, IssueSpec, IssueState, IssueType, NoteSpec, text::visible::visible_text,
};
use mirror_worker::{Mode, Settings};

fn including_closed() -> Settings {
    Settings {
        include_closed: true,
        ..Settings::default()
    }
}

#[tokio::test]
async fn an_issue_arrives_with_everything_it_carries() {
    let world = World::new().await;
    let alice = world.alice;
    let (milestone, iteration, epic) = world.source.edit(|sim| {
        let day = sim.now().date_naive();
        let spec = gitlab_sim::MilestoneSpec {
            title: "Q1, late".into(),
            ..Default::default()
        };
        (
            sim.add_milestone(gitlab_sim::Home::Project(world.from.project), spec),
            sim.add_iteration("shop", None, day, day + chrono::TimeDelta::days(6)),
            sim.add_epic("shop", "Faster checkout"),
        )
    });
    let iid = world.write(IssueSpec {
        labels: vec!["bug".into(), "team::web".into()],
        assignees: vec![alice],
        milestone: Some(milestone),
        iteration: Some(iteration),
        epic: Some(epic),
        weight: Some(3),
        due_date: chrono::NaiveDate::from_ymd_opt(2026, 3, 1),
        issue_type: IssueType::Incident,
        time_estimate: 5_400,
        ..issue(alice, "Cart is lost")
    });
    world.source.edit(|sim| {
        sim.log_time(world.from.project, iid, alice, 95, None)
            .unwrap()
    });
    world.say(iid, note(alice, "First."));
    let thread = world.say(
        iid,
        NoteSpec {
            thread: true,
            ..note(alice, "A question?")
        },
    );
    world.say(
        iid,
        NoteSpec {
            internal: true,
            ..note(alice, "Between us.")
        },
    );
    world.say(
        iid,
        NoteSpec {
            reply_to: Some(thread),
            ..note(alice, "An answer.")
        },
    );

    world.run().await;

    world.all_went_well().await;
    world.assert_mirrored([iid]);
    let copy = world.copy(iid);
    let titles = world.target.world(|sim| sim.label_titles(&copy.issue));
    for title in [
        "MIRRORED",
        "Milestone::Q1  late",
        "Epic::Faster checkout",
        "Assigned::alice-w",
    ] {
        assert!(
            titles.iter().any(|there| there == title),
            "{titles:?} lacks {title}"
        );
    }
    assert!(
        titles
            .iter()
            .any(|title| title.starts_with("Iteration::2026-")),
        "{titles:?}"
    );
    let description = visible_text(&copy.issue.description.unwrap());
    for line in [
        "shop/source#1",
        "Milestone: Q1, late",
        "Assigned to: Alice Writer",
    ] {
        assert!(description.contains(line), "{description}");
    }
    world.assert_no_noise();
}

#[tokio::test]
async fn files_arrive_whole_in_every_form_of_link() {
    let world = World::new().await;
    let (alice, from) = (world.alice, world.from.project);
    let file = |name: &str, seed| {
        let content = Content::Generated { seed, size: 70_000 };
        world
            .source
            .add_upload(from, alice, name, content)
            .unwrap()
            .path()
    };
    let (a, b, c, d, e) = (
        file("a.png", 1),
        file("b c.txt", 2),
        file("c.pdf", 3),
        file("d.mov", 4),
        file("e.zip", 5),
    );
    let b = b.replace(' ', "%20");
    let project = world.from.project;
    let text = format!(
        "![a]({a}){{width=600}}\n\n[b]({b})\n\n<img src=\"{c}\">\n\n\
         [d](https://gitlab.a/shop/source{d})\n\n[e][e]\n\n[e]: /-/project/{project}{e}\n\n![again]({a})"
    );
    let iid = world.write(IssueSpec {
        description: Some(text),
        ..issue(alice, "Files")
    });
    world.say(iid, note(alice, &format!("![a]({a})")));

    world.run().await;

    world.all_went_well().await;
    let (of, to) = world.files();
    assert_eq!((of.len(), &of), (5, &to));
    let uploads = world
        .writes()
        .iter()
        .filter(|write| write.ends_with("/uploads"))
        .count();
    assert_eq!(uploads, 5, "each file once");
    let description = world.copy(iid).issue.description.unwrap();
    let linked = description.matches("/uploads/").count();
    assert_eq!(linked, 6, "{description}");
    assert!(
        !description.contains("gitlab.a/shop/source/uploads"),
        "{description}"
    );
    assert!(description.contains("{width=600}"), "{description}");
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn the_demo_crosses_whole_and_silently() {
    let world = World::with(Stage::demo(), including_closed(), Mode::Sync).await;
    world.run().await;
    world.all_went_well().await;
    let all: Vec<u64> = world.source.world(|sim| {
        sim.issues(world.from.project)
            .map(|issue| issue.iid)
            .collect()
    });
    assert!(all.len() > 30);
    world.assert_mirrored(all);
    world.assert_no_noise();
    assert_eq!(world.notices(), Vec::new());
}

#[tokio::test]
async fn a_second_run_of_the_demo_writes_nothing() {
    let world = World::with(Stage::demo(), including_closed(), Mode::Sync).await;
    world.run().await;
    for pause in [0, 90, 3_600] {
        world.later(pause);
        world.forget_requests();
        world.run().await;
        assert_eq!(world.writes(), Vec::<String>::new(), "{pause} s later");
    }
    world.all_went_well().await;
}

#[tokio::test]
async fn a_wild_project_crosses_and_a_second_run_writes_nothing() {
    for seed in 1..=4 {
        let world = World::with(Stage::new(), including_closed(), Mode::Sync).await;
        gitlab_sim::seed::rich(&world.source, world.from.project, 40, seed).unwrap();
        world.run().await;
        world.all_went_well().await;
        world.assert_mirrored(1..=40);
        world.assert_no_noise();
        world.later(300);
        world.run().await;
        world.forget_requests();
        world.later(300);
        world.run().await;
        assert_eq!(world.writes(), Vec::<String>::new(), "seed {seed}");
    }
}

#[tokio::test]
async fn an_issue_closed_before_it_was_seen_stays_behind_and_a_later_closing_follows() {
    let world = World::new().await;
    let old = world.write(IssueSpec {
        state: IssueState::Closed,
        ..issue(world.alice, "Old")
    });
    let open = world.write(issue(world.alice, "Open"));
    world.run().await;
    assert_eq!(world.copies_of(old).len(), 0);
    world.later(600);
    let close = IssueEdit {
        state: Some(IssueState::Closed),
        ..IssueEdit::default()
    };
    world.edit(open, close);
    world.run().await;
    world.assert_mirrored([open]);
    assert_eq!(world.copy(open).issue.state, IssueState::Closed);
    world.all_went_well().await;
}

#[tokio::test]
async fn edits_of_every_field_follow() {
    let world = World::new().await;
    let iid = world.write(IssueSpec {
        labels: vec!["old".into(), "keep".into()],
        weight: Some(5),
        due_date: chrono::NaiveDate::from_ymd_opt(2026, 3, 1),
        time_estimate: 3_600,
        ..issue(world.alice, "Before")
    });
    let said = world.say(iid, note(world.alice, "Before."));
    world.run().await;
    world.later(600);
    world.edit(
        iid,
        IssueEdit {
            title: Some("After".into()),
            description: Some(Some("Something else.".into())),
            labels: Some(vec!["keep".into(), "new".into()]),
            weight: Some(None),
            due_date: Some(None),
            time_estimate: Some(0),
            issue_type: Some(IssueType::Task),
            state: Some(IssueState::Closed),
            discussion_locked: Some(true),
            ..IssueEdit::default()
        },
    );
    let from = world.from.project;
    world.source.edit(|sim| {
        sim.log_time(from, iid, world.alice, 7_200, None).unwrap();
        sim.edit_note(from, iid, said, world.alice, "After.")
            .unwrap();
    });
    world.run().await;
    world.all_went_well().await;
    world.assert_mirrored([iid]);
    let titles = world.titles(iid);
    assert_eq!(titles, ["MIRRORED", "keep", "new"]);

    world.later(600);
    world
        .source
        .edit(|sim| sim.log_time(from, iid, world.alice, -7_000, None).unwrap());
    world.edit(
        iid,
        IssueEdit {
            state: Some(IssueState::Opened),
            discussion_locked: Some(false),
            ..IssueEdit::default()
        },
    );
    world.say(iid, note(world.alice, "Open to everybody again."));
    world.run().await;
    world.assert_mirrored([iid]);
}

#[tokio::test]
async fn several_jobs_at_a_time_make_no_difference() {
    let world = World::with(Stage::demo(), including_closed(), Mode::Sync).await;
    world.run_wide(8).await;
    world.all_went_well().await;
    world.assert_all_mirrored();
    world.later(300);
    world.run_wide(8).await;
    world.forget_requests();
    world.run_wide(8).await;
    assert_eq!(world.writes(), Vec::<String>::new());
}
