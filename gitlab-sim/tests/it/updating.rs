use gitlab_sim::{Edition, Sim};
use serde_json::json;

use crate::site::Site;

fn system_notes(site: &Site, iid: u64) -> Vec<String> {
    site.sim.world(|world| {
        let notes = &world.issue(1, iid).expect("an issue").notes;
        notes
            .iter()
            .filter(|note| note.system)
            .map(|note| note.body.clone())
            .collect()
    })
}

#[tokio::test]
async fn at_least_one_recognised_attribute_is_required() {
    let site = Site::new();
    site.issue("x");
    let refused = site
        .put(
            "owner",
            "/projects/1/issues/1",
            json!({ "updated_at": "2020-01-01T00:00:00Z" }),
        )
        .await;
    assert_eq!(refused.status, 400);
    let text = refused.json()["error"]
        .as_str()
        .expect("an error")
        .to_owned();
    assert!(
        text.ends_with("are missing, at least one parameter must be provided"),
        "{text}"
    );
    assert!(text.contains("weight"), "known to the enterprise code base");
}

#[tokio::test]
async fn only_weight_is_nothing_at_all_on_ce() {
    let ce = Site::with(Sim::builder().edition(Edition::Ce));
    ce.issue("x");
    let refused = ce
        .put("owner", "/projects/1/issues/1", json!({ "weight": 5 }))
        .await;
    assert_eq!(refused.status, 400);
    assert!(
        !refused.json()["error"]
            .as_str()
            .expect("an error")
            .contains("weight")
    );
    let premium = Site::new();
    premium.issue("x");
    let changed = premium
        .put("owner", "/projects/1/issues/1", json!({ "weight": 5 }))
        .await;
    assert_eq!(changed.json()["weight"], 5);
    let cleared = premium
        .put("owner", "/projects/1/issues/1", json!({ "weight": null }))
        .await;
    assert_eq!(cleared.json()["weight"], serde_json::Value::Null);
}

#[tokio::test]
async fn an_owners_updated_at_is_the_time_of_closing_and_of_the_system_note() {
    let site = Site::new();
    site.issue("x");
    let body = json!({ "state_event": "close", "updated_at": "2024-06-01T10:00:00Z" });
    let changed = site
        .put("owner", "/projects/1/issues/1", body.clone())
        .await
        .json();
    assert_eq!(changed["closed_at"], "2024-06-01T10:00:00.000Z");
    assert_eq!(changed["updated_at"], "2024-06-01T10:00:00.000Z");
    assert_eq!(changed["closed_by"]["username"], "olga");
    let notes = site.get("owner", "/projects/1/issues/1/notes").await.json();
    assert_eq!(notes[0]["created_at"], "2024-06-01T10:00:00.000Z");

    site.issue("y");
    let changed = site
        .put("planner", "/projects/1/issues/2", body)
        .await
        .json();
    assert_eq!(
        changed["closed_at"], "2026-03-01T12:00:00.000Z",
        "ignored for others"
    );
}

#[tokio::test]
async fn changes_leave_system_notes_except_labels_and_weight() {
    let site = Site::new();
    site.issue("old");
    for body in [
        json!({ "title": "new" }),
        json!({ "description": "text" }),
        json!({ "confidential": true }),
        json!({ "state_event": "close" }),
        json!({ "state_event": "reopen" }),
        json!({ "due_date": "2026-05-04" }),
        json!({ "labels": "bug" }),
        json!({ "weight": 2 }),
    ] {
        assert_eq!(
            site.put("owner", "/projects/1/issues/1", body).await.status,
            200
        );
    }
    assert_eq!(
        system_notes(&site, 1),
        [
            "changed title from **{-old-}** to **{+new+}**",
            "changed the description",
            "made the issue confidential",
            "closed",
            "reopened",
            "changed due date to May 4, 2026",
        ]
    );
    let row = site.get("owner", "/projects/1/issues/1").await.json();
    assert_eq!(row["user_notes_count"], 0, "system notes are not counted");
    let events = site
        .get("owner", "/projects/1/issues/1/resource_label_events")
        .await
        .json();
    assert_eq!(
        (
            events[0]["action"].as_str(),
            events[0]["label"]["name"].as_str()
        ),
        (Some("add"), Some("bug"))
    );
    let events = site
        .get("owner", "/projects/1/issues/1/resource_state_events")
        .await
        .json();
    assert_eq!(events[0]["state"], "closed");
    assert_eq!(events[1]["state"], "reopened");
}

#[tokio::test]
async fn clearing_takes_null_or_blank() {
    let site = Site::new();
    let body = json!({ "title": "x", "due_date": "2026-05-04", "labels": ["a", "b"], "assignee_ids": [1] });
    site.post("owner", "/projects/1/issues", body).await;
    let body = json!({ "due_date": "", "labels": "", "assignee_ids": [], "description": "" });
    let changed = site.put("owner", "/projects/1/issues/1", body).await.json();
    assert_eq!(changed["due_date"], serde_json::Value::Null);
    assert_eq!(changed["labels"], json!([]));
    assert_eq!(changed["assignees"], json!([]));
    assert_eq!(changed["description"], "");
}

#[tokio::test]
async fn add_and_remove_labels_leave_the_others() {
    let site = Site::new();
    site.post(
        "owner",
        "/projects/1/issues",
        json!({ "title": "x", "labels": "a,b" }),
    )
    .await;
    let body = json!({ "add_labels": "c", "remove_labels": "a" });
    let changed = site.put("owner", "/projects/1/issues/1", body).await.json();
    assert_eq!(changed["labels"], json!(["b", "c"]));
}

#[tokio::test]
async fn a_strangers_or_guests_change_of_a_foreign_issue_is_403() {
    let site = Site::new();
    site.issue("x");
    let refused = site
        .put("guest", "/projects/1/issues/1", json!({ "title": "y" }))
        .await;
    assert_eq!(
        (refused.status, refused.json()),
        (403, json!({ "message": "403 Forbidden" }))
    );
    assert_eq!(
        site.put("stranger", "/projects/1/issues/1", json!({ "title": "y" }))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn deleting_needs_an_owner_and_honours_if_unmodified_since() {
    let site = Site::new();
    site.issue("x");
    assert_eq!(
        site.delete("planner", "/projects/1/issues/1").await.status,
        403
    );
    let stale = |date: &str| {
        let mut request = Site::request("DELETE", "owner", "/projects/1/issues/1", None);
        request
            .headers_mut()
            .insert("if-unmodified-since", date.parse().expect("a date"));
        request
    };
    let refused = site.send(stale("Sun, 01 Mar 2026 11:00:00 GMT")).await;
    assert_eq!(refused.status, 412);
    assert_eq!(
        site.send(stale("Sun, 01 Mar 2026 12:00:00 GMT"))
            .await
            .status,
        204
    );
    assert_eq!(site.get("owner", "/projects/1/issues/1").await.status, 404);
    let next = site
        .post("owner", "/projects/1/issues", json!({ "title": "y" }))
        .await
        .json();
    assert_eq!(next["iid"], 2, "an iid is not used again");
}

#[tokio::test]
async fn form_encoding_says_the_same_as_json() {
    let site = Site::new();
    site.issue("x");
    let request = http::Request::builder()
        .method("PUT")
        .uri("/api/v4/projects/team%2Fproject/issues/1")
        .header("Authorization", "Bearer owner")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(axum::body::Body::from(
            "title=a+b%21&assignee_ids[]=1&assignee_ids[]=3",
        ))
        .expect("a request");
    let changed = site.send(request).await.json();
    assert_eq!(changed["title"], "a b!");
    assert_eq!(changed["assignees"].as_array().map(Vec::len), Some(2));
}
