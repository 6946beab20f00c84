//! What is told as it happens.

use crate::service::Service;
use axum::{body::BodyDataStream, http::Method};
use futures_util::StreamExt;
use mirror_core::{
    ids::{Iid, InstanceId, MirrorId},
    job::{Job, Priority},
    outcome::Outcome,
    ports::{Account, Charge, Class, Pace},
};
use mirror_store::{End, Owe, Role};
use std::{collections::HashSet, time::Duration};

/// More than one look at the record brings.
const MANY: i64 = 1_100;
const LEASE: Duration = Duration::from_secs(60);

impl Service {
    /// Jobs that come to their end at this very moment.
    async fn work(&self, mirror: MirrorId, issues: impl Iterator<Item = i64>) {
        let store = &self.state.store;
        let owed: Vec<Owe> = issues
            .map(|iid| Job::SyncIssue {
                mirror,
                iid: Iid(iid),
            })
            .map(|job| Owe::changed(job, Priority::Incremental))
            .collect();
        store.owe(&owed).await.unwrap();
        let outcome = &Outcome::Unchanged;
        let claimed = store.claim(owed.len(), owed.len(), LEASE).await;
        for claimed in claimed.unwrap() {
            let started = store.start(claimed.ticket, "worker", LEASE).await.unwrap();
            let fence = started.unwrap().fence;
            store.end(&fence, End::Done { outcome }).await.unwrap();
        }
    }

    async fn watch(&self, token: &str, query: &str, last: &str) -> Watched {
        let headers = [("authorization", token), ("last-event-id", last)];
        let path = format!("/api/events{query}");
        let answer = self.asked(Method::GET, &path, &headers, None).await;
        assert_eq!(answer.status(), 200);
        Watched {
            stream: answer.into_body().into_data_stream(),
            text: String::new(),
        }
    }
}

/// A stream of events, read.
struct Watched {
    stream: BodyDataStream,
    text: String,
}

impl Watched {
    /// The next event: its id, its name, its data.
    async fn next(&mut self) -> (String, String, serde_json::Value) {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (mut id, mut name, mut data) = <(String, String, String)>::default();
                for (field, value) in event.lines().filter_map(|line| line.split_once(':')) {
                    let value = value.trim_start().to_owned();
                    match field {
                        "id" => id = value,
                        "event" => name = value,
                        "data" => data = value,
                        _ => {}
                    }
                }
                self.text = rest.to_owned();
                if !name.is_empty() {
                    return (id, name, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let piece = self.stream.next().await.unwrap().unwrap();
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }
}

#[tokio::test]
async fn however_much_happens_at_once_all_of_it_is_told() {
    let service = Service::new().await;
    let (mirror, _) = service.mirror().await;
    let token = service.token("watcher", Role::Viewer).await;
    let before = service.state.store.now().to_rfc3339();
    service.clock.advance(Duration::from_secs(1));
    service.work(mirror, 1..=MANY).await;
    let mut watched = service.watch(&token, "", &before).await;
    let mut told = HashSet::new();
    while told.len() < usize::try_from(MANY).unwrap() {
        let (_, name, data) = watched.next().await;
        if name == "attempt" {
            assert!(
                told.insert(data["job_id"].as_i64().unwrap()),
                "twice: {data}"
            );
        }
    }
    // Who comes back behind them is told of what comes next, although as much lies near it.
    let after = service.state.store.now().to_rfc3339();
    service.clock.advance(Duration::from_secs(1));
    service.work(mirror, MANY + 1..=MANY + 1).await;
    let mut watched = service.watch(&token, "", &after).await;
    let (_, name, data) = watched.next().await;
    assert_eq!(name, "attempt");
    assert!(data["key"].as_str().unwrap().ends_with("/1101"), "{data}");
}

#[tokio::test]
async fn who_watches_a_quiet_mirror_is_told_its_own_among_much_of_others() {
    let service = Service::new().await;
    let busy = service.mirror_of(1).await;
    let quiet = service.mirror_of(2).await;
    let token = service.token("watcher", Role::Viewer).await;
    let before = service.state.store.now().to_rfc3339();
    for second in 1..=2 {
        service.clock.advance(Duration::from_secs(10));
        service.work(busy, 1..=MANY).await;
        service.work(quiet, second..=second).await;
    }
    let query = format!("?mirror_id={quiet}");
    let mut watched = service.watch(&token, &query, &before).await;
    let mut told = Vec::new();
    while told.len() < 2 {
        let (id, name, data) = watched.next().await;
        if name == "attempt" {
            assert_eq!(data["mirror_id"], quiet.0, "{data}");
            told.push((id, data["key"].as_str().unwrap().to_owned()));
        } else {
            // Others' events are nothing that a client goes on from.
            assert!(
                id == before || told.iter().any(|(told, _)| *told == id),
                "{id}"
            );
        }
    }
    let keys: Vec<String> = told.into_iter().map(|(_, key)| key).collect();
    assert_eq!(keys, [1, 2].map(|iid| format!("sync_issue/{quiet}/{iid}")));
}

#[tokio::test]
async fn what_a_gitlab_lets_through_is_told_when_it_changes() {
    let service = Service::new().await;
    let (mirror, instance) = service.mirror().await;
    let token = service.token("watcher", Role::Viewer).await;
    let charge = |instance| Charge {
        account: Account {
            instance,
            user: "mirror-bot".to_owned(),
        },
        class: Class::Notes,
        by_hand: false,
        changes: true,
    };
    let budget = &service.state.budget;
    let strange = InstanceId(instance.0 + 100);
    budget.admit(&charge(strange)).await;
    budget.admit(&charge(instance)).await;
    let now = service.state.store.now().to_rfc3339();
    let query = format!("?mirror_id={mirror}");
    let mut watched = service.watch(&token, &query, &now).await;
    loop {
        let (id, name, data) = watched.next().await;
        assert_eq!(id, now);
        if name == "budget" {
            assert_eq!(data["instance_id"], instance.0, "another mirror's");
            if data["class"] == "notes" {
                assert_eq!(
                    (&data["user"], &data["used"]),
                    (&"mirror-bot".into(), &1.into())
                );
                break;
            }
        }
    }
}
