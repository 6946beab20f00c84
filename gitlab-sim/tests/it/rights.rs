use chrono::NaiveDate;
use gitlab_sim::{TokenSpec, UserSpec};
use serde_json::json;

use crate::site::{Reply, Site};

#[tokio::test]
async fn wrong_expired_and_revoked_tokens_are_401_in_their_own_words() {
    let site = Site::new();
    let wrong = site.get("nonsense", "/user").await;
    assert_eq!(
        (wrong.status, wrong.json()),
        (401, json!({ "message": "401 Unauthorized" }))
    );
    site.sim.add_token(
        site.owner,
        TokenSpec {
            revoked: true,
            ..TokenSpec::api("revoked")
        },
    );
    let revoked = site.get("revoked", "/user").await;
    assert_eq!(
        (revoked.status, revoked.json()["error"].as_str()),
        (401, Some("invalid_token"))
    );
    let last_day = NaiveDate::from_ymd_opt(2026, 3, 2);
    site.sim.add_token(
        site.owner,
        TokenSpec {
            expires_at: last_day,
            ..TokenSpec::api("expiring")
        },
    );
    assert_eq!(site.get("expiring", "/user").await.status, 200);
    site.advance(86_400);
    let expired = site.get("expiring", "/user").await;
    assert_eq!(
        (expired.status, expired.json()["error"].as_str()),
        (401, Some("invalid_token"))
    );
    assert!(
        !expired.text.contains("expiring"),
        "the secret is not repeated"
    );
}

#[tokio::test]
async fn read_api_reads_and_does_not_write() {
    let site = Site::new();
    site.issue("x");
    site.sim
        .add_token(site.owner, TokenSpec::read_api("reader"));
    assert_eq!(site.get("reader", "/projects/1/issues").await.iids(), [1]);
    let refused = site
        .post("reader", "/projects/1/issues", json!({ "title": "y" }))
        .await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"], "insufficient_scope");
    assert_eq!(refused.json()["scope"], "api");
    assert!(!site.sim.requests().last().expect("a request").effect);
}

#[tokio::test]
async fn a_token_of_another_scope_still_tells_about_itself() {
    let site = Site::new();
    let spec = TokenSpec {
        token: "narrow".into(),
        scopes: vec!["read_user".into()],
        ..TokenSpec::default()
    };
    site.sim.add_token(site.planner, spec);
    let about = site
        .get("narrow", "/personal_access_tokens/self")
        .await
        .json();
    assert_eq!(about["scopes"], json!(["read_user"]));
    assert_eq!(
        (about["active"].as_bool(), about["user_id"].as_u64()),
        (Some(true), Some(site.planner))
    );
    assert_eq!(site.get("narrow", "/user").await.json()["username"], "paul");
    assert_eq!(site.get("narrow", "/projects/1").await.status, 403);
}

#[tokio::test]
async fn roles_are_told() {
    let site = Site::new();
    let project = site.get("planner", "/projects/team%2Fproject").await.json();
    assert_eq!(project["permissions"]["project_access"]["access_level"], 15);
    let member = site
        .get(
            "planner",
            &format!("/projects/1/members/all/{}", site.owner),
        )
        .await
        .json();
    assert_eq!(member["access_level"], 50);
    assert_eq!(
        site.get("planner", "/projects/1/members/all/4")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn users_are_found_by_name_whatever_its_capitals_and_members_by_words() {
    let site = Site::new();
    let names = |reply: Reply| -> Vec<String> {
        let rows = reply.json();
        let rows = rows.as_array().expect("a list").iter();
        rows.map(|row| row["username"].as_str().expect("a name").to_owned())
            .collect()
    };
    let found = site.get("guest", "/users?username=PAUL").await;
    assert_eq!(names(found), ["paul"]);
    assert_eq!(
        names(site.get("guest", "/users?username=pau").await),
        [""; 0]
    );
    assert_eq!(
        names(site.get("guest", "/users?search=stranger").await),
        ["sam"]
    );
    let members = site.get("guest", "/projects/1/members/all").await;
    assert_eq!(names(members), ["olga", "paul", "gina"]);
    let found = site.get("guest", "/projects/1/members/all?query=ol").await;
    assert_eq!(names(found), ["olga"]);
    let path = format!("/projects/1/members/all?user_ids[]={}", site.guest);
    assert_eq!(names(site.get("guest", &path).await), ["gina"]);
    assert_eq!(site.get("", "/users").await.status, 401);
}

#[tokio::test]
async fn a_renamed_project_redirects_reads_and_refuses_writes_by_its_old_path() {
    let site = Site::new();
    site.issue("x");
    site.sim.rename_project(1, "team/new-name");
    let moved = site
        .get("owner", "/projects/team%2Fproject/issues?state=opened")
        .await;
    assert_eq!(moved.status, 301);
    let location = moved.header("location").expect("a location");
    assert!(
        location.ends_with("/api/v4/projects/1/issues?state=opened"),
        "{location}"
    );
    assert_eq!(moved.header("content-type"), Some("text/plain"));
    let refused = site
        .post(
            "owner",
            "/projects/team%2Fproject/issues",
            json!({ "title": "y" }),
        )
        .await;
    assert_eq!(refused.status, 405);
    assert_eq!(
        refused.json()["message"],
        "Non GET methods are not allowed for moved projects"
    );
    assert_eq!(
        site.get("owner", "/projects/1/issues").await.iids(),
        [1],
        "a number never redirects"
    );
    assert_eq!(
        site.get("owner", "/projects/team%2Fnew-name").await.json()["id"],
        1
    );
    assert_eq!(
        site.get("stranger", "/projects/team%2Fproject")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_global_issue_id_is_for_administrators() {
    let site = Site::new();
    site.issue("x");
    assert_eq!(site.get("owner", "/issues/1").await.status, 403);
    let admin = site.sim.add_user(UserSpec {
        admin: true,
        ..UserSpec::new("root", "Root")
    });
    site.sim.add_token(admin, TokenSpec::api("root"));
    assert_eq!(site.get("root", "/issues/1").await.json()["iid"], 1);
}

#[tokio::test]
async fn the_date_header_is_the_simulators_clock() {
    let site = Site::new();
    site.advance(61);
    let told = site.get("owner", "/version").await;
    assert_eq!(told.header("date"), Some("Sun, 01 Mar 2026 12:01:01 GMT"));
}

#[tokio::test]
async fn an_unknown_endpoint_is_404_in_grapes_words() {
    let site = Site::new();
    let missing = site.get("owner", "/projects/1/nonsense").await;
    assert_eq!(
        (missing.status, missing.json()),
        (404, json!({ "error": "404 Not Found" }))
    );
}
