//! Who may ask for what: tokens, sessions, people, the first administrator.

use crate::service::{DAY, PASSWORD, Service};
use axum::http::{Method, StatusCode, header};
use mirror_api::credential;
use mirror_runtime::SystemEntropy;
use mirror_store::Role;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn nobody_is_served_without_a_token_that_is_good() {
    let service = Service::new().await;
    let asked =
        async |headers: &[(&str, &str)]| service.ask(Method::GET, "/api/session", headers).await;
    let refused = asked(&[]).await.is(StatusCode::UNAUTHORIZED);
    let challenge = refused.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    for odd in ["Bearer imt_nobodys", "Bearer", "Basic YTpi", "imt_bare"] {
        asked(&[("authorization", odd)])
            .await
            .is(StatusCode::UNAUTHORIZED);
    }
    let token = service.token("ci", Role::Viewer).await;
    let answer = asked(&[("authorization", &token)]).await.is(StatusCode::OK);
    assert_eq!(answer.body["name"], "token:ci");
    assert_eq!(answer.body["role"], "viewer");
    assert_eq!(answer.body["csrf"], Value::Null);
    let used = service.state.store.tokens().await.unwrap()[0].last_used_at;
    assert_eq!(used, Some(service.state.store.now()));
    service.clock.advance(DAY);
    let late = asked(&[("authorization", &token)]).await;
    let late = late.is(StatusCode::UNAUTHORIZED);
    assert!(late.body["detail"].as_str().unwrap().contains("expired"));
}

#[tokio::test]
async fn a_role_opens_what_is_its_own_and_no_more() {
    let service = Service::new().await;
    let viewer = service.token("viewer", Role::Viewer).await;
    let operator = service.token("operator", Role::Operator).await;
    let admin = service.token("admin", Role::Admin).await;
    for (path, needed) in [("/api/audit", 1), ("/api/tokens", 2), ("/api/users", 2)] {
        for (role, token) in [&viewer, &operator, &admin].into_iter().enumerate() {
            let as_role = [("authorization", token.as_str())];
            let answer = service.ask(Method::GET, path, &as_role);
            let expected = if role >= needed {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            };
            assert_eq!(answer.await.status, expected, "{path} as {role}");
        }
    }
}

#[tokio::test]
async fn a_token_made_over_the_api_is_shown_once_and_refused_once_it_is_revoked() {
    let service = Service::new().await;
    let admin = service.token("admin", Role::Admin).await;
    let as_admin = [("authorization", admin.as_str())];
    let make = async |body| {
        let made = service.send(Method::POST, "/api/tokens", &as_admin, Some(body));
        made.await
    };
    let made = make(json!({"name": "ci", "role": "operator"})).await;
    let made = made.is(StatusCode::CREATED);
    let token = made.body["token"].as_str().unwrap().to_owned();
    let listed = service.ask(Method::GET, "/api/tokens", &as_admin).await;
    assert!(!listed.body.to_string().contains(&token));
    assert_eq!(listed.body[1]["created_by"], "token:admin");
    make(json!({"name": "ci", "role": "viewer"}))
        .await
        .is(StatusCode::CONFLICT);
    let wrong = json!({"name": "C I", "role": "viewer", "expires_at": "2001-01-01T00:00:00Z"});
    let wrong = make(wrong).await.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.body["errors"].as_array().unwrap().len(), 2);
    let bearer = format!("Bearer {token}");
    let with_it = [("authorization", bearer.as_str())];
    let who = service.ask(Method::GET, "/api/session", &with_it).await;
    who.is(StatusCode::OK);
    let path = format!("/api/tokens/{}", made.body["id"]);
    for expected in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND] {
        service
            .ask(Method::DELETE, &path, &as_admin)
            .await
            .is(expected);
    }
    let late = service.ask(Method::GET, "/api/session", &with_it).await;
    late.is(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_changes_nothing_for_a_page_that_is_not_its_own() {
    let service = Service::new().await;
    service.user("anna", Role::Admin).await;
    let wrong = service.log_in("anna", "some other words", &[]).await;
    wrong.is(StatusCode::UNAUTHORIZED);
    let logged_in = service.log_in("anna", PASSWORD, &[]).await;
    let (cookie, csrf) = (logged_in.cookie(), logged_in.csrf());
    let who = service
        .ask(Method::GET, "/api/session", &[("cookie", &cookie)])
        .await
        .is(StatusCode::OK);
    assert_eq!(who.body["name"], "user:anna");
    assert_eq!(who.csrf(), csrf);
    let make = async |headers: &[(&str, &str)]| {
        let body = json!({"name": "ci", "role": "viewer"});
        let made = service.send(Method::POST, "/api/tokens", headers, Some(body));
        made.await
    };
    make(&[("cookie", &cookie)]).await.is(StatusCode::FORBIDDEN);
    let forged = [("cookie", cookie.as_str()), ("x-csrf-token", "guessed")];
    make(&forged).await.is(StatusCode::FORBIDDEN);
    let own = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    make(&own).await.is(StatusCode::CREATED);
    let out = service.ask(Method::DELETE, "/api/session", &own).await;
    assert!(out.cookie().ends_with('='), "{out:?}");
    let late = service.ask(Method::GET, "/api/session", &own[..1]).await;
    late.is(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_changes_their_password_is_logged_out_everywhere_else() {
    const ANOTHER: &str = "another few words";
    let service = Service::new().await;
    service.user("anna", Role::Viewer).await;
    let here = service.log_in("anna", PASSWORD, &[]).await;
    let there = service.log_in("anna", PASSWORD, &[]).await;
    let (cookie, csrf) = (here.cookie(), here.csrf());
    let own = [("cookie", cookie.as_str()), ("x-csrf-token", csrf.as_str())];
    let change = async |headers: &[(&str, &str)], old: &str, new: &str| {
        let body = json!({"old": old, "new": new});
        let path = "/api/session/password";
        let changed = service.send(Method::PUT, path, headers, Some(body));
        changed.await
    };
    let token = service.token("ci", Role::Admin).await;
    let by_token = change(&[("authorization", &token)], PASSWORD, ANOTHER).await;
    by_token.is(StatusCode::FORBIDDEN);
    let wrong = change(&own, ANOTHER, ANOTHER).await;
    wrong.is(StatusCode::UNAUTHORIZED);
    let short = change(&own, PASSWORD, "short").await;
    short.is(StatusCode::UNPROCESSABLE_ENTITY);
    let changed = change(&own, PASSWORD, ANOTHER).await.is(StatusCode::OK);
    let (new, old, there) = (changed.cookie(), cookie.clone(), there.cookie());
    for (cookie, expected) in [
        (new, StatusCode::OK),
        (old, StatusCode::UNAUTHORIZED),
        (there, StatusCode::UNAUTHORIZED),
    ] {
        let with_it = [("cookie", cookie.as_str())];
        let who = service.ask(Method::GET, "/api/session", &with_it).await;
        who.is(expected);
    }
    let late = service.log_in("anna", PASSWORD, &[]).await;
    late.is(StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_guesses_passwords_waits_and_so_does_who_knows_it_then() {
    let service = Service::new().await;
    service.user("anna", Role::Viewer).await;
    for _ in 0..5 {
        let guess = service.log_in("anna", "some other words", &[]).await;
        guess.is(StatusCode::UNAUTHORIZED);
    }
    let closed = service.log_in("anna", PASSWORD, &[]).await;
    let closed = closed.is(StatusCode::TOO_MANY_REQUESTS);
    let wait = closed.headers[header::RETRY_AFTER].to_str().unwrap();
    let wait: u64 = wait.parse().unwrap();
    assert!((1..=901).contains(&wait), "{wait}");
    service.clock.advance(Duration::from_secs(wait));
    let open = service.log_in("anna", PASSWORD, &[]).await;
    open.is(StatusCode::OK);
}

#[tokio::test]
async fn who_is_not_there_is_refused_in_the_same_words_as_who_is_disabled() {
    let service = Service::new().await;
    service.user("anna", Role::Viewer).await;
    let disable = mirror_store::UserChange {
        disabled: Some(true),
        ..mirror_store::UserChange::default()
    };
    let changed = service.state.store.change_user("anna", &disable);
    changed.await.unwrap();
    let mut disabled = service.log_in("anna", PASSWORD, &[]).await;
    let mut nobody = service.log_in("nobody", PASSWORD, &[]).await;
    for answer in [&mut disabled, &mut nobody] {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        answer.body["request_id"] = Value::Null;
    }
    assert_eq!(disabled.body, nobody.body);
}

#[tokio::test]
async fn a_proxy_is_believed_where_it_is_trusted_only() {
    let tls = [
        ("x-forwarded-proto", "https"),
        ("x-forwarded-for", "198.51.100.9"),
    ];
    let stranger = Service::new().await;
    let trusted = Service::behind("192.0.2.0/24").await;
    for (service, secure, address) in [
        (&stranger, false, "192.0.2.7"),
        (&trusted, true, "198.51.100.9"),
    ] {
        service.user("anna", Role::Admin).await;
        let logged_in = service.log_in("anna", PASSWORD, &tls).await;
        let set = logged_in.headers[header::SET_COOKIE].to_str().unwrap();
        assert_eq!(set.starts_with("__Host-"), secure, "{set}");
        assert_eq!(set.contains("; Secure"), secure, "{set}");
        let cookie = logged_in.cookie();
        let mut headers = tls.to_vec();
        headers.push(("cookie", &cookie));
        let audit = service.ask(Method::GET, "/api/audit", &headers).await;
        assert_eq!(audit.body[0]["address"], address, "{audit:?}");
    }
}

#[tokio::test]
async fn the_first_administrator_comes_in_by_the_code_and_nobody_after_them() {
    let service = Service::new().await;
    let open = async || service.ask(Method::GET, "/api/setup", &[]).await.body["open"].clone();
    assert_eq!(open().await, true);
    let minted = credential::setup_code(&SystemEntropy);
    let store = &service.state.store;
    assert!(store.offer_setup(&minted.digest).await.unwrap());
    let set_up = async |code: &str, password: &str| {
        let body = json!({"code": code, "name": "anna", "password": password});
        let set_up = service.send(Method::POST, "/api/setup", &[], Some(body));
        set_up.await
    };
    set_up("AAAAA-AAAAA-AAAAA-AAAAA", PASSWORD)
        .await
        .is(StatusCode::FORBIDDEN);
    let short = set_up(&minted.secret, "short").await;
    let short = short.is(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(short.body["errors"][0]["pointer"], "/password");
    let first = set_up(&minted.secret.to_lowercase(), PASSWORD).await;
    let first = first.is(StatusCode::OK);
    assert_eq!(first.body["role"], "admin");
    let cookie = first.cookie();
    let users = service
        .ask(Method::GET, "/api/users", &[("cookie", &cookie)])
        .await
        .is(StatusCode::OK);
    assert_eq!(users.body[0]["name"], "anna");
    assert_eq!(open().await, false);
    set_up(&minted.secret, PASSWORD)
        .await
        .is(StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn people_are_let_in_changed_and_sent_away_and_it_is_on_record() {
    let service = Service::new().await;
    let admin = service.token("admin", Role::Admin).await;
    let as_admin = [("authorization", admin.as_str())];
    let send = async |method, path: &str, body| {
        let sent = service.send(method, path, &as_admin, body);
        sent.await
    };
    let anna = json!({"name": "anna", "role": "admin", "password": PASSWORD});
    let made = send(Method::POST, "/api/users", Some(anna.clone())).await;
    made.is(StatusCode::CREATED);
    let again = send(Method::POST, "/api/users", Some(anna)).await;
    again.is(StatusCode::CONFLICT);
    let odd = json!({"name": "", "role": "admin", "password": "short", "x": 1});
    let odd = send(Method::POST, "/api/users", Some(odd)).await;
    odd.is(StatusCode::UNPROCESSABLE_ENTITY);
    let logged_in = service.log_in("anna", PASSWORD, &[]).await;
    let cookie = logged_in.cookie();
    let demote = || Some(json!({"role": "viewer"}));
    let last = send(Method::PATCH, "/api/users/anna", demote()).await;
    last.is(StatusCode::CONFLICT);
    let last = send(Method::DELETE, "/api/users/anna", None).await;
    last.is(StatusCode::CONFLICT);
    service.user("ben", Role::Admin).await;
    let changed = send(Method::PATCH, "/api/users/anna", demote()).await;
    assert_eq!(changed.is(StatusCode::OK).body["role"], "viewer");
    let with_cookie = [("cookie", cookie.as_str())];
    let who = service.ask(Method::GET, "/api/session", &with_cookie).await;
    assert_eq!(who.body["role"], "viewer", "it counts at once");
    let another = Some(json!({"password": "another few words"}));
    let changed = send(Method::PATCH, "/api/users/anna", another).await;
    changed.is(StatusCode::OK);
    let out = service.ask(Method::GET, "/api/session", &with_cookie).await;
    out.is(StatusCode::UNAUTHORIZED);
    let gone = send(Method::DELETE, "/api/users/anna", None).await;
    gone.is(StatusCode::NO_CONTENT);
    let nobody = send(Method::GET, "/api/users/anna", None).await;
    nobody.is(StatusCode::NOT_FOUND);
    let audit = service
        .ask(Method::GET, "/api/audit?what=user.", &as_admin)
        .await;
    let whats: Vec<&str> = audit
        .body
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["what"].as_str().unwrap())
        .collect();
    assert_eq!(
        whats,
        ["user.delete", "user.password", "user.update", "user.create"]
    );
    let update = &audit.body[2];
    assert_eq!(update["before"]["role"], "admin");
    assert_eq!(update["after"]["role"], "viewer");
    assert_eq!(update["who"], "token:admin");
    assert!(update["request_id"].is_string() && update["address"] == "192.0.2.7");
    assert!(!audit.body.to_string().contains("argon2"));
}

#[tokio::test]
async fn the_audit_is_walked_page_by_page() {
    let service = Service::new().await;
    let operator = service.token("operator", Role::Operator).await;
    let as_operator = [("authorization", operator.as_str())];
    service.user("anna", Role::Viewer).await;
    for _ in 0..3 {
        service.log_in("anna", PASSWORD, &[]).await;
    }
    let first = service
        .ask(
            Method::GET,
            "/api/audit?who=user:anna&per_page=2",
            &as_operator,
        )
        .await
        .is(StatusCode::OK);
    assert_eq!(first.body.as_array().unwrap().len(), 2);
    let link = first.headers[header::LINK].to_str().unwrap();
    let next = link.split(", ").find(|link| link.ends_with("\"next\""));
    let next = next.unwrap().trim_start_matches('<').split('>').next();
    let rest = service.ask(Method::GET, next.unwrap(), &as_operator).await;
    assert_eq!(rest.body.as_array().unwrap().len(), 1, "{rest:?}");
    let odd = service.ask(Method::GET, "/api/audit?whom=x", &as_operator);
    odd.await.is(StatusCode::BAD_REQUEST);
}
