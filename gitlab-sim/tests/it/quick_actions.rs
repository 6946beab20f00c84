use gitlab_sim::text::quick_actions::Generation;
use gitlab_sim::{Edition, Sim};
use serde_json::json;

use crate::site::Site;

const ISSUE: &str = "/projects/1/issues/1";
const NOTES: &str = "/projects/1/issues/1/notes";

fn executed(site: &Site) -> Vec<String> {
    site.sim.world(|world| {
        world
            .executed_commands()
            .iter()
            .map(|one| one.name.clone())
            .collect()
    })
}

#[tokio::test]
async fn commands_in_a_description_run_and_leave_the_text() {
    let site = Site::new();
    site.sim.edit(|world| {
        let spec = gitlab_sim::LabelSpec::new("bug", "#ff0000");
        world
            .add_label(gitlab_sim::Home::Project(1), 1, spec)
            .expect("a label");
    });
    let text = "Before\n\n/label ~bug\n/weight 3\n/estimate 2h\n/spend 30m\n/due 2026-07-01\n/assign @gina\n/close\n\nAfter";
    let made = site
        .post(
            "owner",
            "/projects/1/issues",
            json!({ "title": "x", "description": text }),
        )
        .await
        .json();
    let stored = made["description"].as_str().expect("text");
    assert!(!stored.contains('/'), "{stored}");
    assert!(stored.starts_with("Before") && stored.ends_with("After"));
    assert_eq!(made["labels"], json!(["bug"]));
    assert_eq!(made["weight"], 3);
    assert_eq!(made["time_stats"]["time_estimate"], 7_200);
    assert_eq!(made["time_stats"]["total_time_spent"], 1_800);
    assert_eq!(made["due_date"], "2026-07-01");
    assert_eq!(made["assignees"][0]["username"], "gina");
    assert_eq!(made["state"], "closed");
    assert_eq!(
        executed(&site),
        [
            "label", "weight", "estimate", "spend", "due", "assign", "close"
        ]
    );
}

#[tokio::test]
async fn a_note_made_only_of_commands_is_202_without_a_note() {
    let site = Site::new();
    site.issue("x");
    let made = site.post("owner", NOTES, json!({ "body": "/close" })).await;
    assert_eq!(made.status, 202);
    assert_eq!(
        made.json()["commands_changes"],
        json!({ "state_event": "close" })
    );
    assert!(made.json()["summary"].is_array());
    assert!(made.json().get("id").is_none());
    let row = site.get("owner", ISSUE).await.json();
    assert_eq!(
        (row["state"].as_str(), row["user_notes_count"].as_u64()),
        (Some("closed"), Some(0))
    );
}

#[tokio::test]
async fn a_note_with_text_and_commands_keeps_the_text_and_tells_the_changes() {
    let site = Site::new();
    site.issue("x");
    let made = site
        .post("owner", NOTES, json!({ "body": "Done.\n\n/close" }))
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["body"], "Done.");
    assert_eq!(
        made.json()["commands_changes"],
        json!({ "state_event": "close" })
    );
}

#[tokio::test]
async fn an_edit_to_only_commands_deletes_the_note() {
    let site = Site::new();
    site.issue("x");
    let id = site
        .post("owner", NOTES, json!({ "body": "text" }))
        .await
        .json()["id"]
        .as_u64()
        .expect("an id");
    let changed = site
        .put(
            "owner",
            &format!("{NOTES}/{id}"),
            json!({ "body": "/title taken" }),
        )
        .await;
    assert_eq!(changed.status, 200);
    assert_eq!(
        changed.json()["commands_changes"],
        json!({ "title": "taken" })
    );
    assert_eq!(
        site.get("owner", &format!("{NOTES}/{id}")).await.status,
        404
    );
    assert_eq!(site.get("owner", ISSUE).await.json()["title"], "taken");
}

#[tokio::test]
async fn commands_that_the_stored_description_has_already_do_not_run_again() {
    let site = Site::new();
    site.issue("x");
    site.sim.edit(|world| {
        world.issue_mut(1, 1).expect("an issue").description = Some("a\n\n/close".into())
    });
    let changed = site
        .put("owner", ISSUE, json!({ "description": "b\n\n/close" }))
        .await
        .json();
    assert_eq!(changed["state"], "opened");
    assert_eq!(executed(&site), [""; 0]);
    let changed = site
        .put("owner", ISSUE, json!({ "description": "b\n\n/close" }))
        .await
        .json();
    assert_eq!(changed["state"], "closed", "now it is new");
}

#[tokio::test]
async fn escaped_indented_and_fenced_lines_are_text_in_both_generations() {
    for generation in [Generation::Current, Generation::Legacy] {
        let site = Site::with(Sim::builder().quick_actions(generation));
        let text = "\\/close\n\n /close\n\n> /close\n\n```\n/close\n```\n\n`/close`";
        let body = json!({ "title": "x", "description": text });
        let made = site.post("owner", "/projects/1/issues", body).await.json();
        assert_eq!(made["description"], text);
        assert_eq!(made["state"], "opened");
        assert_eq!(executed(&site), [""; 0]);
    }
}

#[tokio::test]
async fn the_older_generation_executes_inside_other_fences() {
    let text = "text\n~~~\n/close\n~~~";
    for (generation, state) in [
        (Generation::Current, "opened"),
        (Generation::Legacy, "closed"),
    ] {
        let site = Site::with(Sim::builder().quick_actions(generation));
        let body = json!({ "title": "x", "description": text });
        let made = site.post("owner", "/projects/1/issues", body).await.json();
        assert_eq!(made["state"], state);
    }
}

#[tokio::test]
async fn what_ce_stores_as_text_an_enterprise_target_executes() {
    let body = json!({ "title": "x", "description": "text\n\n/weight 5\n/close" });
    let ce = Site::with(Sim::builder().edition(Edition::Ce));
    let made = ce
        .post("owner", "/projects/1/issues", body.clone())
        .await
        .json();
    assert_eq!(made["description"], "text\n\n/weight 5");
    assert_eq!(executed(&ce), ["close"]);
    let premium = Site::new();
    let made = premium
        .post("owner", "/projects/1/issues", body)
        .await
        .json();
    assert_eq!(made["weight"], 5);
}

#[tokio::test]
async fn substitutions_run_too() {
    let site = Site::new();
    site.issue("x");
    let made = site
        .post("owner", NOTES, json!({ "body": "well\n\n/shrug" }))
        .await;
    assert_eq!(made.status, 201);
    let body = made.json()["body"].as_str().expect("text").to_owned();
    assert!(body.contains("¯") && !body.contains("/shrug"), "{body}");
    assert_eq!(executed(&site), ["shrug"]);
}

#[tokio::test]
async fn commands_have_the_senders_rights() {
    let site = Site::new();
    site.issue("x");
    let made = site
        .post("guest", NOTES, json!({ "body": "/confidential\n/close" }))
        .await;
    assert_eq!(made.status, 202);
    let row = site.get("owner", ISSUE).await.json();
    assert_eq!(
        (row["confidential"].as_bool(), row["state"].as_str()),
        (Some(false), Some("opened"))
    );
}

#[tokio::test]
async fn edits_by_other_users_store_their_text_as_it_is() {
    let site = Site::new();
    site.sim.edit(|world| {
        let spec = gitlab_sim::IssueSpec {
            author: 1,
            title: "x".into(),
            description: Some("/weight 5".into()),
            ..Default::default()
        };
        world.create_issue(1, spec).expect("an issue")
    });
    assert_eq!(
        site.get("owner", ISSUE).await.json()["description"],
        "/weight 5"
    );
}
