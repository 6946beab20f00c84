//! What moves `updated_at` of an issue, and what does not.

use chrono::Duration;
use serde_json::{Value, json};

use crate::site::{Site, start};

const ISSUE: &str = "/projects/1/issues/1";

async fn aged(seconds: u64) -> Site {
    let site = Site::new();
    site.issue("x");
    site.post(
        "owner",
        &format!("{ISSUE}/notes"),
        json!({ "body": "there" }),
    )
    .await;
    site.advance(seconds);
    site
}

fn first_note(site: &Site) -> u64 {
    site.sim
        .world(|world| world.issue(1, 1).expect("an issue").notes[0].id)
}

/// Requests whose touch is throttled.
async fn throttled(site: &Site) -> Vec<(&'static str, String, Value)> {
    vec![
        ("POST", format!("{ISSUE}/notes"), json!({ "body": "new" })),
        (
            "PUT",
            format!("{ISSUE}/notes/{}", first_note(site)),
            json!({ "body": "edited" }),
        ),
        ("PUT", ISSUE.to_owned(), json!({ "add_labels": "bug" })),
        (
            "POST",
            format!("{ISSUE}/add_spent_time"),
            json!({ "duration": "1h" }),
        ),
    ]
}

#[tokio::test]
async fn notes_labels_and_logged_time_touch_only_an_issue_a_minute_old() {
    for (age, moved) in [(59, false), (60, true)] {
        for place in 0..4 {
            let site = aged(age).await;
            let (method, path, body) = throttled(&site).await.swap_remove(place);
            let reply = site
                .send(Site::request(method, "owner", &path, Some(&body)))
                .await;
            assert!(reply.status < 300, "{path}: {}", reply.text);
            let expected = if moved {
                start() + Duration::seconds(60)
            } else {
                start()
            };
            assert_eq!(site.updated_at(1), expected, "{method} {path} at {age} s");
        }
    }
}

#[tokio::test]
async fn columns_move_it_at_once() {
    for body in [
        json!({ "title": "y" }),
        json!({ "description": "y" }),
        json!({ "state_event": "close" }),
        json!({ "confidential": true }),
        json!({ "due_date": "2026-09-01" }),
        json!({ "weight": 1 }),
        json!({ "title": "y", "labels": "bug" }),
    ] {
        let site = aged(1).await;
        assert_eq!(site.put("owner", ISSUE, body.clone()).await.status, 200);
        assert_eq!(site.updated_at(1), start() + Duration::seconds(1), "{body}");
    }
}

#[tokio::test]
async fn deleting_a_note_never_moves_it() {
    let site = aged(3_600).await;
    let path = format!("{ISSUE}/notes/{}", first_note(&site));
    assert_eq!(site.delete("owner", &path).await.status, 204);
    assert_eq!(site.updated_at(1), start());
}

#[tokio::test]
async fn a_change_to_what_is_there_already_moves_nothing() {
    let site = aged(3_600).await;
    site.put("owner", ISSUE, json!({ "title": "x", "labels": "" }))
        .await;
    assert_eq!(site.updated_at(1), start());
    assert!(!site.sim.requests().last().expect("a request").effect);
}
