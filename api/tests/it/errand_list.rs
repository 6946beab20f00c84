//! The list of errands.

use crate::service::{Answer, Service};
use axum::http::{Method, StatusCode};
use mirror_core::{errand::Errand, ids::InstanceId, ids::InstanceName};
use mirror_store::{Asking, Role};

/// Of two instances, and three errands about each in turn.
async fn with_errands() -> (Service, [InstanceId; 2]) {
    let service = Service::new().await;
    let store = &service.state.store;
    let mut instances = [InstanceId(0); 2];
    for (place, name) in instances.iter_mut().zip(["gitlab.a", "gitlab.b"]) {
        let base = format!("https://{name}/api/v4");
        let name = InstanceName(name.to_owned());
        *place = store.register_instance(&name, &base, &[]).await.unwrap();
    }
    for _ in 0..3 {
        for instance in instances {
            let asking = Asking {
                errand: &Errand::CheckInstance { instance },
                by: "somebody",
                key: None,
            };
            store.ask(&asking).await.unwrap();
        }
    }
    (service, instances)
}

fn ids(answer: &Answer) -> Vec<i64> {
    let rows = answer.body.as_array().unwrap().iter();
    rows.map(|row| row["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn errands_are_walked_page_by_page_by_number_and_by_key() {
    let (service, _) = with_errands().await;
    let viewer = service.token("viewer", Role::Viewer).await;
    let as_viewer = [("authorization", viewer.as_str())];
    let list = async |query: &str| {
        let path = format!("/api/errands{query}");
        let answer = service.ask(Method::GET, &path, &as_viewer).await;
        answer.is(StatusCode::OK)
    };
    assert_eq!(ids(&list("").await), [6, 5, 4, 3, 2, 1]);
    assert_eq!(ids(&list("?per_page=2&page=2").await), [4, 3]);
    let mut walked = Vec::new();
    let mut next = Some("?per_page=4".to_owned());
    while let Some(query) = next {
        let page = list(&query).await;
        walked.push(ids(&page));
        next = page.next_page();
    }
    assert_eq!(walked, [vec![6, 5, 4, 3], vec![2, 1]]);
}

#[tokio::test]
async fn errands_are_listed_by_kind_state_mirror_and_instance() {
    let (service, [_, instance]) = with_errands().await;
    let viewer = service.token("viewer", Role::Viewer).await;
    let as_viewer = [("authorization", viewer.as_str())];
    let ask = async |query: &str| {
        let path = format!("/api/errands?{query}");
        service.ask(Method::GET, &path, &as_viewer).await
    };
    for (query, expected) in [
        (format!("instance_id={instance}"), vec![6, 4, 2]),
        (
            "kind=check_instance&state=waiting&per_page=2".to_owned(),
            vec![6, 5],
        ),
        ("kind=plan".to_owned(), vec![]),
        ("state=failed".to_owned(), vec![]),
        ("mirror_id=1".to_owned(), vec![]),
        (format!("instance_id={instance}&after=4"), vec![2]),
    ] {
        let answer = ask(&query).await.is(StatusCode::OK);
        assert_eq!(ids(&answer), expected, "{query}");
    }
    for wrong in [
        "kind=sync",
        "state=pending",
        "mirror_id=x",
        "per_page=201",
        "sort=id",
    ] {
        let answer = ask(wrong).await.is(StatusCode::BAD_REQUEST);
        let name = wrong.split('=').next().unwrap();
        let told = answer.body["errors"][0].to_string();
        assert!(told.contains(name), "{wrong}: {told}");
    }
}
