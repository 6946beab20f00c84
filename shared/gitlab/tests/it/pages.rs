//! Lists in pages, and the proof that nothing was missed.

use crate::support::{Lab, PROJECT, Seen, Server, issue_json, note_json, status};
use axum::{body::Body, http::Response};
use mirror_core::ids::{Iid, UserId};
use mirror_gitlab::{ErrorKind, IssueQuery, Sort};
use std::sync::Mutex;

/// A list of discussions, one letter each in the test's eyes, paged by a hundred; rows that the
/// token may not see are counted, but not shown.
struct Threads {
    rows: Vec<i64>,
    hidden: fn(i64) -> bool,
}

impl Threads {
    fn of(rows: impl IntoIterator<Item = i64>) -> Self {
        Self {
            rows: rows.into_iter().collect(),
            hidden: |_| false,
        }
    }

    fn page(&self, seen: &Seen) -> Response<Body> {
        let (page, size) = (number(seen, "page"), number(seen, "per_page"));
        let pages = self.rows.len().div_ceil(size).max(1);
        let rows: Vec<String> = self
            .rows
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .filter(|id| !(self.hidden)(**id))
            .map(|id| {
                format!(
                    r#"{{"id":"thread{id}","individual_note":true,"notes":[{}]}}"#,
                    note_json(*id)
                )
            })
            .collect();
        let next = if page < pages {
            (page + 1).to_string()
        } else {
            String::new()
        };
        let total = self.rows.len().to_string();
        let headers = [
            ("content-type", "application/json"),
            ("x-next-page", next.as_str()),
            ("x-total", total.as_str()),
            (
                "link",
                "<http://configured.invalid/api/v4/elsewhere?page=2>; rel=\"next\"",
            ),
        ];
        status(200, &headers, &format!("[{}]", rows.join(",")))
    }
}

fn number(seen: &Seen, name: &str) -> usize {
    let (_, query) = seen.target.split_once('?').unwrap();
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let mut found = pairs.filter(|(key, _)| key == name);
    found.next().unwrap().1.parse().unwrap()
}

async fn walk(server: &Server) -> Result<Vec<String>, mirror_gitlab::Error> {
    let found = Lab::new()
        .client(&server.url)
        .discussions(PROJECT, Iid(3))
        .await?;
    Ok(found.value.into_iter().map(|thread| thread.id).collect())
}

fn pages(server: &Server) -> Vec<usize> {
    server
        .seen()
        .iter()
        .map(|seen| number(seen, "page"))
        .collect()
}

fn ids(rows: impl IntoIterator<Item = i64>) -> Vec<String> {
    rows.into_iter().map(|id| format!("thread{id}")).collect()
}

#[tokio::test]
async fn one_page_proves_itself_with_one_request() {
    let server = Server::answering(|seen, _| Threads::of(0..100).page(seen)).await;
    assert_eq!(walk(&server).await.unwrap(), ids(0..100));
    assert_eq!(pages(&server), [1]);
}

#[tokio::test]
async fn several_pages_are_read_again_but_for_the_last() {
    let server = Server::answering(|seen, _| Threads::of(0..250).page(seen)).await;
    assert_eq!(walk(&server).await.unwrap(), ids(0..250));
    assert_eq!(pages(&server), [1, 2, 3, 1, 2]);
}

#[tokio::test]
async fn short_and_empty_pages_are_not_the_last_ones() {
    let server = Server::answering(|seen, _| {
        let mut threads = Threads::of(0..250);
        // Half of the first page and all of the second are lines the token may not see.
        threads.hidden = |id| (50..200).contains(&id);
        threads.page(seen)
    })
    .await;
    let expected: Vec<i64> = (0..50).chain(200..250).collect();
    assert_eq!(walk(&server).await.unwrap(), ids(expected));
}

#[tokio::test]
async fn row_deleted_mid_walk_makes_the_list_be_walked_again() {
    // Row 100 slides to the first page when row 7 goes, after that page was read.
    let server = Server::answering(|seen, before| {
        let rows = (0..150).filter(move |id| before == 0 || *id != 7);
        Threads::of(rows).page(seen)
    })
    .await;
    let expected: Vec<i64> = (0..150).filter(|id| *id != 7).collect();
    assert_eq!(walk(&server).await.unwrap(), ids(expected));
}

#[tokio::test]
async fn row_deleted_and_another_added_mid_walk_is_seen_although_the_total_is_the_same() {
    let server = Server::answering(|seen, before| {
        let rows: Vec<i64> = match before {
            0 => (0..150).collect(),
            _ => (0..151).filter(|id| *id != 7).collect(),
        };
        Threads::of(rows).page(seen)
    })
    .await;
    let expected: Vec<i64> = (0..151).filter(|id| *id != 7).collect();
    assert_eq!(walk(&server).await.unwrap(), ids(expected));
}

#[tokio::test]
async fn list_that_never_holds_still_proves_nothing() {
    let gone = Mutex::new(0);
    let server = Server::answering(move |seen, _| {
        let mut gone = gone.lock().unwrap();
        *gone += 1;
        Threads::of(*gone..*gone + 150).page(seen)
    })
    .await;
    let error = walk(&server).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::UnprovenWalk);
    assert!(error.is_transient());
}

#[tokio::test]
async fn page_that_does_not_tell_whether_it_is_the_last_is_no_answer() {
    let server = Server::answering(|_, _| status(200, &[], "[]")).await;
    let error = walk(&server).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Malformed { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn next_page_that_leads_back_is_no_answer() {
    let server = Server::answering(|_, _| status(200, &[("x-next-page", "1")], "[]")).await;
    let error = walk(&server).await.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::Malformed { .. }),
        "{error}"
    );
}

#[tokio::test]
async fn issues_are_listed_in_all_states_by_their_last_change() {
    let server = Server::answering(|_, _| {
        let headers = [
            ("content-type", "application/json"),
            ("x-next-page", "3"),
            ("x-total", "450"),
            ("date", "Fri, 15 Jan 2027 07:00:00 GMT"),
            ("link", "<http://configured.invalid/?page=3>; rel=\"next\""),
        ];
        status(200, &headers, &format!("[{}]", issue_json(3)))
    })
    .await;
    let query = IssueQuery {
        updated_after: Some("2026-01-02T03:04:05.678901Z".parse().unwrap()),
        iids: vec![Iid(3), Iid(4)],
        sort: Sort::Desc,
        page: 2,
        per_page: 50,
        with_label_details: true,
        author_id: Some(UserId(9)),
        ..IssueQuery::default()
    };
    let client = Lab::new().client(&server.url);
    let page = client.issues(PROJECT, &query).await.unwrap();
    assert_eq!((page.next_page, page.total), (Some(3), Some(450)));
    assert_eq!(
        page.clock.unwrap().to_rfc3339(),
        "2027-01-15T07:00:00+00:00"
    );
    let asked = &server.targets()[0];
    assert_eq!(
        asked,
        "/api/v4/projects/7/issues?state=all&scope=all&order_by=updated_at&sort=desc\
         &updated_after=2026-01-02T03%3A04%3A05.678901Z&iids%5B%5D=3&iids%5B%5D=4\
         &author_id=9&with_labels_details=true&page=2&per_page=50"
    );
}

#[tokio::test]
async fn threads_too_long_for_a_page_of_a_hundred_come_in_shorter_ones() {
    let server = Server::answering(|seen, _| Threads::of(0..25).page(seen)).await;
    let mut lab = Lab::new();
    lab.options.body_cap = 2000;
    let found = lab
        .client(&server.url)
        .discussions(PROJECT, Iid(3))
        .await
        .unwrap();
    let found: Vec<String> = found.value.into_iter().map(|thread| thread.id).collect();
    assert_eq!(found, ids(0..25));
    assert_eq!(pages(&server), [1, 1, 2, 3, 1, 2]);
}
