//! Issues by their titles.

use crate::service::{Answer, Service};
use axum::http::{Method, StatusCode};
use mirror_core::ids::MirrorId;
use mirror_store::{Role, testing::fill};

/// More than one page looks at.
const ISSUES: i64 = 2_000;

struct Searched {
    service: Service,
    mirror: MirrorId,
    viewer: String,
}

impl Searched {
    /// A mirror with issues called "Wheel 1 squeaks when it turns" and so on.
    async fn new() -> Self {
        let service = Service::new().await;
        let mirror = service.mirror_of(1).await;
        fill(&service.state.store, mirror, ISSUES).await.unwrap();
        let viewer = service.token("viewer", Role::Viewer).await;
        Self {
            service,
            mirror,
            viewer,
        }
    }

    async fn ask(&self, query: &str) -> Answer {
        let path = format!("/api/mirrors/{}/issue-sync/issues{query}", self.mirror);
        let viewer = [("authorization", self.viewer.as_str())];
        self.service.ask(Method::GET, &path, &viewer).await
    }

    /// The numbers of those found, page by page.
    async fn found(&self, query: &str) -> Vec<Vec<i64>> {
        let (mut pages, mut next) = (Vec::new(), Some(query.to_owned()));
        while let Some(query) = next {
            let page = self.ask(&query).await.is(StatusCode::OK);
            let rows = page.body.as_array().unwrap().iter();
            pages.push(
                rows.map(|row| row["source_iid"].as_i64().unwrap())
                    .collect(),
            );
            next = page.next_page();
        }
        pages
    }
}

#[tokio::test]
async fn issues_are_found_by_title_and_number_however_many_there_are() {
    let searched = Searched::new().await;
    let found = searched.found("?search=wHEEL%2019&per_page=8").await;
    let lengths: Vec<usize> = found.iter().map(Vec::len).collect();
    // Of the first 1,000: 19 and 190 to 199; of the others 1900 to 1999.
    assert_eq!(lengths[..3], [8, 3, 8]);
    let mut all = vec![19];
    all.extend((190..200).chain(1_900..2_000));
    assert_eq!(found.concat(), all);
    for number in ["1990", "%231990"] {
        let found = searched.found(&format!("?search={number}")).await;
        assert_eq!(found.concat(), [1_990], "{number}");
    }
    let failed = searched.found("?search=squeaks&status=failed").await;
    assert_eq!(failed.concat(), [1_000, 2_000]);
    assert_eq!(searched.found("?search=brakes").await, [[0; 0]; 3]);
    let shown = &searched.ask("?iid=7").await.body[0];
    assert_eq!(shown["title"], "Wheel 7 squeaks when it turns");
}

#[tokio::test]
async fn what_cannot_be_searched_for_is_refused() {
    let searched = Searched::new().await;
    let long = format!("?search={}", "x".repeat(256));
    for query in ["?search=", "?search=%20", "?search=wheel&page=2", &long] {
        let answer = searched.ask(query).await.is(StatusCode::BAD_REQUEST);
        assert_eq!(
            answer.headers["content-type"], "application/problem+json",
            "{query}"
        );
    }
}
