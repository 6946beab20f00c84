use gitlab_sim::{AccessLevel, ProjectSpec, Sim, Via};
use serde_json::json;

use crate::site::Site;

fn mentioned(site: &Site) -> Vec<(String, Vec<u64>)> {
    site.sim.world(|world| {
        world
            .notifications()
            .iter()
            .map(|one| (one.mentioned.clone(), one.recipients.clone()))
            .collect()
    })
}

fn cross_references(site: &Site, project: u64, iid: u64) -> Vec<String> {
    site.sim.world(|world| {
        let issue = world.issue(project, iid).expect("an issue");
        let notes = issue
            .notes
            .iter()
            .filter(|note| note.mentioned_by.is_some());
        notes.map(|note| note.body.clone()).collect()
    })
}

#[tokio::test]
async fn mentions_in_titles_descriptions_and_notes_notify() {
    let site = Site::new();
    let body =
        json!({ "title": "for @paul", "description": "and @gina, @team, not mail@example.com" });
    site.post("owner", "/projects/1/issues", body).await;
    site.post(
        "owner",
        "/projects/1/issues/1/notes",
        json!({ "body": "@all and \\@sam and `@sam`" }),
    )
    .await;
    let everybody = vec![site.owner, site.planner, site.guest];
    assert_eq!(
        mentioned(&site),
        [
            ("paul".to_owned(), vec![site.planner]),
            ("gina".to_owned(), vec![site.guest]),
            ("team".to_owned(), everybody.clone()),
            ("all".to_owned(), everybody),
        ]
    );
    site.sim.world(|world| {
        let last = world.notifications().last().expect("one");
        assert!(last.note.is_some());
        assert_eq!((last.by, last.via), (site.owner, Via::Api));
    });
}

#[tokio::test]
async fn a_reference_writes_one_note_per_pair_on_the_referenced_issue() {
    let site = Site::new();
    site.issue("referenced");
    site.issue("referring");
    for body in ["see #1", "again #1 and team/project#1"] {
        site.post(
            "owner",
            "/projects/1/issues/2/notes",
            json!({ "body": body }),
        )
        .await;
    }
    assert_eq!(cross_references(&site, 1, 1), ["mentioned in issue #2"]);
    site.post(
        "owner",
        "/projects/1/issues/2/notes",
        json!({ "body": "\\#1 `#1` and itself #2" }),
    )
    .await;
    assert_eq!(cross_references(&site, 1, 2), [""; 0]);
}

#[tokio::test]
async fn a_full_address_on_the_same_instance_counts_and_bumps_the_other_issue() {
    let site = Site::with(Sim::builder().external_url("https://gitlab.a.example"));
    site.issue("source");
    let members = [(site.owner, AccessLevel::Owner)];
    site.sim
        .add_project(ProjectSpec::new("mirror/project", &members));
    site.advance(3_600);
    let text = "from https://gitlab.a.example/team/project/-/issues/1 and https://other.example/team/project/-/issues/1";
    site.post(
        "owner",
        "/projects/2/issues",
        json!({ "title": "copy", "description": text }),
    )
    .await;
    assert_eq!(
        cross_references(&site, 1, 1),
        ["mentioned in issue mirror/project#1"]
    );
    assert_eq!(
        site.updated_at(1),
        site.clock.now(),
        "one self-triggered sync"
    );
}

#[tokio::test]
async fn what_the_writer_cannot_read_is_not_referenced() {
    let site = Site::new();
    site.sim.add_project(ProjectSpec::new(
        "secret/project",
        &[(site.owner, AccessLevel::Owner)],
    ));
    site.post("owner", "/projects/2/issues", json!({ "title": "hidden" }))
        .await;
    site.post(
        "guest",
        "/projects/1/issues",
        json!({ "title": "secret/project#1" }),
    )
    .await;
    assert_eq!(cross_references(&site, 2, 1), [""; 0]);
}

#[tokio::test]
async fn a_reference_from_a_hidden_issue_is_hidden_and_makes_the_page_short() {
    let site = Site::new();
    site.issue("referenced");
    let body = json!({ "title": "see #1", "confidential": true });
    site.post("owner", "/projects/1/issues", body).await;
    let path = "/projects/1/issues/1/notes";
    let planner = site.get("planner", path).await;
    assert_eq!(planner.json()[0]["body"], "mentioned in issue #2");
    let guest = site.get("guest", path).await;
    assert_eq!(
        (guest.text.as_str(), guest.header("x-total")),
        ("[]", Some("1"))
    );
}
