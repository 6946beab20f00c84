use gitlab_sim::{Edition, Home, LabelSpec, Sim};
use serde_json::json;

use crate::site::Site;

const LABELS: &str = "/projects/1/labels";

#[tokio::test]
async fn unknown_titles_become_project_labels_of_the_default_colour() {
    let site = Site::new();
    let body = json!({ "title": "x", "labels": "Bug, bug" });
    let made = site
        .post("planner", "/projects/1/issues", body)
        .await
        .json();
    assert_eq!(
        made["labels"],
        json!(["Bug", "bug"]),
        "titles are case-sensitive"
    );
    let listed = site.get("owner", LABELS).await.json();
    assert_eq!(listed[0]["color"], "#6699cc");
    assert_eq!(listed[0]["is_project_label"], true);
}

#[tokio::test]
async fn labels_of_groups_above_are_found_and_told_apart() {
    let site = Site::new();
    site.sim.edit(|world| {
        let spec = LabelSpec {
            description: Some("all over".into()),
            ..LabelSpec::new("shared", "#112233")
        };
        world
            .add_label(Home::Group("team".into()), 1, spec)
            .expect("a label");
    });
    site.post(
        "owner",
        "/projects/1/issues",
        json!({ "title": "x", "labels": "shared" }),
    )
    .await;
    let listed = site.get("owner", LABELS).await.json();
    assert_eq!(
        listed.as_array().map(Vec::len),
        Some(1),
        "none was made anew"
    );
    assert_eq!(listed[0]["is_project_label"], false);
    let own = site
        .get("owner", &format!("{LABELS}?include_ancestor_groups=false"))
        .await;
    assert_eq!(own.text, "[]");
}

#[tokio::test]
async fn creating_validates_title_and_colour() {
    let site = Site::new();
    let create = |body: serde_json::Value| {
        let site = &site;
        async move { site.post("planner", LABELS, body).await }
    };
    let made = create(json!({ "name": " key::value ", "color": "#AbC", "description": "d" })).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.json()["name"], "key::value");
    assert_eq!(made.json()["color"], "#AAbbCC");
    let again = create(json!({ "name": "key::value", "color": "#000000" })).await;
    assert_eq!(
        (again.status, again.json()),
        (409, json!({ "message": "Label already exists" }))
    );
    let comma = create(json!({ "name": "a,b", "color": "#000000" })).await;
    assert_eq!(
        (comma.status, comma.json()),
        (400, json!({ "message": { "title": ["is invalid"] } }))
    );
    let long = create(json!({ "name": "x".repeat(256), "color": "#000000" })).await;
    assert_eq!(long.status, 400);
    let colour = create(json!({ "name": "c", "color": "#12345g" })).await;
    assert_eq!(
        colour.json(),
        json!({ "message": { "color": ["must be a valid color code"] } })
    );
    let missing = create(json!({ "name": "c" })).await;
    assert_eq!(missing.json(), json!({ "error": "color is missing" }));
    let long =
        create(json!({ "name": "d", "color": "red", "description": "x".repeat(512 * 1024 + 1) }))
            .await;
    assert_eq!(long.status, 400);
    assert_eq!(
        site.post("guest", LABELS, json!({ "name": "g", "color": "red" }))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn labels_change_and_go() {
    let site = Site::new();
    site.post(
        "owner",
        LABELS,
        json!({ "name": "old name", "color": "#000000" }),
    )
    .await;
    site.post(
        "owner",
        "/projects/1/issues",
        json!({ "title": "x", "labels": "old name" }),
    )
    .await;
    let path = format!("{LABELS}/old%20name");
    let changed = site
        .put(
            "owner",
            &path,
            json!({ "new_name": "new", "color": "#FFFFFF" }),
        )
        .await;
    assert_eq!(
        (changed.status, changed.json()["name"].as_str()),
        (200, Some("new"))
    );
    assert_eq!(
        site.get("owner", "/projects/1/issues/1").await.json()["labels"],
        json!(["new"])
    );
    let counted = site
        .get("owner", &format!("{LABELS}/new?with_counts=true"))
        .await
        .json();
    assert_eq!(counted["open_issues_count"], 1);
    assert_eq!(
        site.delete("owner", &format!("{LABELS}/new")).await.status,
        204
    );
    assert_eq!(
        site.get("owner", "/projects/1/issues/1").await.json()["labels"],
        json!([])
    );
    let gone = site.get("owner", &format!("{LABELS}/new")).await;
    assert_eq!(
        (gone.status, gone.json()),
        (404, json!({ "message": "404 Label Not Found" }))
    );
}

async fn scoped(site: &Site) -> Vec<serde_json::Value> {
    let body = json!({ "title": "x", "labels": "a::1,free,a::2,a::b::1,a::b::2" });
    let made = site.post("owner", "/projects/1/issues", body).await.json()["labels"].clone();
    let added = json!({ "add_labels": "a::1" });
    let changed = site
        .put("owner", "/projects/1/issues/1", added)
        .await
        .json()["labels"]
        .clone();
    vec![made, changed]
}

#[tokio::test]
async fn scoped_labels_exclude_each_other_where_licensed_and_the_last_wins() {
    let site = Site::new();
    assert_eq!(
        scoped(&site).await,
        [
            json!(["a::2", "a::b::2", "free"]),
            json!(["a::1", "a::b::2", "free"])
        ]
    );
}

#[tokio::test]
async fn they_coexist_on_ce_without_a_licence_and_where_it_is_not_enforced() {
    let all = json!(["a::1", "a::2", "a::b::1", "a::b::2", "free"]);
    for builder in [
        Sim::builder().edition(Edition::Ce),
        Sim::builder().unlicensed(),
        Sim::builder().scoped_exclusivity(false),
    ] {
        assert_eq!(
            scoped(&Site::with(builder)).await,
            [all.clone(), all.clone()]
        );
    }
}

#[tokio::test]
async fn label_changes_are_events_and_not_notes() {
    let site = Site::new();
    site.post(
        "owner",
        "/projects/1/issues",
        json!({ "title": "x", "labels": "a" }),
    )
    .await;
    site.put("planner", "/projects/1/issues/1", json!({ "labels": "b" }))
        .await;
    assert_eq!(
        site.get("owner", "/projects/1/issues/1/notes").await.text,
        "[]"
    );
    let events = site
        .get("owner", "/projects/1/issues/1/resource_label_events")
        .await
        .json();
    let told: Vec<_> = events
        .as_array()
        .expect("a list")
        .iter()
        .map(|event| {
            format!(
                "{} {} {}",
                event["user"]["username"], event["action"], event["label"]["name"]
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            r#""olga" "add" "a""#,
            r#""paul" "add" "b""#,
            r#""paul" "remove" "a""#
        ]
    );
}
