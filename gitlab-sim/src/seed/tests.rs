use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::{demo, edit_something, empty_target, plain, rich};
use crate::text::quick_actions::{Generation, any_slash_line, extract};
use crate::text::references::{Live, find};
use crate::{
    AccessLevel, Edition, Issue, IssueState, IssueType, Note, ProjectId, ProjectSpec, Sim,
    SimClock, UserSpec,
};

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 2, 12, 0, 0).unwrap()
}

fn new_sim() -> Sim {
    Sim::builder()
        .edition(Edition::Ultimate)
        .clock(SimClock::manual(noon()))
        .build()
}

fn with_project() -> (Sim, ProjectId) {
    let sim = new_sim();
    let owner = sim.add_user(UserSpec::new("owner", "Owner"));
    let project = sim.add_project(ProjectSpec::new(
        "group/app",
        &[(owner, AccessLevel::Owner)],
    ));
    (sim, project)
}

fn issues(sim: &Sim, project: ProjectId) -> Vec<Issue> {
    sim.world(|world| world.issues(project).cloned().collect())
}

fn comments(issues: &[Issue]) -> Vec<&Note> {
    issues
        .iter()
        .flat_map(|issue| &issue.notes)
        .filter(|note| !note.system)
        .collect()
}

fn texts(issues: &[Issue]) -> Vec<String> {
    let descriptions = issues.iter().filter_map(|issue| issue.description.clone());
    descriptions
        .chain(comments(issues).into_iter().map(|note| note.body.clone()))
        .collect()
}

#[test]
fn the_demo_holds_something_of_everything() {
    let sim = new_sim();
    let seeded = demo(&sim).unwrap();
    let issues = issues(&sim, seeded.project);
    let count = |wanted: fn(&Issue) -> bool| issues.iter().filter(|issue| wanted(issue)).count();
    assert!((38..=45).contains(&issues.len()), "{}", issues.len());
    assert!(count(|issue| issue.state == IssueState::Closed) >= 12);
    assert!(count(|issue| issue.confidential) >= 3);
    assert!(count(|issue| issue.issue_type == IssueType::Incident) >= 1);
    assert!(count(|issue| issue.issue_type == IssueType::Task) >= 3);
    assert!(count(|issue| issue.assignees.len() > 1) >= 4);
    assert!(count(|issue| issue.milestone.is_some() && issue.weight.is_some()) >= 12);
    assert!(
        count(|issue| issue.iteration.is_some()) >= 4 && count(|issue| issue.epic.is_some()) >= 5
    );
    assert!(count(|issue| issue.due_date.is_some()) >= 6);
    assert!(count(|issue| issue.time_estimate > 0 && issue.time_spent() > 0) >= 8);
    assert!(count(|issue| issue.description.is_none()) >= 1);
    assert!(count(|issue| issue.labels.is_empty()) >= 2);
    let comments = comments(&issues);
    assert!(comments.len() >= 70, "{}", comments.len());
    assert!(comments.iter().filter(|note| note.internal).count() >= 4);
    assert!(comments.iter().filter(|note| note.threaded).count() >= 20);
    assert!(
        comments
            .iter()
            .filter(|note| note.resolved.is_some())
            .count()
            >= 5
    );
    assert!(
        comments
            .iter()
            .any(|note| note.updated_at > note.created_at)
    );
}

#[test]
fn the_demo_links_files_in_every_form() {
    let sim = new_sim();
    let seeded = demo(&sim).unwrap();
    let texts = texts(&issues(&sim, seeded.project)).concat();
    let base = sim.world(|world| world.base_url().to_owned());
    let project = seeded.project;
    for form in [
        "](/uploads/".to_owned(),
        "src=\"/uploads/".to_owned(),
        format!("](/-/project/{project}/uploads/"),
        "](/shop/checkout/uploads/".to_owned(),
        format!("]({base}/shop/checkout/uploads/"),
        format!("]({base}/-/project/{project}/uploads/"),
    ] {
        assert!(texts.contains(&form), "{form}");
    }
    assert!(!texts.contains("upload:") && !texts.contains("//uploads"));
    let uploads = sim.world(|world| world.project(project).unwrap().uploads.clone());
    assert!(uploads.len() >= 18);
    assert!(uploads.iter().all(|upload| texts.contains(&upload.secret)));
}

#[test]
fn what_the_demo_refers_to_exists() {
    let sim = new_sim();
    let seeded = demo(&sim).unwrap();
    let issues = issues(&sim, seeded.project);
    let live: Vec<Live> = texts(&issues).iter().flat_map(|text| find(text)).collect();
    for one in &live {
        if let Live::Issue { project: None, iid } = one {
            assert!(issues.iter().any(|issue| issue.iid == *iid), "#{iid}");
        }
    }
    assert!(
        live.contains(&Live::User("all".to_owned()))
            && live.contains(&Live::Label("good first issue".to_owned()))
    );
    assert!(live.iter().any(|one| matches!(
        one,
        Live::Issue {
            project: Some(_),
            ..
        }
    )));
    assert!(live.iter().any(|one| matches!(one, Live::Commit(_))));
    let slashes = texts(&issues)
        .iter()
        .filter(|text| any_slash_line(text))
        .count();
    assert!(slashes >= 4, "{slashes}");
    assert!(
        issues
            .iter()
            .any(|issue| issue.notes.iter().any(|note| note.mentioned_by.is_some()))
    );
}

#[test]
fn the_demo_lies_in_the_past_and_repeats_itself() {
    let tell = || {
        let sim = new_sim();
        let seeded = demo(&sim).unwrap();
        let issues = issues(&sim, seeded.project);
        for issue in &issues {
            assert!(issue.created_at <= issue.updated_at && issue.updated_at <= noon());
            let moments: Vec<_> = issue.notes.iter().map(|note| note.created_at).collect();
            assert!(moments.is_sorted(), "{}", issue.title);
        }
        let first = issues.iter().map(|issue| issue.created_at).min().unwrap();
        assert!(noon() - first > TimeDelta::days(120));
        (format!("{issues:?}"), seeded)
    };
    assert_eq!(tell(), tell());
}

#[test]
fn no_line_of_the_demo_outlived_its_own_instance_by_mistake() {
    let sim = new_sim();
    let seeded = demo(&sim).unwrap();
    // What the demo's GitLab of today would have executed cannot stand in its texts, but for the
    // two left by an older instance that did not know the words.
    let executed: Vec<String> = texts(&issues(&sim, seeded.project))
        .iter()
        .flat_map(|text| extract(text, Generation::Current).commands)
        .map(|command| command.name)
        .collect();
    assert_eq!(executed, ["label", "weight"], "{executed:?}");
}

#[test]
fn every_edit_changes_something_and_says_what() {
    let sim = new_sim();
    let seeded = demo(&sim).unwrap();
    let mut lines = HashSet::new();
    for step in 0..300 {
        sim.clock().advance(std::time::Duration::from_secs(90));
        let before = sim.world(|world| world.changes().len());
        let line = edit_something(&sim, seeded.project, 7, step).unwrap();
        assert!(sim.world(|world| world.changes().len()) > before, "{line}");
        assert!(line.contains('#') && !line.contains('\n'), "{line}");
        lines.insert(line.split(" #").next().unwrap_or_default().to_owned());
    }
    for kind in [
        "commented on",
        "answered on",
        "logged",
        "put the label",
        "ticked",
        "closed",
        "reopened",
        "wrote",
    ] {
        assert!(lines.iter().any(|line| line.contains(kind)), "{kind}");
    }
    assert!(edit_something(&sim, 999, 7, 0).is_err());
}

#[test]
fn plain_issues_cost_nothing_but_themselves() {
    let (sim, project) = with_project();
    plain(&sim, project, 20, 3).unwrap();
    let issues = issues(&sim, project);
    assert_eq!(issues.len(), 20);
    let times: HashSet<_> = issues.iter().map(|issue| issue.updated_at).collect();
    assert_eq!(times.len(), 20);
    for issue in &issues {
        assert_eq!((issue.notes.len(), issue.labels.len()), (3, 0));
        assert_eq!(issue.updated_at, issue.notes[2].created_at);
        assert!(noon() - issue.updated_at >= TimeDelta::minutes(60));
    }
    for text in texts(&issues) {
        assert!(find(&text).is_empty() && !any_slash_line(&text), "{text}");
    }
    assert!(sim.world(|world| world.notifications().is_empty()));
}

#[test]
fn rich_worlds_are_wild_and_repeat_themselves() {
    let tell = |seed| {
        let (sim, project) = with_project();
        rich(&sim, project, 60, seed).unwrap();
        issues(&sim, project)
    };
    let issues = tell(5);
    assert_eq!(issues.len(), 60);
    assert_eq!(format!("{issues:?}"), format!("{:?}", tell(5)));
    assert_ne!(format!("{issues:?}"), format!("{:?}", tell(6)));
    let all = texts(&issues);
    for generation in [Generation::Current, Generation::Legacy] {
        assert!(
            all.iter()
                .any(|text| !extract(text, generation).commands.is_empty())
        );
    }
    assert!(
        all.iter()
            .any(|text| find(text).contains(&Live::User("alice".to_owned())))
    );
    assert!(all.iter().any(|text| text.contains("/uploads/")));
    assert!(!all.iter().any(|text| text.contains("{upload}")));
    assert!(
        issues
            .iter()
            .all(|issue| !issue.title.trim().is_empty() && issue.title.chars().count() <= 255)
    );
    assert!(
        comments(&issues)
            .iter()
            .all(|note| !note.body.trim().is_empty())
    );
    assert!(issues.iter().all(|issue| issue.updated_at <= noon()));
}

#[test]
fn a_target_is_empty_and_owned_by_its_bot() {
    let sim = new_sim();
    let target = empty_target(&sim, "mirrors/checkout");
    let role =
        sim.world(|world| world.project(target.project).unwrap().members[&target.token_user]);
    assert_eq!(role, AccessLevel::Owner);
    assert!(issues(&sim, target.project).is_empty());
}
