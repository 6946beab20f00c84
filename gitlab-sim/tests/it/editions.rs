use gitlab_sim::{Edition, Sim};
use serde_json::json;

use crate::site::Site;

#[tokio::test]
async fn metadata_tells_version_and_code_base() {
    for (edition, version, enterprise) in [
        (Edition::Ce, "17.9.2", false),
        (Edition::Premium, "17.9.2-ee", true),
        (Edition::Ultimate, "17.9.2-ee", true),
    ] {
        let site = Site::with(Sim::builder().edition(edition).version("17.9.2"));
        let told = site.get("guest", "/metadata").await.json();
        assert_eq!(told["version"], version);
        assert_eq!(told["enterprise"], enterprise);
        assert_eq!(
            site.get("guest", "/version").await.json()["version"],
            version
        );
    }
    let old = Site::with(Sim::builder().version("15.1.0"));
    assert_eq!(old.get("guest", "/metadata").await.status, 404);
    assert_eq!(old.get("guest", "/version").await.status, 200);
    assert_eq!(old.get("", "/version").await.status, 401);
}

#[tokio::test]
async fn licensed_fields_are_absent_not_null_on_ce() {
    let body = json!({ "title": "x", "weight": 4 });
    let licensed = [
        "weight",
        "epic",
        "epic_iid",
        "iteration",
        "blocking_issues_count",
    ];
    let ce = Site::with(Sim::builder().edition(Edition::Ce));
    let row = ce
        .post("owner", "/projects/1/issues", body.clone())
        .await
        .json();
    for field in licensed.iter().chain(&["health_status"]) {
        assert!(row.get(field).is_none(), "{field}");
    }
    let premium = Site::new();
    let row = premium
        .post("owner", "/projects/1/issues", body.clone())
        .await
        .json();
    for field in licensed {
        assert!(row.get(field).is_some(), "{field}");
    }
    assert_eq!(row["weight"], 4);
    assert!(row.get("health_status").is_none());
    let ultimate = Site::with(Sim::builder().edition(Edition::Ultimate));
    let row = ultimate
        .post("owner", "/projects/1/issues", body)
        .await
        .json();
    assert!(row.get("health_status").is_some());
}

#[tokio::test]
async fn without_a_licence_weight_is_recognised_and_silently_dropped() {
    let site = Site::with(Sim::builder().unlicensed());
    site.issue("x");
    let changed = site
        .put("owner", "/projects/1/issues/1", json!({ "weight": 5 }))
        .await;
    assert_eq!(changed.status, 200);
    assert!(changed.json().get("weight").is_none());
    assert_eq!(
        site.get("owner", "/metadata").await.json()["enterprise"],
        true
    );
}

#[tokio::test]
async fn blocking_links_are_licensed() {
    let link =
        |kind: &str| json!({ "target_project_id": 1, "target_issue_iid": 2, "link_type": kind });
    for (edition, status) in [(Edition::Ce, 403), (Edition::Premium, 201)] {
        let site = Site::with(Sim::builder().edition(edition));
        site.issue("a");
        site.issue("b");
        let made = site
            .post("owner", "/projects/1/issues/1/links", link("blocks"))
            .await;
        assert_eq!(made.status, status);
    }
    let site = Site::with(Sim::builder().edition(Edition::Ce));
    site.issue("a");
    site.issue("b");
    let made = site
        .post("owner", "/projects/1/issues/1/links", link("relates_to"))
        .await;
    assert_eq!(
        (made.status, made.json()["link_type"].as_str()),
        (201, Some("relates_to"))
    );
    let again = site
        .post("owner", "/projects/1/issues/1/links", link("relates_to"))
        .await;
    assert_eq!(again.status, 409);
    let rows = site.get("owner", "/projects/1/issues/2/links").await.json();
    assert_eq!(
        (rows[0]["iid"].as_u64(), rows[0]["link_type"].as_str()),
        (Some(1), Some("relates_to"))
    );
    let id = rows[0]["issue_link_id"].as_u64().expect("an id");
    assert_eq!(
        site.delete("owner", &format!("/projects/1/issues/1/links/{id}"))
            .await
            .status,
        200
    );
    assert_eq!(
        site.get("owner", "/projects/1/issues/2/links").await.text,
        "[]"
    );
    for (iid, other) in [(1, 2), (2, 1)] {
        let notes = site
            .get("owner", &format!("/projects/1/issues/{iid}/notes?sort=asc"))
            .await
            .json();
        let said: Vec<&str> = notes
            .as_array()
            .expect("notes")
            .iter()
            .filter_map(|note| note["body"].as_str())
            .collect();
        let expected = [
            format!("marked this issue as related to #{other}"),
            format!("removed the relation with #{other}"),
        ];
        assert_eq!(said, expected);
    }
}

#[tokio::test]
async fn milestones_belong_to_a_project_or_to_a_group() {
    let site = Site::new();
    let made = site
        .post(
            "planner",
            "/projects/1/milestones",
            json!({ "title": "v1", "due_date": "2026-02-01" }),
        )
        .await;
    assert_eq!(made.status, 201);
    let own = made.json();
    assert_eq!(
        (own["project_id"].as_u64(), own["expired"].as_bool()),
        (Some(1), Some(true))
    );
    let group = site.sim.edit(|world| {
        let spec = gitlab_sim::MilestoneSpec {
            title: "all".into(),
            ..Default::default()
        };
        world.add_milestone(gitlab_sim::Home::Group("team".into()), spec)
    });
    let listed = site.get("owner", "/projects/1/milestones").await.json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    let body = json!({ "title": "x", "milestone_id": group });
    let issue = site.post("owner", "/projects/1/issues", body).await.json();
    assert!(issue["milestone"]["group_id"].is_u64());
    assert!(issue["milestone"].get("project_id").is_none());
    let cleared = site
        .put(
            "owner",
            "/projects/1/issues/1",
            json!({ "milestone_id": 0 }),
        )
        .await
        .json();
    assert_eq!(cleared["milestone"], serde_json::Value::Null);
}
