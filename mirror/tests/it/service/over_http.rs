//! The whole way by HTTP alone: from nothing to a mirror that is watched, decided on and taken apart.

use super::{
    fleet::{Fleet, SCHEDULER, WORKER},
    http::Http,
    servers::pause,
};
use crate::process::{
    oracle,
    stage::{End, SOURCE_TOKEN, TARGET_TOKEN, within},
    world,
};
use gitlab_sim::{IssueEdit, UserId};
use serde_json::{Value, json};

const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

#[tokio::test]
async fn one_process_is_set_up_watched_and_taken_apart_by_http_alone() {
    let fleet = Fleet::alone().await;
    fleet.fill(6);
    let _all = fleet.start(&["all", LISTEN[0], LISTEN[1]]);
    let http = Http::of(&fleet, 1).await;
    the_whole_way(&fleet, &http).await;
}

#[tokio::test]
async fn a_fleet_with_two_apis_is_set_up_watched_and_taken_apart_by_http_alone() {
    let fleet = Fleet::scaled().await;
    fleet.fill(6);
    let api = ["api", LISTEN[0], LISTEN[1]];
    let _processes = [
        fleet.start(&api),
        fleet.start(&api),
        fleet.start(SCHEDULER),
        fleet.start(WORKER),
    ];
    let http = Http::of(&fleet, 2).await;
    the_whole_way(&fleet, &http).await;
}

async fn the_whole_way(fleet: &Fleet, http: &Http) {
    let mirror = declared(fleet, http).await;
    let path = format!("/api/mirrors/{mirror}/issue-sync");
    let refused = json!({"sync_direction": "bidirectional"});
    let refused = http.post(&path, &refused, 422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/sync_direction");
    let wanted = json!({"include_closed": true, "on_edit": "protect", "interval_seconds": 3600});
    assert_eq!(http.post(&path, &wanted, 200).body["enabled"], true);
    let job = synced(http, &path).await;
    watched(http, job).await;
    let issues = listed(http, &path);
    assert_eq!(issues.len(), fleet.copies());
    oracle::mirrored(&fleet.stage);
    planned(fleet, http, &path).await;
    decided(fleet, http, &path).await;
    taken_out(http, &path).await;
    told(http, mirror);
    fleet.well(&["jobs", "list"]).await;
    for secret in [SOURCE_TOKEN, TARGET_TOKEN] {
        assert!(!fleet.log().contains(secret));
    }
}

/// Both GitLabs, each checked, and the mirror between them.
async fn declared(fleet: &Fleet, http: &Http) -> i64 {
    let (source, target) = (&fleet.stage.source, &fleet.stage.target);
    for (end, token) in [(source, SOURCE_TOKEN), (target, TARGET_TOKEN)] {
        let new = json!({"url": end.server.url(), "token": token});
        let made = http.post("/api/instances", &new, 201);
        assert!(!made.body.to_string().contains(token));
        let place = made.header("location").unwrap().to_owned();
        let check = http.post(&format!("{place}/check"), &Value::Null, 202);
        http.errand(&check).await;
    }
    let project = |end: &End| json!({"project": end.web_url()});
    let new = json!({"source": project(source), "target": project(target)});
    let asked = http.post("/api/mirrors", &new, 202);
    let made = http.errand(&asked).await;
    let mirror = made["mirror_id"].as_i64().unwrap();
    assert_eq!(
        http.get(&format!("/api/mirrors/{mirror}"))["enabled"],
        false
    );
    let used = http.with("DELETE /api/instances/1", "", &Value::Null);
    assert_eq!(used.status, 409, "{used:?}");
    mirror
}

/// A full run, asked for twice under one key.
async fn synced(http: &Http, path: &str) -> i64 {
    let head = format!("POST {path}/sync");
    let body = json!({"sync_type": "full"});
    let key = "Idempotency-Key: once\r\n";
    let first = http.with(&head, key, &body);
    assert_eq!(first.status, 202, "{first:?}");
    let again = http.with(&head, key, &body);
    assert_eq!(first.body, again.body);
    let other = http.with(&head, key, &json!({"sync_type": "incremental"}));
    assert_eq!(other.status, 422, "{other:?}");
    let job = first.body["url"].as_str().unwrap().to_owned();
    let ended = http
        .until(&job, |job| job["completed_at"].is_string())
        .await;
    assert_eq!(ended["status"], "completed", "{ended}");
    assert!(ended["counts"]["created"].as_i64().unwrap() > 0, "{ended}");
    assert_eq!(ended["progress"]["percent"], 100);
    first.body["job_id"].as_i64().unwrap()
}

/// Who was away gets what it missed, at whichever process.
async fn watched(http: &Http, job: i64) {
    let since = "Last-Event-ID: 2020-01-01T00:00:00Z\r\n";
    let end = format!("\"status\":\"completed\",\"sync_job_id\":{job}");
    let other = format!("\"sync_job_id\":{job},\"status\":\"completed\"");
    for _ in 0..2 {
        // An event is four lines; a stream that is watched in vain says so by comments.
        let mut seen = http.watch(since).take(400);
        assert!(seen.any(|line| line.contains(&end) || line.contains(&other)));
    }
    let wrong = http.with("GET /api/events", "Last-Event-ID: nine\r\n", &Value::Null);
    assert_eq!(wrong.status, 400, "{wrong:?}");
}

/// All issues, two a page, by the links.
fn listed(http: &Http, path: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut next = Some(format!("{path}/issues?per_page=2"));
    while let Some(page) = next.take() {
        let answer = http.with(&format!("GET {page}"), "", &Value::Null);
        all.extend(answer.body.as_array().unwrap().clone());
        let links = answer.header("link").unwrap_or_default().to_owned();
        let link = links
            .split(", ")
            .find(|link| link.ends_with("rel=\"next\""));
        next = link.map(|link| link[1..link.find('>').unwrap()].to_owned());
    }
    all
}

fn retitled(end: &End, iid: u64, by: UserId, title: &str) {
    let edit = IssueEdit {
        title: Some(title.to_owned()),
        ..IssueEdit::default()
    };
    let edited = |sim: &mut gitlab_sim::World| sim.edit_issue(end.project, iid, by, edit).map(drop);
    end.sim.edit(edited).unwrap();
}

/// What the next run will send is told while the mirror rests, and nothing of it is sent.
async fn planned(fleet: &Fleet, http: &Http, path: &str) {
    let mirror = path.strip_suffix("/issue-sync").unwrap();
    let status = format!("{path}/status");
    http.post(
        &format!("{mirror}/pause"),
        &json!({"reason": "to look"}),
        200,
    );
    http.until(&status, |status| status["running"] == 0).await;
    let source = &fleet.stage.source;
    retitled(source, 1, world::author(source), "The planned title");
    let (plan, writes) = (format!("{path}/plan"), fleet.stage.writes());
    for body in [json!({}), json!({"issue_iids": [1]})] {
        let asked = http.post(&plan, &body, 202);
        let told = http.errand(&asked).await;
        assert_eq!(told["not_planned"], json!([]), "{told}");
        let mut issues = told["issues"].as_array().unwrap().iter();
        let first = issues.find(|issue| issue["issue"] == 1);
        let first = first.unwrap_or_else(|| panic!("{told}"));
        assert_eq!(first["create"], false);
        assert_eq!(first["steps"][0]["what"], "change title", "{told}");
    }
    assert_eq!(fleet.stage.writes(), writes);
    http.post(&format!("{mirror}/resume"), &Value::Null, 200);
    let through = |status: &Value| status["owed"] == 0 && status["running"] == 0;
    http.until(&status, through).await;
}

/// An edit on both sides waits for a person, who decides.
async fn decided(fleet: &Fleet, http: &Http, path: &str) {
    let (source, target) = (&fleet.stage.source, &fleet.stage.target);
    let first = listed(http, path);
    let first = first.iter().find(|one| one["source_iid"] == 1).unwrap();
    let copy = first["target_iid"].as_u64().unwrap();
    retitled(source, 1, world::author(source), "The source's title");
    retitled(target, copy, world::author(target), "The target's title");
    http.post(&format!("{path}/sync"), &Value::Null, 202);
    let conflicts = format!("{path}/issues?status=conflict");
    let waiting = http.until(&conflicts, |rows| rows[0]["id"].is_i64()).await;
    let issue = format!("{path}/issues/{}", waiting[0]["id"]);
    let detail = http.get(&issue);
    assert_eq!(detail["edits"][0]["field"], "title", "{detail}");
    assert!(detail["attempts"][0]["ending"].is_string(), "{detail}");
    let sent = &detail["attempts"][0]["requests"];
    assert!(
        sent[0]["path"]
            .as_str()
            .is_some_and(|path| path.contains("/issues")),
        "{detail}"
    );
    let decision = json!({"resolution": "use_target"});
    let resolve = format!("{issue}/resolve-conflict");
    http.post(&resolve, &decision, 200);
    http.until(&conflicts, |rows| rows == &json!([])).await;
    let kept = target.sim.world(|sim| {
        let issue = sim.issue(target.project, copy).unwrap();
        issue.title.clone()
    });
    assert_eq!(kept, "The target's title");
}

/// An issue is taken out of the mirror, and then all of it.
async fn taken_out(http: &Http, path: &str) {
    let issue = listed(http, path)[1]["id"].clone();
    let delete = format!("DELETE {path}/issues/{issue}");
    let status = within(async {
        loop {
            // A job of it may be out just now; the answer says to try again in a moment.
            match http.with(&delete, "", &Value::Null).status {
                409 => pause(50).await,
                status => return status,
            }
        }
    });
    assert_eq!(status.await, 204);
    let unlinked = http.get(&format!("{path}/issues?status=unlinked"));
    assert_eq!(unlinked[0]["id"], issue);
    let settings = http.with(&format!("GET {path}"), "", &Value::Null);
    let tag = format!("If-Match: {}\r\n", settings.header("etag").unwrap());
    let put = format!("PUT {path}");
    let slower = json!({"interval_seconds": 7200});
    assert_eq!(http.with(&put, "", &slower).status, 428);
    assert_eq!(http.with(&put, &tag, &slower).status, 200);
    assert_eq!(http.with(&put, &tag, &slower).status, 412);
    let off = http.with(&format!("DELETE {path}"), "", &Value::Null);
    assert_eq!(off.status, 204);
    assert_eq!(http.get(&format!("{path}/status"))["enabled"], false);
}

/// What the rest of the API tells of it.
fn told(http: &Http, mirror: i64) {
    let audit = http.get("/api/audit?per_page=200");
    let audit = audit.as_array().unwrap();
    for what in [
        "instance.create",
        "issue_sync.enable",
        "issue.resolve",
        "issue.unlink",
    ] {
        let there = audit.iter().any(|one| one["what"] == what);
        assert!(there, "{what} is not in {audit:?}");
    }
    assert_eq!(http.get("/api/queues").as_array().unwrap().len(), 3);
    assert_eq!(http.get("/api/workers").as_array().unwrap().len(), 1);
    let buckets = http.get("/api/instances/1/budget");
    assert!(buckets["buckets"].is_array());
    let labels = format!("/api/mirrors/{mirror}/issue-sync/labels");
    let mapping = json!({"source_label": "bug", "target_label": "kind::bug"});
    http.post(&labels, &mapping, 200);
    assert_eq!(
        http.get(&labels)["mappings"][0]["target_label"],
        "kind::bug"
    );
}
