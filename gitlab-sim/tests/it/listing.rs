use chrono::{Duration, SecondsFormat};
use gitlab_sim::{Epic, FeatureAccess, IssueEdit, IssueSpec, IssueState, IssueType, Visibility};
use serde_json::json;

use crate::site::{Site, start};

#[tokio::test]
async fn ties_are_broken_by_id_descending_whatever_the_direction() {
    let site = Site::new();
    for title in ["a", "b", "c"] {
        site.issue(title);
    }
    let ascending = site
        .get("owner", "/projects/1/issues?order_by=updated_at&sort=asc")
        .await;
    let descending = site
        .get("owner", "/projects/1/issues?order_by=updated_at&sort=desc")
        .await;
    assert_eq!(ascending.iids(), [3, 2, 1]);
    assert_eq!(descending.iids(), [3, 2, 1]);
    site.advance(1);
    site.issue("d");
    let ascending = site
        .get("owner", "/projects/1/issues?order_by=updated_at&sort=asc")
        .await;
    assert_eq!(ascending.iids(), [3, 2, 1, 4]);
}

#[tokio::test]
async fn updated_after_is_inclusive_and_a_copied_value_lists_the_row_again() {
    let site = Site::new();
    let moment = start() + Duration::microseconds(1_234);
    site.clock.set(moment);
    site.issue("between two milliseconds");
    let row = site.get("owner", "/projects/1/issues/1").await.json();
    assert_eq!(
        row["updated_at"], "2026-03-01T12:00:00.001Z",
        "shown in milliseconds"
    );
    let listed = |bound: String| {
        let site = &site;
        async move {
            site.get(
                "owner",
                &format!("/projects/1/issues?updated_after={bound}"),
            )
            .await
            .iids()
        }
    };
    assert_eq!(listed("2026-03-01T12:00:00.001Z".to_owned()).await, [1]);
    let exact = moment.to_rfc3339_opts(SecondsFormat::Micros, true);
    assert_eq!(listed(exact).await, [1]);
    let later = moment + Duration::microseconds(1);
    assert_eq!(
        listed(later.to_rfc3339_opts(SecondsFormat::Micros, true)).await,
        [0_u64; 0]
    );
    let before = site
        .get(
            "owner",
            "/projects/1/issues?updated_before=2026-03-01T12:00:00.001Z",
        )
        .await;
    assert_eq!(
        before.iids(),
        [0_u64; 0],
        "the column is later than what is shown"
    );
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let site = Site::new();
    let spec = |title: &str| IssueSpec {
        author: site.planner,
        title: title.into(),
        ..IssueSpec::default()
    };
    site.sim.edit(|world| {
        let closed = IssueSpec {
            state: IssueState::Closed,
            ..spec("closed one")
        };
        world.create_issue(1, closed).expect("closed");
        let labelled = IssueSpec {
            labels: vec!["bug".into(), "ui".into()],
            ..spec("labelled")
        };
        world.create_issue(1, labelled).expect("labelled");
        let incident = IssueSpec {
            issue_type: IssueType::Incident,
            author: site.guest,
            ..spec("an outage")
        };
        world.create_issue(1, incident).expect("incident");
        let assigned = IssueSpec {
            assignees: vec![site.guest],
            confidential: true,
            ..spec("assigned")
        };
        world.create_issue(1, assigned).expect("assigned");
    });
    let cases = [
        ("", vec![4, 3, 2, 1]),
        ("state=closed", vec![1]),
        ("state=opened", vec![4, 3, 2]),
        ("iids[]=1&iids[]=3", vec![3, 1]),
        ("labels=bug,ui", vec![2]),
        ("labels=bug,nothing", vec![]),
        ("labels=None", vec![4, 3, 1]),
        ("not[labels]=bug", vec![4, 3, 1]),
        ("author_username=gina", vec![3]),
        ("not[author_id]=3", vec![4, 2, 1]),
        ("author_id=2&issue_type=issue", vec![4, 2, 1]),
        ("issue_type=incident", vec![3]),
        ("assignee_id=3", vec![4]),
        ("assignee_id=None", vec![3, 2, 1]),
        ("confidential=true", vec![4]),
        ("search=outage", vec![3]),
        ("search=label", vec![2]),
        ("scope=created_by_me", vec![]),
        ("created_after=2026-03-01T12:00:00Z", vec![4, 3, 2, 1]),
        ("created_before=2026-02-28", vec![]),
    ];
    for (query, expected) in cases {
        let listed = site
            .get("owner", &format!("/projects/1/issues?{query}"))
            .await;
        assert_eq!(listed.iids(), expected, "{query}");
    }
    let wrong = site.get("owner", "/projects/1/issues?state=done").await;
    assert_eq!(
        (wrong.status, wrong.json()),
        (400, json!({ "error": "state does not have a valid value" }))
    );
}

#[tokio::test]
async fn the_list_over_all_projects_defaults_to_own_issues() {
    let site = Site::new();
    site.issue("paul's");
    site.sim.edit(|world| {
        let spec = IssueSpec {
            author: site.owner,
            title: "olga's".into(),
            ..IssueSpec::default()
        };
        world.create_issue(1, spec).expect("an issue")
    });
    assert_eq!(site.get("owner", "/issues").await.iids(), [2]);
    assert_eq!(site.get("owner", "/issues?scope=all").await.iids(), [2, 1]);
}

#[tokio::test]
async fn unreadable_issues_are_an_empty_list_and_an_unreadable_project_is_404() {
    let site = Site::new();
    site.issue("hidden");
    let stranger = site.get("stranger", "/projects/1/issues").await;
    assert_eq!(
        (stranger.status, stranger.json()),
        (404, json!({ "message": "404 Project Not Found" }))
    );

    site.sim.edit(|world| {
        let home = world.project_mut(1).expect("a project");
        home.visibility = Visibility::Public;
        home.issues_access_level = FeatureAccess::Private;
    });
    let members_only = site.get("stranger", "/projects/1/issues").await;
    assert_eq!(
        (members_only.status, members_only.text.as_str()),
        (200, "[]")
    );

    site.sim.edit(|world| {
        world.project_mut(1).expect("a project").issues_access_level = FeatureAccess::Disabled;
    });
    let disabled = site.get("owner", "/projects/1/issues").await;
    assert_eq!((disabled.status, disabled.text.as_str()), (200, "[]"));
    let project = site.get("owner", "/projects/1").await.json();
    assert_eq!(project["issues_enabled"], false);
    assert_eq!(project["issues_access_level"], "disabled");
    assert_eq!(site.get("owner", "/projects/1/issues/1").await.status, 404);
    assert_eq!(
        site.post("owner", "/projects/1/issues", json!({ "title": "x" }))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn confidential_issues_are_invisible_below_planner_except_to_author_and_assignee() {
    let site = Site::new();
    let secret = |author| IssueSpec {
        author,
        title: "s".into(),
        confidential: true,
        ..IssueSpec::default()
    };
    site.sim.edit(|world| {
        world.create_issue(1, secret(site.owner)).expect("1");
        world.create_issue(1, secret(site.guest)).expect("2");
        let assigned = IssueSpec {
            assignees: vec![site.guest],
            ..secret(site.owner)
        };
        world.create_issue(1, assigned).expect("3");
    });
    assert_eq!(site.get("guest", "/projects/1/issues").await.iids(), [3, 2]);
    assert_eq!(site.get("guest", "/projects/1/issues/1").await.status, 404);
    assert_eq!(
        site.get("guest", "/projects/1/issues/1/notes").await.status,
        404
    );
    assert_eq!(
        site.get("planner", "/projects/1/issues").await.iids(),
        [3, 2, 1]
    );
}

#[tokio::test]
async fn a_banned_author_hides_the_issue_from_all_but_administrators() {
    let site = Site::new();
    site.issue("spam");
    site.sim.edit(|world| world.ban_user(site.planner));
    assert_eq!(site.get("owner", "/projects/1/issues").await.text, "[]");
    assert_eq!(site.get("owner", "/projects/1/issues/1").await.status, 404);
}

#[tokio::test]
async fn label_titles_are_sorted_and_details_come_as_objects() {
    let site = Site::new();
    site.issue("labelled");
    site.sim
        .edit(|world| world.set_labels(1, 1, site.owner, &["zeta", "alpha"]))
        .expect("labels");
    let row = site.get("owner", "/projects/1/issues").await.json();
    assert_eq!(row[0]["labels"], json!(["alpha", "zeta"]));
    assert!(
        row[0].get("subscribed").is_none(),
        "only the single GET shows it"
    );
    let detailed = site
        .get("owner", "/projects/1/issues?with_labels_details=true")
        .await
        .json();
    assert_eq!(detailed[0]["labels"][0]["name"], "alpha");
    assert_eq!(detailed[0]["labels"][0]["color"], "#6699cc");
    let single = site.get("owner", "/projects/1/issues/1").await.json();
    assert_eq!(single["subscribed"], true);
}

#[tokio::test]
async fn planning_objects_show_where_they_are_licensed() {
    let site = Site::new();
    site.issue("planned");
    site.sim.edit(|world| {
        let epic = world.add_epic("team", "Big thing");
        let day = start().date_naive();
        let iteration = world.add_iteration("team", None, day, day + Duration::days(13));
        let edit = IssueEdit {
            epic: Some(Some(epic)),
            iteration: Some(Some(iteration)),
            weight: Some(Some(3)),
            ..IssueEdit::default()
        };
        world.edit_issue(1, 1, site.owner, edit).expect("an edit");
        let Epic { title, .. } = world.epic(epic).expect("the epic");
        assert_eq!(title, "Big thing");
    });
    let row = site.get("owner", "/projects/1/issues/1").await.json();
    assert_eq!(row["epic"]["title"], "Big thing");
    assert_eq!(row["weight"], 3);
    assert_eq!(row["iteration"]["title"], serde_json::Value::Null);
    assert_eq!(row["iteration"]["start_date"], "2026-03-01");
}

#[tokio::test]
async fn a_moved_issue_stays_closed_and_reopening_clears_where_it_went() {
    let site = Site::new();
    site.issue("moving");
    site.sim.edit(|world| {
        let other = world.create_issue(
            1,
            IssueSpec {
                author: 1,
                title: "new home".into(),
                ..IssueSpec::default()
            },
        );
        world
            .move_issue(1, 1, site.owner, (1, other.expect("an issue")))
            .expect("a move");
    });
    let row = site.get("owner", "/projects/1/issues/1").await.json();
    assert_eq!(
        (row["state"].as_str(), row["moved_to_id"].as_u64()),
        (Some("closed"), Some(2))
    );
    let row = site
        .put(
            "owner",
            "/projects/1/issues/1",
            json!({ "state_event": "reopen" }),
        )
        .await
        .json();
    assert_eq!(row["moved_to_id"], serde_json::Value::Null);
}
