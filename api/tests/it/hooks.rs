//! What a source's GitLab tells, sent as it sends it.

use crate::{service::Service, spoken};
use axum::http::{Method, StatusCode, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use mirror_core::{ids::MirrorId, job::Priority};
use mirror_runtime::SystemEntropy;
use mirror_store::{HookSecrets, testing::hook};
use sha2::Sha256;
use std::time::Duration;

const ISSUE: &str = include_str!("../../../fuzz/corpus/hook/issue.json");
const CONFIDENTIAL_ISSUE: &str = include_str!("../../../fuzz/corpus/hook/confidential_issue.json");
const NOTE: &str = include_str!("../../../fuzz/corpus/hook/note.json");
const CONFIDENTIAL_NOTE: &str = include_str!("../../../fuzz/corpus/hook/confidential_note.json");
const ON_MERGE_REQUEST: &str = include_str!("../../../fuzz/corpus/hook/note_on_merge_request.json");
const EMOJI: &str = include_str!("../../../fuzz/corpus/hook/emoji.json");

const LEASE: Duration = Duration::from_secs(60);
const TOKEN: &str = "open sesame";
const KEY: [u8; 32] = [7; 32];

/// A service with a mirror whose source has a hook.
struct Hooked {
    service: Service,
    mirror: MirrorId,
}

impl Hooked {
    async fn new() -> Self {
        let service = Service::new().await;
        let mirror = service.mirror_of(1).await;
        let secrets = HookSecrets {
            token: TOKEN.to_owned(),
            signing_key: format!("whsec_{}", STANDARD.encode(KEY)),
        };
        let with = (&service.state.cipher, &SystemEntropy as _);
        hook(&service.state.store, mirror, secrets, with)
            .await
            .unwrap();
        Self { service, mirror }
    }

    async fn looks_by_itself(&self, enabled: bool) {
        let store = &self.service.state.store;
        let mut schedule = store.schedule(self.mirror).await.unwrap();
        schedule.next_scan_at = enabled.then(|| store.now() + chrono::TimeDelta::days(1));
        store.set_schedule(self.mirror, &schedule).await.unwrap();
    }

    async fn sent(
        &self,
        mirror: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, String) {
        let path = format!("/api/hooks/gitlab/{mirror}");
        let answer = self.service.told(Method::POST, &path, headers, body).await;
        spoken(answer).await
    }

    /// With the secret in a header.
    async fn told(&self, event: &str, body: &str) -> StatusCode {
        let headers = [("x-gitlab-event", event), ("x-gitlab-token", TOKEN)];
        let (status, text) = self.sent(&self.mirror.to_string(), &headers, body).await;
        assert_eq!(text, "", "{event}");
        status
    }

    /// Signed, so many seconds after the service's time.
    fn signed(&self, id: &str, late: i64, body: &str) -> Signed {
        let stamp = self.service.state.store.now().timestamp() + late;
        let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
        mac.update(format!("{id}.{stamp}.{body}").as_bytes());
        Signed {
            id: id.to_owned(),
            stamp: stamp.to_string(),
            signature: format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())),
        }
    }

    async fn told_signed(&self, signed: &Signed, body: &str) -> StatusCode {
        let headers = [
            ("x-gitlab-event", "Issue Hook"),
            ("webhook-id", signed.id.as_str()),
            ("webhook-timestamp", signed.stamp.as_str()),
            ("webhook-signature", signed.signature.as_str()),
        ];
        self.sent(&self.mirror.to_string(), &headers, body).await.0
    }

    /// What is owed, each by its key, done with.
    async fn owed(&self) -> Vec<String> {
        let store = &self.service.state.store;
        let mut owed = Vec::new();
        for claimed in store.claim(100, 100, LEASE).await.unwrap() {
            let started = store.start(claimed.ticket, "worker", LEASE).await;
            let started = started.unwrap().unwrap();
            assert_eq!(started.priority, Priority::ByHand);
            owed.push(started.job.unwrap().key());
            let outcome = &mirror_core::outcome::Outcome::Updated;
            let end = mirror_store::End::Done { outcome };
            store.end(&started.fence, end).await.unwrap();
        }
        owed
    }
}

/// What makes a request a signed one.
#[derive(Clone)]
struct Signed {
    id: String,
    stamp: String,
    signature: String,
}

#[tokio::test]
async fn an_issue_and_a_comment_on_one_are_owed_hidden_ones_too() {
    let hooked = Hooked::new().await;
    for (event, body) in [
        ("Issue Hook", ISSUE),
        ("Confidential Issue Hook", CONFIDENTIAL_ISSUE),
        ("Note Hook", NOTE),
        ("Confidential Note Hook", CONFIDENTIAL_NOTE),
    ] {
        assert_eq!(hooked.told(event, body).await, StatusCode::ACCEPTED);
        let key = format!("sync_issue/{}/23", hooked.mirror);
        assert_eq!(hooked.owed().await, [key], "{event}");
    }
}

#[tokio::test]
async fn what_is_not_understood_or_not_the_mirrors_is_taken_without_effect() {
    let hooked = Hooked::new().await;
    let elsewhere = ISSUE.replacen("\"id\": 1,", "\"id\": 99,", 1);
    assert_ne!(elsewhere, ISSUE);
    let cut = &ISSUE[..ISSUE.len() / 2];
    for (event, body) in [
        ("Emoji Hook", EMOJI),
        ("Push Hook", ISSUE),
        ("System Hook", ISSUE),
        ("", ISSUE),
        ("Note Hook", ON_MERGE_REQUEST),
        ("Issue Hook", elsewhere.as_str()),
        ("Issue Hook", cut),
        ("Issue Hook", "no JSON"),
        ("Issue Hook", "[]"),
        ("Issue Hook", ""),
    ] {
        let status = hooked.told(event, body).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{event}: {body}");
    }
    assert!(hooked.owed().await.is_empty());
}

#[tokio::test]
async fn who_does_not_know_the_secret_learns_nothing_not_even_of_which_mirrors_there_are() {
    let hooked = Hooked::new().await;
    let mirror = hooked.mirror.to_string();
    let mut answers = Vec::new();
    for (at, token) in [
        (mirror.as_str(), Some("open sesam")),
        (mirror.as_str(), Some("")),
        (mirror.as_str(), None),
        ("999", Some(TOKEN)),
        ("-1", Some(TOKEN)),
    ] {
        let token = token.map(|token| ("x-gitlab-token", token));
        let headers: Vec<_> = [("x-gitlab-event", "Issue Hook")]
            .into_iter()
            .chain(token)
            .collect();
        answers.push(hooked.sent(at, &headers, ISSUE).await);
    }
    let refused = (StatusCode::UNAUTHORIZED, String::new());
    assert!(
        answers.iter().all(|answer| *answer == refused),
        "{answers:?}"
    );
    assert!(hooked.owed().await.is_empty());
    let (status, _) = hooked.sent("first", &[], ISSUE).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_mirror_that_is_disabled_is_told_in_vain_and_one_that_rests_is_told_for_later() {
    let hooked = Hooked::new().await;
    let store = &hooked.service.state.store;
    hooked.looks_by_itself(false).await;
    let told = hooked.told("Issue Hook", ISSUE).await;
    assert_eq!(told, StatusCode::NO_CONTENT);
    hooked.looks_by_itself(true).await;
    assert!(hooked.owed().await.is_empty());
    store.pause_mirror(hooked.mirror, "a rest").await.unwrap();
    assert_eq!(hooked.told("Issue Hook", ISSUE).await, StatusCode::ACCEPTED);
    assert!(hooked.owed().await.is_empty());
    store.resume_mirror(hooked.mirror).await.unwrap();
    assert_eq!(hooked.owed().await.len(), 1);
}

#[tokio::test]
async fn a_signature_is_of_one_request_at_its_time() {
    let hooked = Hooked::new().await;
    let good = hooked.signed("message-1", 0, ISSUE);
    let other = ISSUE.replace("23", "24");
    for (signed, body) in [
        (good.clone(), other.as_str()),
        (
            Signed {
                id: "message-2".to_owned(),
                ..good.clone()
            },
            ISSUE,
        ),
        (
            Signed {
                stamp: "1".to_owned(),
                ..good.clone()
            },
            ISSUE,
        ),
        (
            Signed {
                stamp: "now".to_owned(),
                ..good.clone()
            },
            ISSUE,
        ),
        (
            Signed {
                signature: "v1,AAAA".to_owned(),
                ..good.clone()
            },
            ISSUE,
        ),
        (hooked.signed("message-1", -301, ISSUE), ISSUE),
        (hooked.signed("message-1", 301, ISSUE), ISSUE),
    ] {
        let status = hooked.told_signed(&signed, body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{}", signed.id);
    }
    assert!(hooked.owed().await.is_empty());
    for (message, late) in [("message-3", -300), ("message-4", 300)] {
        let signed = hooked.signed(message, late, ISSUE);
        let status = hooked.told_signed(&signed, ISSUE).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{late} s");
    }
    let mirror = hooked.mirror.to_string();
    let without_id = [
        ("x-gitlab-event", "Issue Hook"),
        ("webhook-signature", good.signature.as_str()),
        ("x-gitlab-token", TOKEN),
    ];
    let (status, _) = hooked.sent(&mirror, &without_id, ISSUE).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "the secret mends nothing");
}

#[tokio::test]
async fn a_signed_request_that_is_sent_again_is_refused_and_a_message_signed_anew_is_not() {
    let hooked = Hooked::new().await;
    let first = hooked.signed("message-1", 0, ISSUE);
    assert_eq!(
        hooked.told_signed(&first, ISSUE).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(hooked.owed().await.len(), 1);
    for _ in 0..2 {
        let again = hooked.told_signed(&first, ISSUE).await;
        assert_eq!(again, StatusCode::CONFLICT);
    }
    assert!(hooked.owed().await.is_empty());
    // As GitLab does when somebody has it resend an event.
    hooked.service.clock.advance(Duration::from_secs(30));
    let resent = hooked.signed("message-1", 0, ISSUE);
    assert_eq!(
        hooked.told_signed(&resent, ISSUE).await,
        StatusCode::ACCEPTED
    );
    assert_eq!(hooked.owed().await.len(), 1);
}

#[tokio::test]
async fn what_could_not_be_recorded_may_be_told_again() {
    let hooked = Hooked::new().await;
    hooked.service.state.store.close().await;
    let signed = hooked.signed("message-1", 0, ISSUE);
    let status = hooked.told_signed(&signed, ISSUE).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_hook_may_be_as_large_as_gitlab_makes_it_and_no_larger() {
    let hooked = Hooked::new().await;
    const LARGEST: usize = 25 * 1024 * 1024;
    let filled = |size: usize| format!("{ISSUE}{}", " ".repeat(size - ISSUE.len()));
    let told = hooked.told("Issue Hook", &filled(LARGEST)).await;
    assert_eq!(told, StatusCode::ACCEPTED);
    let headers = [("x-gitlab-event", "Issue Hook"), ("x-gitlab-token", TOKEN)];
    let mirror = hooked.mirror.to_string();
    let (status, text) = hooked.sent(&mirror, &headers, &filled(LARGEST + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(text.contains("25600 KiB"), "{text}");
    // Of somebody else it is not even read.
    let headers = [("x-gitlab-event", "Issue Hook"), ("x-gitlab-token", "no")];
    let (status, _) = hooked.sent(&mirror, &headers, &filled(LARGEST + 1)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn nothing_of_a_payload_gets_into_an_answer_or_a_log() {
    crate::log::keep();
    let hooked = Hooked::new().await;
    let mirror = hooked.mirror.to_string();
    let cut = &CONFIDENTIAL_NOTE[..CONFIDENTIAL_NOTE.len() - 9];
    let mut answers = String::new();
    for (event, token, body) in [
        ("Confidential Note Hook", TOKEN, CONFIDENTIAL_NOTE),
        ("Confidential Issue Hook", TOKEN, CONFIDENTIAL_ISSUE),
        ("Confidential Issue Hook", "Merger", CONFIDENTIAL_ISSUE),
        ("Confidential Note Hook", TOKEN, cut),
        ("Merger Hook", TOKEN, CONFIDENTIAL_NOTE),
    ] {
        let headers = [("x-gitlab-event", event), ("x-gitlab-token", token)];
        answers += &hooked.sent(&mirror, &headers, body).await.1;
    }
    let signed = hooked.signed("Merger", 0, CONFIDENTIAL_ISSUE);
    hooked.told_signed(&signed, CONFIDENTIAL_ISSUE).await;
    hooked.told_signed(&signed, CONFIDENTIAL_ISSUE).await;
    hooked.service.state.store.close().await;
    hooked
        .told("Confidential Issue Hook", CONFIDENTIAL_ISSUE)
        .await;
    let log = crate::log::kept();
    assert!(log.contains("could not be recorded"), "it is kept: {log}");
    for text in [log, answers] {
        for secret in ["Merger", "merger", "Acme", "anna", TOKEN, "whsec"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[tokio::test]
async fn a_hook_is_only_told_by_post() {
    let hooked = Hooked::new().await;
    let path = format!("/api/hooks/gitlab/{}", hooked.mirror);
    let answer = hooked.service.ask(Method::GET, &path, &[]).await;
    let answer = answer.is(StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.headers[header::ALLOW], "POST");
}
