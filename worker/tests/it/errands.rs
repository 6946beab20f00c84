//! What people want of a GitLab, done by a worker.

use crate::support::{Stage, World, issue};
use gitlab_sim::{AccessLevel, Fault, FaultRule, ProjectSpec, TokenSpec, When};
use mirror_core::{
    errand::{Errand, NamedProject},
    ids::{ErrandId, Iid},
};
use mirror_store::{Asking, ErrandEntry, ErrandState, IssueFilter};
use serde_json::Value;
use std::time::Duration;

const URL: &str = "https://mirror.example/api/hooks/gitlab/1";
const LEASE: Duration = Duration::from_secs(60);

impl World {
    pub(crate) async fn served() -> Self {
        Self::served_on(Stage::new()).await
    }

    pub(crate) async fn served_on(stage: Stage) -> Self {
        let mut world = Self::on(stage).await;
        world.serve().await;
        world
    }

    pub(crate) async fn sent_for(&self, errand: &Errand) -> ErrandId {
        let asking = Asking {
            errand,
            by: "somebody",
            key: None,
        };
        self.cx.store.ask(&asking).await.unwrap().id
    }

    /// Does what is due; `false`: nothing is.
    pub(crate) async fn errand_round(&self) -> bool {
        let claimed = self.cx.store.claim(9, 9, LEASE).await.unwrap();
        let some = !claimed.is_empty();
        for claimed in claimed {
            mirror_worker::execute(&self.cx, claimed.ticket).await;
        }
        some
    }

    pub(crate) async fn entry(&self, id: ErrandId) -> ErrandEntry {
        self.cx.store.errand(id).await.unwrap().unwrap()
    }

    /// Asks and waits for the end, however often it is tried.
    async fn done(&self, errand: &Errand) -> ErrandEntry {
        let id = self.sent_for(errand).await;
        for _ in 0..20 {
            self.errand_round().await;
            let entry = self.entry(id).await;
            if entry.ended_at.is_some() {
                return entry;
            }
            self.later(1_000);
        }
        panic!("it does not end: {:#?}", self.entry(id).await);
    }

    pub(crate) async fn well(&self, errand: &Errand) -> Value {
        let entry = self.done(errand).await;
        assert_eq!(entry.state, ErrandState::Done, "{:?}", entry.problem);
        entry.result.unwrap()
    }

    pub(crate) async fn refusal(&self, errand: &Errand) -> String {
        let entry = self.done(errand).await;
        assert_eq!(entry.state, ErrandState::Failed, "{:?}", entry.result);
        entry.problem.unwrap()
    }

    async fn check(&self, source: bool) -> Errand {
        let mirror = self.cx.store.mirror(self.mirror).await.unwrap();
        let end = if source { mirror.source } else { mirror.target };
        Errand::CheckInstance {
            instance: end.instance,
        }
    }

    fn hook(&self) -> Errand {
        Errand::RegisterHook {
            mirror: self.mirror,
            url: URL.to_owned(),
        }
    }

    /// The source token becomes a Maintainer's that may write.
    async fn maintain(&mut self) {
        let (project, user) = (self.from.project, self.from.token_user);
        self.source.edit(|sim| {
            let home = sim.project_mut(project).unwrap();
            home.members.insert(user, AccessLevel::Maintainer);
        });
        self.from.token = self.source.add_token(user, TokenSpec::api(""));
        self.store_token(true).await;
        self.later(10);
    }

    fn hooks(&self) -> Vec<gitlab_sim::ProjectHook> {
        self.source
            .world(|sim| sim.hooks(self.from.project).to_vec())
    }

    async fn unlinking(&self, iid: u64, delete_target: bool) -> Errand {
        let filter = IssueFilter {
            iid: Some(Iid(i64::try_from(iid).unwrap())),
            ..IssueFilter::default()
        };
        let rows = self.cx.store.listed_issues(self.mirror, &filter, 1).await;
        Errand::Unlink {
            mirror: self.mirror,
            mapping: rows.unwrap()[0].id,
            delete_target,
        }
    }
}

fn named(project: &str) -> NamedProject {
    NamedProject {
        instance: None,
        project: project.to_owned(),
    }
}

/// `about` and how it is, of each finding.
fn findings(result: &Value) -> Vec<(&str, &str)> {
    let findings = result["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            let text = |field: &str| finding[field].as_str().unwrap();
            (text("about"), text("verdict"))
        })
        .collect()
}

#[tokio::test]
async fn an_instance_tells_how_it_answers_its_token() {
    let world = World::served().await;
    let result = world.well(&world.check(true).await).await;
    assert_eq!(result["well"], true);
    let about: Vec<&str> = findings(&result).iter().map(|one| one.0).collect();
    assert_eq!(about, ["reachable", "user", "scopes", "expiry", "version"]);
    assert!(
        findings(&result).contains(&("scopes", "warn")),
        "it reads only"
    );
    let result = world.well(&world.check(false).await).await;
    assert!(findings(&result).contains(&("scopes", "ok")));
    assert!(!result.to_string().contains(&world.to.token));
}

#[tokio::test]
async fn what_is_wrong_with_an_instance_is_a_finding_with_its_mend() {
    let world = World::served().await;
    let token = world.to.token.clone();
    world.target.edit(|sim| sim.revoke_token(&token));
    let result = world.well(&world.check(false).await).await;
    assert_eq!(result["well"], false);
    assert_eq!(findings(&result), [("token", "bad")]);
    let mend = result["findings"][0]["mend"].as_str().unwrap();
    assert!(mend.contains("store a new one"), "{mend}");
    world.source.fail(FaultRule::new(
        "GET",
        "/user$",
        When::Always,
        Fault::ErrorBefore(503),
    ));
    let result = world.well(&world.check(true).await).await;
    assert_eq!(findings(&result), [("reachable", "bad")]);
}

#[tokio::test]
async fn two_projects_become_a_mirror_that_is_not_scheduled() {
    let world = World::served().await;
    let (source, target) = (world.from.token_user, world.to.token_user);
    world.source.edit(|sim| {
        sim.add_project(ProjectSpec::new(
            "shop/other",
            &[(source, AccessLevel::Reporter)],
        ))
    });
    world.target.edit(|sim| {
        sim.add_project(ProjectSpec::new(
            "team/other",
            &[(target, AccessLevel::Owner)],
        ))
    });
    let errand = Errand::ConnectMirror {
        source: named("https://gitlab.a/shop/other/-/issues"),
        target: named("https://gitlab.b/team/other"),
    };
    let result = world.well(&errand).await;
    let made = mirror_core::ids::MirrorId(result["mirror_id"].as_i64().unwrap());
    let mirror = world.cx.store.mirror(made).await.unwrap();
    assert_eq!(mirror.source.path, "shop/other");
    assert_eq!(mirror.target.path, "team/other");
    let schedule = world.cx.store.schedule(made).await.unwrap();
    assert_eq!(schedule.next_scan_at, None);
    let again = world.refusal(&errand).await;
    assert!(
        again.contains(&format!("is mirror {made} already")),
        "{again}"
    );
}

#[tokio::test]
async fn projects_that_make_no_mirror_are_refused_with_the_mend() {
    let world = World::served_on(Stage::new().target_role(AccessLevel::Guest)).await;
    let connect = |source: &str, target: &str| Errand::ConnectMirror {
        source: named(source),
        target: named(target),
    };
    let (from, to) = (
        "https://gitlab.a/shop/source",
        "https://gitlab.b/team/inbox",
    );
    for (errand, told) in [
        (connect(from, to), "raise it"),
        (connect("https://gitlab.a/shop/none", to), "is a member"),
        (connect("https://nowhere/a/b", to), "add it as an instance"),
        (connect("shop/source", to), "name its instance"),
    ] {
        let problem = world.refusal(&errand).await;
        assert!(problem.contains(told), "{problem}");
    }
    assert_eq!(world.cx.store.mirrors().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_hook_is_registered_once_and_set_anew_when_asked_again() {
    let mut world = World::served().await;
    world.maintain().await;
    let result = world.well(&world.hook()).await;
    assert_eq!(result["created"], true);
    let [hook] = <[_; 1]>::try_from(world.hooks()).unwrap();
    assert_eq!(hook.url, URL);
    assert!(hook.issues_events && hook.confidential_issues_events);
    assert!(hook.note_events && hook.confidential_note_events);
    assert!(hook.enable_ssl_verification && !hook.push_events);
    let known = |world: &World| {
        let store = world.cx.store.clone();
        let mirror = world.mirror;
        async move {
            let cipher = crate::support::cipher();
            store.hook_secrets(mirror, &cipher).await.unwrap()
        }
    };
    let first = known(&world).await;
    assert_eq!(first.len(), 1);
    assert_eq!(hook.token.as_ref(), Some(&first[0].token));
    assert_eq!(hook.signing_token.as_ref(), Some(&first[0].signing_key));
    assert!(first[0].signing_key.starts_with("whsec_"));
    assert!(
        !result.to_string().contains(&first[0].token),
        "nobody is shown it"
    );

    let result = world.well(&world.hook()).await;
    assert_eq!(result["created"], false);
    let [again] = <[_; 1]>::try_from(world.hooks()).unwrap();
    assert_ne!(again.token, hook.token, "the secret is fresh");
    assert_eq!(again.token.as_ref(), Some(&known(&world).await[0].token));
}

#[tokio::test]
async fn a_hook_whose_creation_was_not_answered_is_found_and_kept() {
    let mut world = World::served().await;
    world.maintain().await;
    let lost = FaultRule::new("POST", "/hooks$", When::Next(1), Fault::LoseResponse);
    world.source.fail(lost);
    let id = world.sent_for(&world.hook()).await;
    world.errand_round().await;
    let entry = world.entry(id).await;
    assert_eq!(entry.state, ErrandState::Waiting);
    assert!(entry.problem.is_some(), "people see what it waits for");
    let sent = world.hooks()[0].token.clone();
    world.later(60);
    world.errand_round().await;
    assert_eq!(world.entry(id).await.state, ErrandState::Done);
    let [hook] = <[_; 1]>::try_from(world.hooks()).unwrap();
    assert_eq!(hook.token, sent, "the same errand sends the same secret");
}

#[tokio::test]
async fn doubles_of_a_hook_are_removed_and_others_are_left_alone() {
    let mut world = World::served().await;
    world.maintain().await;
    let project = world.from.project;
    world.source.edit(|sim| {
        for url in [URL, "https://elsewhere.example/", URL] {
            sim.add_hook(project, url);
        }
    });
    world.well(&world.hook()).await;
    let urls: Vec<String> = world.hooks().into_iter().map(|hook| hook.url).collect();
    assert_eq!(urls, [URL, "https://elsewhere.example/"]);
}

#[tokio::test]
async fn a_hook_that_may_not_be_is_refused_with_the_mend() {
    let mut world = World::served().await;
    let problem = world.refusal(&world.hook()).await;
    assert!(problem.contains("a Maintainer's"), "{problem}");
    world.maintain().await;
    let local = Errand::RegisterHook {
        mirror: world.mirror,
        url: "http://localhost/hook".to_owned(),
    };
    let problem = world.refusal(&local).await;
    assert!(problem.contains("allow local ones"), "{problem}");
    assert!(world.hooks().is_empty());
}

#[tokio::test]
async fn an_unlinked_copy_goes_if_it_is_ours_and_is_never_made_again() {
    let world = World::served().await;
    let iid = world.write(issue(world.alice, "Not for them"));
    world.run().await;
    assert_eq!(world.target_count(), 1);
    let errand = world.unlinking(iid, true).await;
    let result = world.well(&errand).await;
    assert_eq!(result["target_deleted"], true);
    assert_eq!(world.target_count(), 0);
    world.later(600);
    world.run().await;
    assert_eq!(world.target_count(), 0);
    let again = world.well(&errand).await;
    assert_eq!(again["target_deleted"], true, "gone is gone");
}

#[tokio::test]
async fn a_copy_that_lost_its_marker_is_not_deleted() {
    let world = World::served().await;
    let iid = world.write(issue(world.alice, "One"));
    world.run().await;
    let copy = world.copy(iid).issue.iid;
    let project = world.to.project;
    world.target.edit(|sim| {
        let issue = sim.issue_mut(project, copy).unwrap();
        issue.description = Some("Mine now.".to_owned());
    });
    let errand = world.unlinking(iid, true).await;
    let problem = world.refusal(&errand).await;
    assert!(problem.contains("somebody's own"), "{problem}");
    assert_eq!(world.target_count(), 1);
    let result = world.well(&world.unlinking(iid, false).await).await;
    assert_eq!(result["target_deleted"], false);
    assert_eq!(world.target_count(), 1);
}

#[tokio::test]
async fn an_errand_that_was_done_is_not_done_again_by_a_second_delivery() {
    let mut world = World::served().await;
    world.maintain().await;
    let id = world.sent_for(&world.hook()).await;
    let claimed = world.cx.store.claim(9, 9, LEASE).await.unwrap();
    mirror_worker::execute(&world.cx, claimed[0].ticket).await;
    world.forget_requests();
    mirror_worker::execute(&world.cx, claimed[0].ticket).await;
    world
        .cx
        .store
        .retry_job(claimed[0].ticket.work)
        .await
        .unwrap();
    assert!(world.errand_round().await);
    assert_eq!(world.source_requests(), [""; 0]);
    assert_eq!(world.entry(id).await.state, ErrandState::Done);
}
