//! Who may do what: people, tokens, sessions, and how the first administrator comes in.

use crate::world::{World, stories};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_store::{ApiToken, LoginGate, NewToken, NewUser, Role, StoreError, User, UserChange};

const NOTHING: UserChange<'static> = UserChange {
    role: None,
    disabled: None,
    password: None,
};

fn disabled(disabled: bool) -> UserChange<'static> {
    UserChange {
        disabled: Some(disabled),
        ..NOTHING
    }
}

fn role(role: Role) -> UserChange<'static> {
    UserChange {
        role: Some(role),
        ..NOTHING
    }
}

fn password(password: &str) -> UserChange<'_> {
    UserChange {
        password: Some(password),
        ..NOTHING
    }
}

stories! {
    a_person_is_let_in_changed_and_sent_away
    the_last_administrator_cannot_be_sent_away
    a_token_is_found_by_its_digest_until_it_is_revoked
    a_token_tells_when_it_was_last_used_to_the_minute
    a_session_ends_when_nothing_is_done_and_after_a_week
    who_is_disabled_or_gets_another_password_is_logged_out
    a_password_that_was_changed_meanwhile_starts_no_session
    five_failures_close_the_gate_for_that_name_alone
    many_names_from_one_address_close_the_gate_too
    whoever_succeeds_begins_anew
    the_first_administrator_comes_in_by_a_code_that_works_once
    a_code_is_good_for_a_day_and_for_nobodys_service_only
}

impl World {
    async fn user(&self, name: &str, role: Role) -> User {
        let name = name.parse().unwrap();
        let new = NewUser {
            name: &name,
            role,
            password: "hashed",
        };
        self.store.create_user(&new).await.unwrap()
    }

    async fn token(
        &self,
        name: &str,
        expires_at: Option<DateTime<Utc>>,
    ) -> Result<ApiToken, StoreError> {
        let digest = format!("digest of {name} at {}", self.store.now());
        let new = NewToken {
            name: &name.parse().unwrap(),
            role: Role::Operator,
            digest: &digest,
            hint: "imt_abcd",
            created_by: "user:anna",
            expires_at,
        };
        self.store.create_token(&new).await
    }

    async fn token_found(&self, made: &ApiToken) -> ApiToken {
        let digest = format!("digest of {} at {}", made.name, made.created_at);
        let found = self.store.token_by_digest(&digest).await;
        found.unwrap().unwrap()
    }

    async fn logged_in(&self, digest: &str) -> bool {
        self.store.session(digest).await.unwrap().is_some()
    }

    async fn attempt(&self, name: &str, address: &str) -> LoginGate {
        self.store.begin_login(name, address).await.unwrap()
    }
}

async fn a_person_is_let_in_changed_and_sent_away(world: World) {
    let store = &world.store;
    world.user("root", Role::Admin).await;
    let anna = world.user("anna", Role::Viewer).await;
    let again = NewUser {
        name: &"anna".parse().unwrap(),
        role: Role::Viewer,
        password: "other",
    };
    let taken = store.create_user(&again).await;
    assert!(matches!(taken, Err(StoreError::HandleTaken(name)) if name.as_str() == "anna"));
    let change = role(Role::Operator);
    let (before, after) = store.change_user("anna", &change).await.unwrap();
    assert_eq!((&before, after.role), (&anna, Role::Operator));
    let change = UserChange {
        password: Some("another"),
        ..disabled(true)
    };
    store.change_user("anna", &change).await.unwrap();
    let (user, hashed) = store.password_of("anna").await.unwrap().unwrap();
    assert_eq!((user.role, user.disabled), (Role::Operator, true));
    assert_eq!(hashed, "another");
    let names = |users: Vec<User>| users.into_iter().map(|user| user.name).collect::<Vec<_>>();
    assert_eq!(names(store.users().await.unwrap()), ["anna", "root"]);
    store.delete_user("anna").await.unwrap();
    assert_eq!(store.user("anna").await.unwrap(), None);
    assert_eq!(store.password_of("an\0na").await.unwrap(), None);
    let nobody = store.delete_user("anna").await;
    assert!(matches!(nobody, Err(StoreError::NoSuchUser(name)) if name == "anna"));
}

async fn the_last_administrator_cannot_be_sent_away(world: World) {
    let store = &world.store;
    world.user("root", Role::Admin).await;
    world.user("other", Role::Admin).await;
    store.change_user("other", &disabled(true)).await.unwrap();
    let demoted = UserChange {
        role: Some(Role::Operator),
        ..password("another")
    };
    let refused = [
        store.delete_user("root").await.err(),
        store.change_user("root", &disabled(true)).await.err(),
        store.change_user("root", &demoted).await.err(),
    ];
    for refused in refused {
        assert!(matches!(refused, Some(StoreError::LastAdmin(name)) if name == "root"));
    }
    let (_, kept) = store.password_of("root").await.unwrap().unwrap();
    assert_eq!(kept, "hashed", "all of a change, or nothing");
    store.change_user("other", &disabled(false)).await.unwrap();
    store.delete_user("root").await.unwrap();
}

async fn a_token_is_found_by_its_digest_until_it_is_revoked(world: World) {
    let store = &world.store;
    let in_a_day = store.now() + TimeDelta::days(1);
    let ci = world.token("ci", Some(in_a_day)).await.unwrap();
    let taken = world.token("ci", None).await;
    assert!(matches!(taken, Err(StoreError::HandleTaken(_))));
    assert_eq!(world.token_found(&ci).await, ci);
    assert!(ci.is_good(store.now()) && !ci.is_good(in_a_day));
    assert_eq!(store.token_by_digest("no such").await.unwrap(), None);
    let revoked = store.revoke_token(ci.id).await.unwrap();
    assert!(!revoked.is_good(store.now()));
    assert_eq!(world.token_found(&ci).await, revoked);
    let twice = store.revoke_token(ci.id).await;
    assert!(matches!(twice, Err(StoreError::NoSuchToken)));
    world.advance(1);
    let next = world.token("ci", None).await.unwrap();
    assert_eq!(store.tokens().await.unwrap(), [revoked, next.clone()]);
    assert_eq!(store.token(next.id).await.unwrap(), Some(next));
}

async fn a_token_tells_when_it_was_last_used_to_the_minute(world: World) {
    let store = &world.store;
    let ci = world.token("ci", None).await.unwrap();
    store.token_used(&ci).await.unwrap();
    let first = store.now();
    world.advance(59);
    store
        .token_used(&world.token_found(&ci).await)
        .await
        .unwrap();
    assert_eq!(world.token_found(&ci).await.last_used_at, Some(first));
    world.advance(1);
    store
        .token_used(&world.token_found(&ci).await)
        .await
        .unwrap();
    assert_eq!(world.token_found(&ci).await.last_used_at, Some(store.now()));
}

async fn a_session_ends_when_nothing_is_done_and_after_a_week(world: World) {
    const HOUR: u64 = 3_600;
    let store = &world.store;
    let anna = world.user("anna", Role::Operator).await;
    for digest in ["idle", "busy", "ended"] {
        assert!(
            store
                .start_session(digest, anna.id, "hashed")
                .await
                .unwrap()
        );
    }
    assert!(store.end_session("ended").await.unwrap());
    assert!(!store.end_session("ended").await.unwrap());
    world.advance(11 * HOUR);
    let session = store.session("busy").await.unwrap().unwrap();
    assert_eq!(session.user, anna);
    store.session_seen("busy", &session).await.unwrap();
    world.advance(HOUR);
    assert!(!world.logged_in("idle").await && world.logged_in("busy").await);
    for _ in 0..15 {
        let session = store.session("busy").await.unwrap().unwrap();
        store.session_seen("busy", &session).await.unwrap();
        world.advance(10 * HOUR);
    }
    assert!(world.logged_in("busy").await);
    world.advance(6 * HOUR);
    assert!(!world.logged_in("busy").await, "a week is over");
}

async fn who_is_disabled_or_gets_another_password_is_logged_out(world: World) {
    let store = &world.store;
    let anna = world.user("anna", Role::Operator).await;
    assert!(
        store
            .start_session("first", anna.id, "hashed")
            .await
            .unwrap()
    );
    store.change_user("anna", &disabled(true)).await.unwrap();
    assert!(!world.logged_in("first").await);
    let second = store.start_session("second", anna.id, "hashed").await;
    assert!(!second.unwrap());
    store.change_user("anna", &disabled(false)).await.unwrap();
    assert!(!world.logged_in("first").await, "it has ended for good");
    assert!(
        store
            .start_session("third", anna.id, "hashed")
            .await
            .unwrap()
    );
    let viewer = role(Role::Viewer);
    store.change_user("anna", &viewer).await.unwrap();
    let session = store.session("third").await.unwrap().unwrap();
    assert_eq!(session.user.role, Role::Viewer, "a role counts at once");
    let other = password("other");
    store.change_user("anna", &other).await.unwrap();
    assert!(!world.logged_in("third").await);
    assert!(
        store
            .start_session("fourth", anna.id, "other")
            .await
            .unwrap()
    );
    store.delete_user("anna").await.unwrap();
    assert!(!world.logged_in("fourth").await);
}

async fn a_password_that_was_changed_meanwhile_starts_no_session(world: World) {
    let anna = world.user("anna", Role::Operator).await;
    let started = world.store.start_session("digest", anna.id, "old");
    assert!(!started.await.unwrap());
    assert!(!world.logged_in("digest").await);
}

async fn five_failures_close_the_gate_for_that_name_alone(world: World) {
    let begun = world.store.now();
    for address in ["a", "b", "c", "d", "e"] {
        assert_eq!(world.attempt("anna", address).await, LoginGate::Open);
        world.advance(60);
    }
    let until = begun + TimeDelta::minutes(15);
    let closed = LoginGate::ClosedUntil(until);
    assert_eq!(world.attempt("anna", "f").await, closed);
    assert_eq!(world.attempt("berta", "a").await, LoginGate::Open);
    world.advance(10 * 60 - 1);
    assert_eq!(world.attempt("anna", "f").await, closed);
    world.advance(1);
    assert_eq!(world.attempt("anna", "f").await, LoginGate::Open);
}

async fn many_names_from_one_address_close_the_gate_too(world: World) {
    for number in 0..20 {
        let name = format!("name-{number}");
        assert_eq!(world.attempt(&name, "a").await, LoginGate::Open);
    }
    let closed = world.attempt("name-21", "a").await;
    assert!(matches!(closed, LoginGate::ClosedUntil(_)));
    assert_eq!(world.attempt("name-21", "b").await, LoginGate::Open);
    let odd = format!("\0{}", "x".repeat(10_000));
    assert_eq!(world.attempt(&odd, &odd).await, LoginGate::Open);
}

async fn whoever_succeeds_begins_anew(world: World) {
    for _ in 0..50 {
        assert_eq!(world.attempt("anna", "a").await, LoginGate::Open);
        world.store.login_succeeded("anna", "a").await.unwrap();
    }
    for _ in 0..5 {
        assert_eq!(world.attempt("anna", "a").await, LoginGate::Open);
    }
    let closed = world.attempt("anna", "a").await;
    assert!(matches!(closed, LoginGate::ClosedUntil(_)));
}

async fn the_first_administrator_comes_in_by_a_code_that_works_once(world: World) {
    let store = &world.store;
    assert!(store.is_nobodys().await.unwrap());
    for code in ["one", "two"] {
        assert!(store.offer_setup(code).await.unwrap());
    }
    let (root, other) = ("root".parse().unwrap(), "other".parse().unwrap());
    let first = |name| NewUser {
        name,
        role: Role::Admin,
        password: "hashed",
    };
    let wrong = store.set_up("three", &first(&root)).await;
    assert!(matches!(wrong, Err(StoreError::SetupClosed)));
    let user = store.set_up("one", &first(&root)).await.unwrap();
    assert_eq!((user.name.as_str(), user.role), ("root", Role::Admin));
    assert!(!store.is_nobodys().await.unwrap());
    for code in ["one", "two"] {
        let late = store.set_up(code, &first(&other)).await;
        assert!(matches!(late, Err(StoreError::SetupClosed)), "{code}");
    }
    assert!(!store.offer_setup("four").await.unwrap());
}

async fn a_code_is_good_for_a_day_and_for_nobodys_service_only(world: World) {
    let store = &world.store;
    let root = "root".parse().unwrap();
    let first = NewUser {
        name: &root,
        role: Role::Admin,
        password: "hashed",
    };
    store.offer_setup("old").await.unwrap();
    world.advance(24 * 3_600);
    let late = store.set_up("old", &first).await;
    assert!(matches!(late, Err(StoreError::SetupClosed)));
    store.offer_setup("new").await.unwrap();
    world.token("ci", None).await.unwrap();
    let taken = store.set_up("new", &first).await;
    assert!(matches!(taken, Err(StoreError::SetupClosed)));
    assert!(!store.offer_setup("newer").await.unwrap());
}
