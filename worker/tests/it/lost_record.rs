//! A record that is lost, with or without the key, or put back from a backup, costs no duplicate and
//! no write that was not due (rules 1 to 6, 18, 19).

use crate::support::{Stage, World, issue, note};
use gitlab_sim::{Content, IssueEdit, IssueSpec, NoteSpec};
use mirror_core::{
    ids::{Iid, InstanceName, IssueId, ProjectId},
    outcome::{Outcome, SkipReason},
    provenance::{Hop, Key, Marker},
};
use mirror_store::Store;
use mirror_worker::{Mode, Notice, Settings};
use std::sync::Arc;

impl World {
    /// The path of an upload of the source.
    fn upload(&self, name: &str, seed: u64) -> String {
        let content = Content::Generated { seed, size: 5_000 };
        let (from, by) = (self.from.project, self.alice);
        let upload = self.source.add_upload(from, by, name, content).unwrap();
        upload.path().replace(' ', "%20")
    }

    fn log(&self, iid: u64, seconds: i64) {
        let (from, by) = (self.from.project, self.alice);
        self.source
            .edit(|sim| sim.log_time(from, iid, by, seconds, None))
            .unwrap();
    }

    async fn lose_state_and_key(&mut self) {
        self.lose_state().await;
        self.cx.key = Key::new([8; 32]);
    }

    /// Whatever there is to be lost: four issues, a file in a text and one in a comment, threads,
    /// references, labels, time, what is confidential.
    async fn rich() -> Self {
        let world = Self::new().await;
        let (alice, picture) = (world.alice, world.upload("a b.png", 1));
        world.write(IssueSpec {
            description: Some(format!("![it]({picture}){{width=60%}}, see #2 and #4.")),
            labels: vec!["bug".into(), "p::high".into()],
            weight: Some(3),
            due_date: chrono::NaiveDate::from_ymd_opt(2026, 3, 1),
            time_estimate: 7_200,
            ..issue(alice, "With everything")
        });
        world.log(1, 600);
        world.write(IssueSpec {
            confidential: true,
            labels: vec!["bug".into()],
            ..issue(alice, "Hidden")
        });
        world.write(issue(alice, "Quiet"));
        let trace = world.upload("trace.log", 2);
        world.write(issue(alice, "Talked about, after #1"));
        let first = world.begin_thread(4, &format!("Look at [it]({trace}), as in #1."));
        world.answer(4, first, "Seen.");
        world.resolve(4, first, true);
        world.begin_thread(4, "Open still.");
        world.say(4, note(alice, "By itself."));
        world.say(
            4,
            NoteSpec {
                internal: true,
                ..note(alice, "Among us.")
            },
        );
        world.run().await;
        world.all_went_well().await;
        world.assert_all_mirrored();
        world.later(3_600);
        world
    }
}

/// Requests, the numbers in them taken out, each with how often it was sent.
fn counted(requests: &[String]) -> Vec<(String, usize)> {
    let mut counted = std::collections::BTreeMap::new();
    for request in requests {
        let parts: Vec<&str> = request
            .split('/')
            .skip(1)
            .map(|part| {
                let number = part.bytes().all(|byte| byte.is_ascii_digit());
                let secret = part.len() == 32;
                if number || secret { "…" } else { part }
            })
            .collect();
        let method = request.split(' ').next().unwrap();
        *counted
            .entry(format!("{method} {}", parts.join("/")))
            .or_insert(0) += 1;
    }
    counted.into_iter().collect()
}

/// What finding everything again costs: one listing, and for each issue itself, whose labels are
/// whose, and where there are comments one listing of these; and a look into each file.
const FOUND_AGAIN: [(&str, usize); 6] = [
    ("GET issues", 1),
    ("GET issues/…", 4),
    ("GET issues/…/discussions", 1),
    ("GET issues/…/resource_label_events", 4),
    ("GET uploads/…/a_b.png", 1),
    ("GET uploads/…/trace.log", 1),
];

fn found_again() -> Vec<(String, usize)> {
    FOUND_AGAIN
        .map(|(what, times)| (what.to_owned(), times))
        .into()
}

#[tokio::test]
async fn a_lost_record_costs_one_listing_a_look_at_each_issue_and_no_write() {
    let mut world = World::rich().await;
    world.lose_state().await;
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(counted(&world.target_requests()), found_again());
    world.all_went_well().await;
    world.assert_all_mirrored();
    world.later(600);
    world.forget_requests();
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.target_requests().len(), 1);
}

#[tokio::test]
async fn a_record_lost_with_its_key_costs_no_more() {
    let mut world = World::rich().await;
    world.lose_state_and_key().await;
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(counted(&world.target_requests()), found_again());
    world.all_went_well().await;
    world.assert_all_mirrored();
}

#[tokio::test]
async fn what_a_lost_record_was_told_goes_on_afterwards() {
    let mut world = World::rich().await;
    world.lose_state_and_key().await;
    world.run().await;
    world.log(1, 300);
    world.edit(
        1,
        IssueEdit {
            labels: Some(vec!["p::low".into()]),
            ..Default::default()
        },
    );
    let open = world.source_issue(4).notes[3].id;
    world.resolve(4, open, true);
    world.say(4, note(world.alice, "One more."));
    world.later(600);
    world.run().await;
    world.all_went_well().await;
    world.assert_all_mirrored();
    assert_eq!(world.copy(1).issue.time_spent(), 900);
}

#[tokio::test]
async fn a_wild_project_is_found_again_without_a_write() {
    for seed in 1..4 {
        let settings = Settings {
            include_closed: true,
            ..Settings::default()
        };
        let mut world = World::with(Stage::new(), settings.clone(), Mode::Sync).await;
        gitlab_sim::seed::rich(&world.source, world.from.project, 40, seed).unwrap();
        world.run().await;
        world.later(3_600);
        // Labels that a confidential issue did not bring are there by now.
        let full = Settings {
            full: true,
            ..settings.clone()
        };
        world.restart_with(full, Mode::Sync).await;
        world.run().await;
        world.restart_with(settings, Mode::Sync).await;
        world.lose_state_and_key().await;
        world.plan().await;
        assert_eq!(world.planned(), [], "seed {seed}");
        world.run().await;
        assert_eq!(world.writes(), Vec::<String>::new(), "seed {seed}");
        world.all_went_well().await;
    }
}

#[tokio::test]
async fn time_of_which_nobody_knows_what_was_carried_is_left_alone_and_told() {
    let mut world = World::rich().await;
    world.log(1, 60);
    world.lose_state().await;
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.notices(), [Notice::TimeUnknown]);
    world.all_went_well().await;
}

#[tokio::test]
async fn a_file_exchanged_for_one_of_its_name_is_carried_all_the_same() {
    let mut world = World::rich().await;
    world.lose_state().await;
    let other = world.upload("a b.png", 3);
    world.edit(
        1,
        IssueEdit {
            description: Some(Some(format!("![it]({other})"))),
            ..Default::default()
        },
    );
    world.run().await;
    world.all_went_well().await;
    assert_eq!(world.count("POST", "/uploads"), 1);
    world.assert_all_mirrored();
    let (of, there) = world.files();
    assert_eq!(
        of, there,
        "every file arrived, and none was taken for another"
    );
}

#[tokio::test]
async fn a_plan_finds_everything_again_too() {
    let mut world = World::rich().await;
    world.lose_state_and_key().await;
    world.plan().await;
    assert_eq!(world.planned(), []);
    assert_eq!(world.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_record_put_back_from_a_backup_makes_nothing_twice() {
    let mut world = World::rich().await;
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("backup.sqlite3");
    world.cx.store.copy_to(&backup).await.unwrap();
    world.say(3, note(world.alice, "After the backup."));
    world.say(4, note(world.alice, "After it, too."));
    let thread = world.source_issue(4).notes[0].id;
    world.answer(4, thread, "And an answer.");
    let new = world.write(issue(world.alice, "New"));
    world.run().await;
    world.later(3_600);
    world.cx.store = Store::open(&backup, Arc::new(world.clock.clone()))
        .await
        .unwrap();
    world.restart().await;
    world.run().await;
    assert_eq!(world.writes(), Vec::<String>::new());
    world.all_went_well().await;
    world.assert_all_mirrored();
    assert_eq!(world.copies_of(new).len(), 1);
}

/// Two that share nothing but the two GitLabs: neither record nor key nor user.
async fn a_pair() -> (World, World) {
    let there = World::new().await;
    let mut back = World::with(Stage::reversed(&there), Settings::default(), Mode::Sync).await;
    back.cx.key = Key::new([8; 32]);
    (there, back)
}

#[tokio::test]
async fn two_syncs_in_opposite_directions_that_share_nothing_settle() {
    let (there, back) = a_pair().await;
    let own = there.write(issue(there.alice, "Of the source"));
    let file = there.upload("a.png", 1);
    let thread = there.begin_thread(own, &format!("Hello, ![a]({file})."));
    there.answer(own, thread, "Hello.");
    there.log(own, 600);
    there.write(IssueSpec {
        confidential: true,
        ..issue(there.alice, "Hidden")
    });
    let other = back.write(IssueSpec {
        description: Some("See #1.".into()),
        ..issue(back.alice, "Of the target")
    });
    back.say(other, note(back.alice, "Hello."));
    for _ in 0..2 {
        there.run().await;
        back.run().await;
        for world in [&there, &back] {
            world.later(600);
        }
    }
    for _ in 0..2 {
        for world in [&there, &back] {
            world.forget_requests();
            world.run().await;
            assert_eq!(world.writes(), Vec::<String>::new());
            world.all_went_well().await;
            world.later(600);
        }
    }
    assert_eq!(there.target_count(), 3);
    assert_eq!(back.target_count(), 3);
    there.assert_mirrored([own]);
    back.assert_mirrored([other]);
    let copy = there.copy(own).issue.iid;
    let skipped = Outcome::Skipped(SkipReason::IsACopy);
    assert_eq!(back.outcome(copy), Some(skipped.clone()));
    assert_eq!(there.outcome(back.copy(other).issue.iid), Some(skipped));
}

#[tokio::test]
async fn a_pair_that_loses_its_records_one_after_the_other_settles_again() {
    let (mut there, mut back) = a_pair().await;
    let own = there.write(issue(there.alice, "Of the source"));
    there.say(own, note(there.alice, "Hello."));
    let other = back.write(issue(back.alice, "Of the target"));
    there.run().await;
    back.run().await;
    there.later(600);
    there.lose_state_and_key().await;
    back.lose_state_and_key().await;
    back.cx.key = Key::new([7; 32]);
    for _ in 0..2 {
        for world in [&back, &there] {
            world.run().await;
            assert_eq!(world.writes(), Vec::<String>::new());
            world.all_went_well().await;
            world.later(600);
        }
    }
    there.assert_mirrored([own]);
    back.assert_mirrored([other]);
    assert_eq!((there.target_count(), back.target_count()), (2, 2));
}

#[tokio::test]
async fn a_claim_that_nothing_bears_out_hides_no_issue() {
    let (there, back) = a_pair().await;
    let own = there.write(issue(there.alice, "Of the source"));
    there.run().await;
    let text = there.copy(own).issue.description.unwrap();
    let (line, _) = text.split_once('\n').unwrap();
    let id = there.source_issue(own).id;
    let made_up = line.replace(&format!(";{id};"), &format!(";{};", id + 77));
    assert_ne!(made_up, line);
    let pasted = back.write(IssueSpec {
        description: Some(format!("{made_up}\n\nMine.")),
        ..issue(back.alice, "With a made-up claim")
    });
    back.run().await;
    back.all_went_well().await;
    assert_eq!(back.copies_of(pasted).len(), 1);
    assert_eq!(back.copies().len(), 1, "and no copy of the copy");
}

/// A station on gitlab.c, which no mirror here reaches.
fn elsewhere() -> Hop {
    Hop {
        instance: InstanceName("gitlab.c".into()),
        project: ProjectId(3),
        issue: IssueId(9),
        iid: Iid(4),
        note: None,
    }
}

impl World {
    /// An issue of the source that another deployment copied there, through these stations.
    fn write_copied(&self, path: Vec<Hop>) -> u64 {
        let project = ProjectId(i64::try_from(self.from.project).unwrap());
        let marker = Marker {
            path,
            ..Marker::of(elsewhere(), InstanceName("gitlab.a".into()), project)
        };
        let line = marker.line(&Key::new([5; 32]));
        self.write(IssueSpec {
            description: Some(format!("{line}\n\nText.")),
            ..issue(self.alice, "From elsewhere")
        })
    }
}

#[tokio::test]
async fn a_ring_of_strangers_closes_where_it_began() {
    let world = World::new().await;
    let to = world.to.project;
    let began = world
        .target
        .edit(|sim| sim.create_issue(to, issue(world.tom, "Where it began")))
        .unwrap();
    let original = world.target_issue(began);
    let here = Hop {
        instance: InstanceName("gitlab.b".into()),
        project: ProjectId(i64::try_from(to).unwrap()),
        issue: IssueId(i64::try_from(original.id).unwrap()),
        iid: Iid(i64::try_from(began).unwrap()),
        note: None,
    };
    let back = world.write_copied(vec![here, elsewhere()]);
    let passing = world.write_copied(vec![elsewhere()]);
    world.run().await;
    world.all_went_well().await;
    let skipped = Outcome::Skipped(SkipReason::IsACopy);
    assert_eq!(world.outcome(back), Some(skipped));
    assert_eq!(world.target_count(), 2);
    let copy = world.copy(passing).issue.description.unwrap();
    let way = "path=gitlab.c;3;9;4,gitlab.a;";
    assert!(copy.lines().next().unwrap().contains(way), "{copy}");
}
