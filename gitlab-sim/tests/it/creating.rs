use gitlab_sim::ChangeKind;
use serde_json::{Value, json};

use crate::site::Site;

#[tokio::test]
async fn an_owner_sets_iid_and_created_at() {
    let site = Site::new();
    let body = json!({ "title": "x", "iid": 7, "created_at": "2020-05-01T00:00:00Z" });
    let made = site.post("owner", "/projects/1/issues", body).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["iid"], 7);
    assert_eq!(made.json()["created_at"], "2020-05-01T00:00:00.000Z");
    let next = site
        .post("owner", "/projects/1/issues", json!({ "title": "y" }))
        .await;
    assert_eq!(next.json()["iid"], 8);
}

#[tokio::test]
async fn without_owner_rights_both_are_dropped_without_a_word() {
    let site = Site::new();
    let body = json!({ "title": "x", "iid": 7, "created_at": "2020-05-01T00:00:00Z" });
    let made = site.post("planner", "/projects/1/issues", body).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["iid"], 1);
    assert_eq!(made.json()["created_at"], "2026-03-01T12:00:00.000Z");
}

#[tokio::test]
async fn a_preset_iid_that_exists_is_409_duplicated_issue() {
    let site = Site::new();
    site.issue("first");
    let again = site
        .post(
            "owner",
            "/projects/1/issues",
            json!({ "title": "x", "iid": 1 }),
        )
        .await;
    assert_eq!(
        (again.status, again.json()),
        (409, json!({ "message": "Duplicated issue" }))
    );
}

#[tokio::test]
async fn a_blank_description_becomes_the_default_template() {
    let site = Site::new();
    site.sim.edit(|world| {
        world
            .project_mut(1)
            .expect("a project")
            .default_description_template = Some("## Steps".into());
    });
    for blank in [
        json!({ "title": "a" }),
        json!({ "title": "b", "description": " \n" }),
    ] {
        let made = site.post("owner", "/projects/1/issues", blank).await;
        assert_eq!(made.json()["description"], "## Steps");
    }
    let body = json!({ "title": "c", "description": "text" });
    let made = site.post("owner", "/projects/1/issues", body).await;
    assert_eq!(made.json()["description"], "text");
}

#[tokio::test]
async fn titles_are_stripped_required_and_at_most_255_characters() {
    let site = Site::new();
    let made = site
        .post(
            "owner",
            "/projects/1/issues",
            json!({ "title": "  spaced \n" }),
        )
        .await;
    assert_eq!(made.json()["title"], "spaced");
    let fits = "ü".repeat(255);
    let made = site
        .post("owner", "/projects/1/issues", json!({ "title": fits }))
        .await;
    assert_eq!(made.status, 201);
    let made = site
        .post(
            "owner",
            "/projects/1/issues",
            json!({ "title": "ü".repeat(256) }),
        )
        .await;
    let expected = json!({ "message": { "title": ["is too long (maximum is 255 characters)"] } });
    assert_eq!((made.status, made.json()), (400, expected));
    let made = site
        .post("owner", "/projects/1/issues", json!({ "title": " " }))
        .await;
    assert_eq!(
        made.json(),
        json!({ "message": { "title": ["can't be blank"] } })
    );
    let made = site.post("owner", "/projects/1/issues", json!({})).await;
    assert_eq!(
        (made.status, made.json()),
        (400, json!({ "error": "title is missing" }))
    );
}

#[tokio::test]
async fn a_description_fits_a_mebibyte_of_bytes() {
    let site = Site::new();
    let fits = "ü".repeat(512 * 1024);
    let made = site
        .post(
            "owner",
            "/projects/1/issues",
            json!({ "title": "a", "description": fits }),
        )
        .await;
    assert_eq!(made.status, 201);
    let over = format!("{fits}x");
    let made = site
        .post(
            "owner",
            "/projects/1/issues",
            json!({ "title": "a", "description": over }),
        )
        .await;
    assert_eq!(made.status, 400);
    assert!(
        made.json()["message"]["description"][0]
            .as_str()
            .expect("a reason")
            .contains("1 MiB")
    );
}

#[tokio::test]
async fn an_unchanged_description_that_is_too_long_does_not_hinder_other_changes() {
    let site = Site::new();
    site.issue("long");
    let long = "x".repeat(1024 * 1024 + 1);
    site.sim
        .edit(|world| world.issue_mut(1, 1).expect("an issue").description = Some(long.clone()));
    let body = json!({ "title": "still long", "description": long });
    assert_eq!(
        site.put("owner", "/projects/1/issues/1", body).await.status,
        200
    );
}

#[tokio::test]
async fn carriage_returns_and_trailing_space_are_not_stored() {
    let site = Site::new();
    let body = json!({ "title": "x", "description": "one\r\ntwo  \r\n\r\n \t" });
    let made = site.post("owner", "/projects/1/issues", body).await;
    assert_eq!(made.json()["description"], "one\ntwo");
}

#[tokio::test]
async fn only_one_assignee_is_kept_without_the_licence_for_several_and_strangers_are_dropped() {
    let premium = Site::new();
    let body = json!({ "title": "x", "assignee_ids": [premium.owner, premium.guest, 4, 999] });
    let made = premium
        .post("owner", "/projects/1/issues", body.clone())
        .await
        .json();
    assert_eq!(made["assignees"].as_array().map(Vec::len), Some(2));
    let ce = Site::with(gitlab_sim::Sim::builder().edition(gitlab_sim::Edition::Ce));
    let made = ce.post("owner", "/projects/1/issues", body).await.json();
    assert_eq!(made["assignees"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn the_author_is_always_the_tokens_user() {
    let site = Site::new();
    let body = json!({ "title": "x", "author_id": site.owner });
    let made = site.post("guest", "/projects/1/issues", body).await;
    assert_eq!(made.json()["author"]["username"], "gina");
}

#[tokio::test]
async fn a_guest_may_set_metadata_while_creating_but_not_make_labels() {
    let site = Site::new();
    let labels = |titles: &str| json!({ "title": "x", "labels": titles, "due_date": "2026-04-01" });
    site.post("planner", "/projects/1/issues", labels("known"))
        .await;
    let made = site
        .post("guest", "/projects/1/issues", labels("known,unknown"))
        .await
        .json();
    assert_eq!(made["labels"], json!(["known"]));
    assert_eq!(made["due_date"], "2026-04-01");
    let changed = site
        .put(
            "guest",
            "/projects/1/issues/2",
            json!({ "labels": "", "title": "y" }),
        )
        .await;
    assert_eq!(
        changed.json()["title"],
        "y",
        "a guest changes the text of an own issue"
    );
    assert_eq!(
        changed.json()["labels"],
        json!(["known"]),
        "but its labels silently stay"
    );
}

#[tokio::test]
async fn archived_projects_refuse_writes_and_keep_reads() {
    let site = Site::new();
    site.issue("old");
    site.sim
        .edit(|world| world.project_mut(1).expect("a project").archived = true);
    let refusal = json!({ "message": "403 Forbidden" });
    let made = site
        .post("owner", "/projects/1/issues", json!({ "title": "x" }))
        .await;
    assert_eq!((made.status, made.json()), (403, refusal.clone()));
    let changed = site
        .put("owner", "/projects/1/issues/1", json!({ "title": "x" }))
        .await;
    assert_eq!((changed.status, changed.json()), (403, refusal));
    let noted = site
        .post(
            "owner",
            "/projects/1/issues/1/notes",
            json!({ "body": "x" }),
        )
        .await;
    assert_eq!(noted.status, 403);
    let label = json!({ "name": "x", "color": "#000000" });
    assert_eq!(
        site.post("owner", "/projects/1/labels", label).await.status,
        403
    );
    assert_eq!(site.get("owner", "/projects/1/issues").await.iids(), [1]);
    assert_eq!(
        site.get("owner", "/projects/1").await.json()["archived"],
        true
    );
}

#[tokio::test]
async fn the_answer_holds_every_documented_field() {
    let site = Site::new();
    let made = site
        .post("owner", "/projects/1/issues", json!({ "title": "x" }))
        .await
        .json();
    for field in [
        "id",
        "iid",
        "project_id",
        "title",
        "description",
        "state",
        "created_at",
        "updated_at",
        "closed_at",
        "closed_by",
        "labels",
        "milestone",
        "assignees",
        "assignee",
        "author",
        "type",
        "issue_type",
        "user_notes_count",
        "merge_requests_count",
        "upvotes",
        "downvotes",
        "due_date",
        "confidential",
        "discussion_locked",
        "web_url",
        "time_stats",
        "task_completion_status",
        "has_tasks",
        "_links",
        "references",
        "severity",
        "moved_to_id",
        "imported",
        "imported_from",
        "service_desk_reply_to",
    ] {
        assert!(made.get(field).is_some(), "{field}");
    }
    assert!(made.get("task_status").is_none(), "only if tasks exist");
    assert_eq!(made["description"], Value::Null);
    assert_eq!(made["type"], "ISSUE");
    assert_eq!(made["references"]["full"], "team/project#1");
    site.sim.world(|world| {
        let kinds: Vec<_> = world
            .changes()
            .iter()
            .map(|change| change.kind.clone())
            .collect();
        assert_eq!(kinds, [ChangeKind::IssueCreated]);
    });
}

#[tokio::test]
async fn tasks_are_counted() {
    let site = Site::new();
    let body = json!({ "title": "x", "description": "- [ ] a\n- [x] b\n* [X] c" });
    let made = site.post("owner", "/projects/1/issues", body).await.json();
    assert_eq!(
        made["task_completion_status"],
        json!({ "count": 3, "completed_count": 2 })
    );
    assert_eq!(made["task_status"], "2 of 3 checklist items completed");
}

#[tokio::test]
async fn where_confidential_is_dropped_the_answer_shows_it() {
    let site = Site::new();
    site.sim
        .edit(|world| world.project_mut(1).expect("a project").drops_confidential = true);
    let body = json!({ "title": "x", "confidential": true });
    let made = site.post("owner", "/projects/1/issues", body).await;
    assert_eq!(
        (made.status, &made.json()["confidential"]),
        (201, &json!(false))
    );
    let body = json!({ "confidential": true, "title": "y" });
    let edited = site.put("owner", "/projects/1/issues/1", body).await;
    assert_eq!(edited.json()["confidential"], false);
    assert_eq!(edited.json()["title"], "y");
    let body = json!({ "body": "z", "internal": true });
    let note = site.post("owner", "/projects/1/issues/1/notes", body).await;
    assert_eq!(
        (note.status, &note.json()["internal"]),
        (201, &json!(false))
    );
}
