use gitlab_sim::Sim;
use serde_json::json;

use crate::site::Site;

const DISCUSSIONS: &str = "/projects/1/issues/1/discussions";
const NOTES: &str = "/projects/1/issues/1/notes";

#[tokio::test]
async fn a_thread_has_a_long_hexadecimal_id_and_takes_replies() {
    let site = Site::new();
    site.issue("x");
    let started = site
        .post("owner", DISCUSSIONS, json!({ "body": "first" }))
        .await;
    assert_eq!(started.status, 201);
    let thread = started.json();
    let id = thread["id"].as_str().expect("an id").to_owned();
    assert_eq!(id.len(), 40);
    assert!(id.chars().all(|digit| digit.is_ascii_hexdigit()));
    assert_eq!(thread["individual_note"], false);
    assert_eq!(thread["notes"][0]["type"], "DiscussionNote");
    let reply = site
        .post(
            "guest",
            &format!("{DISCUSSIONS}/{id}/notes"),
            json!({ "body": "second" }),
        )
        .await;
    assert_eq!(
        (reply.status, reply.json()["body"].as_str()),
        (201, Some("second"))
    );
    let listed = site.get("owner", DISCUSSIONS).await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["notes"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn replying_to_a_comment_on_its_own_makes_it_a_thread() {
    let site = Site::new();
    site.issue("x");
    site.post("owner", NOTES, json!({ "body": "alone" })).await;
    let before = site.get("owner", DISCUSSIONS).await.json();
    assert_eq!(before[0]["individual_note"], true);
    let id = before[0]["id"].as_str().expect("an id");
    site.post(
        "owner",
        &format!("{DISCUSSIONS}/{id}/notes"),
        json!({ "body": "no more" }),
    )
    .await;
    let after = site
        .get("owner", &format!("{DISCUSSIONS}/{id}"))
        .await
        .json();
    assert_eq!(after["individual_note"], false);
    assert_eq!(after["notes"][0]["type"], "DiscussionNote");
}

#[tokio::test]
async fn replies_share_the_internal_flag_of_their_thread() {
    let site = Site::new();
    site.issue("x");
    // Starting a thread knows no such parameter; an internal note is the beginning of one.
    let body = json!({ "body": "inside", "internal": true });
    let public = site.post("planner", DISCUSSIONS, body.clone()).await.json();
    assert_eq!(public["notes"][0]["internal"], false);
    site.delete("owner", &format!("{NOTES}/{}", public["notes"][0]["id"]))
        .await;
    site.post("planner", NOTES, body).await;
    let listed = site.get("planner", DISCUSSIONS).await.json();
    let id = listed[0]["id"].as_str().expect("an id").to_owned();
    let path = format!("{DISCUSSIONS}/{id}/notes");
    let reply = site
        .post("planner", &path, json!({ "body": "also" }))
        .await
        .json();
    assert_eq!(reply["internal"], true);
    let refused = site
        .post(
            "planner",
            &path,
            json!({ "body": "out", "internal": false }),
        )
        .await;
    assert_eq!(refused.status, 400);
    assert_eq!(site.get("guest", DISCUSSIONS).await.text, "[]");
}

#[tokio::test]
async fn system_notes_are_discussions_of_their_own_that_take_no_reply() {
    let site = Site::new();
    site.issue("x");
    site.put("owner", "/projects/1/issues/1", json!({ "title": "y" }))
        .await;
    let listed = site.get("owner", DISCUSSIONS).await.json();
    assert_eq!(listed[0]["individual_note"], true);
    assert_eq!(listed[0]["notes"][0]["system"], true);
    let id = listed[0]["id"].as_str().expect("an id");
    let refused = site
        .post(
            "owner",
            &format!("{DISCUSSIONS}/{id}/notes"),
            json!({ "body": "?" }),
        )
        .await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn threads_are_resolved_and_opened_again() {
    let site = Site::new();
    site.issue("x");
    let thread = site
        .post("owner", DISCUSSIONS, json!({ "body": "to settle" }))
        .await
        .json();
    let id = thread["id"].as_str().expect("an id").to_owned();
    let note = thread["notes"][0]["id"].as_u64().expect("an id");
    assert_eq!(thread["notes"][0]["resolved"], false);
    let path = format!("{DISCUSSIONS}/{id}");
    let settled = site
        .put("planner", &path, json!({ "resolved": true }))
        .await
        .json();
    assert_eq!(settled["notes"][0]["resolved"], true);
    assert_eq!(settled["notes"][0]["resolved_by"]["username"], "paul");
    let note_path = format!("{path}/notes/{note}");
    let both = site
        .put(
            "owner",
            &note_path,
            json!({ "resolved": false, "body": "x" }),
        )
        .await;
    assert_eq!(both.status, 400, "exactly one of body and resolved");
    let opened = site
        .put("owner", &note_path, json!({ "resolved": false }))
        .await
        .json();
    assert_eq!(opened["resolved"], false);
    let edited = site
        .put("owner", &note_path, json!({ "body": "changed" }))
        .await
        .json();
    assert_eq!(edited["body"], "changed");
}

#[tokio::test]
async fn resolving_a_thread_moves_nothing_of_the_issue() {
    let site = Site::new();
    site.issue("x");
    let thread = site
        .post("owner", DISCUSSIONS, json!({ "body": "to settle" }))
        .await
        .json();
    site.clock.advance(std::time::Duration::from_secs(600));
    let before = site.get("owner", "/projects/1/issues/1").await.json();
    let path = format!("{DISCUSSIONS}/{}", thread["id"].as_str().expect("an id"));
    let settled = site
        .put("owner", &path, json!({ "resolved": true }))
        .await
        .json();
    assert_eq!(
        settled["notes"][0]["updated_at"],
        thread["notes"][0]["updated_at"]
    );
    let after = site.get("owner", "/projects/1/issues/1").await.json();
    assert_eq!(after["updated_at"], before["updated_at"]);
}

#[tokio::test]
async fn what_is_no_thread_cannot_be_resolved() {
    let site = Site::new();
    site.issue("x");
    let alone = site
        .post("owner", NOTES, json!({ "body": "alone" }))
        .await
        .json();
    assert_eq!(alone["resolvable"], false);
    assert!(alone.get("resolved").is_none());
    let listed = site.get("owner", DISCUSSIONS).await.json();
    let path = format!("{DISCUSSIONS}/{}", listed[0]["id"].as_str().expect("an id"));
    let resolved = json!({ "resolved": true });
    let refused = site.put("owner", &path, resolved.clone()).await;
    assert_eq!(refused.status, 403);
    let path = format!("{path}/notes/{}", alone["id"]);
    assert_eq!(site.put("owner", &path, resolved).await.status, 400);
}

#[tokio::test]
async fn a_reply_in_a_resolved_thread_is_not_resolved() {
    let site = Site::new();
    site.issue("x");
    let thread = site
        .post("owner", DISCUSSIONS, json!({ "body": "to settle" }))
        .await
        .json();
    let path = format!("{DISCUSSIONS}/{}", thread["id"].as_str().expect("an id"));
    site.put("owner", &path, json!({ "resolved": true })).await;
    site.post(
        "owner",
        &format!("{path}/notes"),
        json!({ "body": "not yet" }),
    )
    .await;
    let shown = site.get("owner", &path).await.json();
    assert_eq!(shown["notes"][0]["resolved"], true);
    assert_eq!(shown["notes"][1]["resolved"], false);
}

#[tokio::test]
async fn older_versions_do_not_resolve_threads_of_issues() {
    let site = Site::with(Sim::builder().without_resolvable_threads());
    site.issue("x");
    let thread = site
        .post("owner", DISCUSSIONS, json!({ "body": "open for ever" }))
        .await
        .json();
    assert_eq!(thread["notes"][0]["resolvable"], false);
    let path = format!("{DISCUSSIONS}/{}", thread["id"].as_str().expect("an id"));
    let refused = site.put("owner", &path, json!({ "resolved": true })).await;
    assert_eq!(refused.status, 404);
}

#[tokio::test]
async fn an_unknown_discussion_is_404() {
    let site = Site::new();
    site.issue("x");
    let missing = site
        .get("owner", &format!("{DISCUSSIONS}/{}", "0".repeat(40)))
        .await;
    assert_eq!(
        (missing.status, missing.json()),
        (404, json!({ "message": "404 Discussion Not Found" }))
    );
}
