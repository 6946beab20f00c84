use gitlab_sim::NoteSpec;
use serde_json::{Value, json};

use crate::site::Site;

const NOTES: &str = "/projects/1/issues/1/notes";

#[tokio::test]
async fn a_list_needs_a_token_and_is_newest_first_by_default() {
    let site = Site::new();
    site.issue("x");
    site.sim.edit(|world| {
        world.project_mut(1).expect("a project").visibility = gitlab_sim::Visibility::Public;
    });
    let anonymous = site.get("", NOTES).await;
    assert_eq!(
        (anonymous.status, anonymous.json()),
        (401, json!({ "message": "401 Unauthorized" }))
    );
    for body in ["one", "two", "three"] {
        assert_eq!(
            site.post("owner", NOTES, json!({ "body": body }))
                .await
                .status,
            201
        );
    }
    let bodies = |rows: Value| -> Vec<String> {
        rows.as_array()
            .expect("a list")
            .iter()
            .map(|row| row["body"].as_str().expect("text").to_owned())
            .collect()
    };
    assert_eq!(
        bodies(site.get("owner", NOTES).await.json()),
        ["three", "two", "one"]
    );
    assert_eq!(
        bodies(site.get("owner", &format!("{NOTES}?sort=asc")).await.json()),
        ["one", "two", "three"]
    );
    site.put("owner", "/projects/1/issues/1", json!({ "title": "y" }))
        .await;
    let comments = site
        .get(
            "owner",
            &format!("{NOTES}?sort=asc&activity_filter=only_comments"),
        )
        .await
        .json();
    assert_eq!(bodies(comments), ["one", "two", "three"]);
    let activity = site
        .get("owner", &format!("{NOTES}?activity_filter=only_activity"))
        .await
        .json();
    assert_eq!(activity.as_array().map(Vec::len), Some(1));
    assert_eq!(activity[0]["system"], true);
}

#[tokio::test]
async fn created_at_is_back_dated_for_owners_only_and_updated_at_follows() {
    let site = Site::new();
    site.issue("x");
    let body = json!({ "body": "old", "created_at": "2020-01-01T00:00:00Z" });
    let made = site.post("owner", NOTES, body.clone()).await.json();
    assert_eq!(made["created_at"], "2020-01-01T00:00:00.000Z");
    assert_eq!(made["updated_at"], made["created_at"]);
    let made = site.post("planner", NOTES, body).await.json();
    assert_eq!(made["created_at"], "2026-03-01T12:00:00.000Z");
}

#[tokio::test]
async fn a_blank_note_is_refused_in_rubys_words() {
    let site = Site::new();
    site.issue("x");
    let refused = site.post("owner", NOTES, json!({ "body": " " })).await;
    let expected = json!({ "message": "400 Bad request - Note {:note=>[\"can't be blank\"]}" });
    assert_eq!((refused.status, refused.json()), (400, expected));
    let missing = site.post("owner", NOTES, json!({})).await;
    assert_eq!(missing.json(), json!({ "error": "body is missing" }));
}

#[tokio::test]
async fn a_note_fits_a_million_characters() {
    let site = Site::new();
    site.issue("x");
    let fits = "ü".repeat(1_000_000);
    assert_eq!(
        site.post("owner", NOTES, json!({ "body": fits }))
            .await
            .status,
        201
    );
    let refused = site
        .post("owner", NOTES, json!({ "body": format!("{fits}x") }))
        .await;
    assert_eq!(refused.status, 400);
    assert!(
        refused
            .text
            .contains("is too long (maximum is 1000000 characters)")
    );
}

#[tokio::test]
async fn an_issue_holds_five_thousand_notes_system_notes_included() {
    let site = Site::new();
    site.issue("x");
    site.put("owner", "/projects/1/issues/1", json!({ "title": "y" }))
        .await;
    site.sim.edit(|world| {
        for _ in 0..4_998 {
            world
                .add_note(1, 1, NoteSpec::new(1, "text"))
                .expect("room");
        }
    });
    assert_eq!(
        site.post("owner", NOTES, json!({ "body": "the last" }))
            .await
            .status,
        201
    );
    let refused = site
        .post("owner", NOTES, json!({ "body": "one more" }))
        .await;
    assert_eq!(refused.status, 400);
    assert!(refused.text.contains("Maximum number of comments exceeded"));
}

#[tokio::test]
async fn internal_notes_are_seen_by_planners_and_stay_internal() {
    let site = Site::new();
    site.issue("x");
    let made = site
        .post(
            "planner",
            NOTES,
            json!({ "body": "secret", "internal": true }),
        )
        .await
        .json();
    assert_eq!(
        (made["internal"].clone(), made["confidential"].clone()),
        (json!(true), json!(true))
    );
    let id = made["id"].as_u64().expect("an id");
    assert_eq!(site.get("guest", NOTES).await.text, "[]");
    assert_eq!(
        site.get("guest", &format!("{NOTES}/{id}")).await.status,
        404
    );
    let changed = site
        .put(
            "planner",
            &format!("{NOTES}/{id}"),
            json!({ "body": "b", "internal": false }),
        )
        .await;
    assert_eq!(changed.json()["internal"], true);
    let old_name = site
        .post(
            "planner",
            NOTES,
            json!({ "body": "s", "confidential": true }),
        )
        .await
        .json();
    assert_eq!(old_name["internal"], true);
}

#[tokio::test]
async fn editing_and_deleting_is_for_the_author_and_maintainers() {
    let site = Site::new();
    site.issue("x");
    let id = site
        .post("guest", NOTES, json!({ "body": "mine" }))
        .await
        .json()["id"]
        .as_u64()
        .expect("an id");
    let path = format!("{NOTES}/{id}");
    assert_eq!(
        site.put("planner", &path, json!({ "body": "no" }))
            .await
            .status,
        403
    );
    assert_eq!(site.delete("planner", &path).await.status, 403);
    assert_eq!(
        site.put("guest", &path, json!({ "body": "yes" }))
            .await
            .json()["body"],
        "yes"
    );
    assert_eq!(site.delete("owner", &path).await.status, 204);
    let gone = site.get("owner", &path).await;
    assert_eq!(
        (gone.status, gone.json()),
        (404, json!({ "message": "404 Note Not Found" }))
    );
}

#[tokio::test]
async fn a_note_has_no_discussion_id_and_all_its_documented_fields() {
    let site = Site::new();
    site.issue("x");
    let made = site
        .post("owner", NOTES, json!({ "body": "x\r\ny " }))
        .await
        .json();
    assert_eq!(made["body"], "x\ny");
    assert_eq!(made["type"], Value::Null);
    assert!(made.get("discussion_id").is_none());
    assert_eq!(made["commands_changes"], json!({}));
    assert_eq!(made["resolvable"], false);
    assert!(made.get("resolved").is_none(), "only if resolvable");
    for field in [
        "noteable_id",
        "noteable_iid",
        "noteable_type",
        "project_id",
        "imported",
        "imported_from",
    ] {
        assert!(made.get(field).is_some(), "{field}");
    }
}
