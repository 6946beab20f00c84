use serde_json::Value;

use gitlab_sim::Sim;

use crate::site::Site;

fn with_issues(site: &Site, count: u64) {
    for number in 0..count {
        site.issue(&format!("number {number}"));
    }
}

#[tokio::test]
async fn twenty_rows_by_default_and_a_hundred_at_most() {
    let site = Site::new();
    with_issues(&site, 120);
    let page = site.get("owner", "/projects/1/issues").await;
    assert_eq!(page.iids().len(), 20);
    assert_eq!(page.header("x-per-page"), Some("20"));
    let page = site.get("owner", "/projects/1/issues?per_page=500").await;
    assert_eq!(page.iids().len(), 100);
    assert_eq!(page.header("x-per-page"), Some("100"));
}

#[tokio::test]
async fn headers_describe_the_page_and_next_is_empty_on_the_last() {
    let site = Site::new();
    with_issues(&site, 5);
    let first = site.get("owner", "/projects/1/issues?per_page=2").await;
    let told = |name: &str| first.header(name).expect("a header").to_owned();
    assert_eq!(told("x-page"), "1");
    assert_eq!(told("x-next-page"), "2");
    assert_eq!(told("x-prev-page"), "");
    assert_eq!(told("x-total"), "5");
    assert_eq!(told("x-total-pages"), "3");
    let last = site
        .get("owner", "/projects/1/issues?per_page=2&page=3")
        .await;
    assert_eq!(last.header("x-next-page"), Some(""));
    assert_eq!(last.header("x-prev-page"), Some("2"));
    assert_eq!(last.iids().len(), 1);
}

#[tokio::test]
async fn links_name_the_configured_host_not_the_called_one() {
    let site = Site::with(Sim::builder().external_url("https://gitlab.a.example/sub"));
    with_issues(&site, 3);
    let request = Site::request(
        "GET",
        "owner",
        "/projects/1/issues?per_page=1&state=all",
        None,
    );
    let (mut parts, body) = request.into_parts();
    parts.uri = "/sub/api/v4/projects/1/issues?per_page=1&state=all"
        .parse()
        .expect("an address");
    parts
        .headers
        .insert("host", "127.0.0.1:9".parse().expect("a host"));
    let page = site.send(http::Request::from_parts(parts, body)).await;
    let link = page.header("link").expect("links");
    assert!(link.contains("<https://gitlab.a.example/sub/api/v4/projects/1/issues?state=all&page=2&per_page=1>; rel=\"next\""), "{link}");
    assert!(link.contains("rel=\"last\""));
    assert!(!link.contains("127.0.0.1"));
}

#[tokio::test]
async fn above_ten_thousand_rows_totals_are_not_told() {
    let site = Site::new();
    with_issues(&site, 10_001);
    let page = site.get("owner", "/projects/1/issues?per_page=100").await;
    assert_eq!(page.header("x-total"), None);
    assert_eq!(page.header("x-total-pages"), None);
    assert_eq!(page.header("x-next-page"), Some("2"));
    assert!(!page.header("link").expect("links").contains("rel=\"last\""));
}

#[tokio::test]
async fn keyset_is_405_below_18_3_and_walks_by_cursor_from_there() {
    let older = Site::with(Sim::builder().version("18.2.0"));
    let refused = older
        .get("owner", "/projects/1/issues?pagination=keyset")
        .await;
    assert_eq!(refused.status, 405);
    assert_eq!(
        refused.json()["error"],
        "Keyset pagination is not yet available for this type of request"
    );

    let newer = Site::with(Sim::builder().version("18.3.0"));
    with_issues(&newer, 3);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/projects/1/issues?pagination=keyset&per_page=2&cursor={cursor}");
        let page = newer.get("owner", &path).await;
        assert_eq!(page.status, 200);
        seen.extend(page.iids());
        match page.header("x-next-cursor") {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, [3, 2, 1]);
    let notes = newer
        .get("owner", "/projects/1/issues/1/notes?pagination=keyset")
        .await;
    assert_eq!(notes.status, 405);
}

#[tokio::test]
async fn a_note_page_can_be_empty_with_more_pages_after_it() {
    let site = Site::new();
    let iid = site.issue("with hidden notes");
    site.sim.edit(|world| {
        for body in ["one", "two"] {
            world
                .add_note(1, iid, gitlab_sim::NoteSpec::new(1, body))
                .expect("a note");
        }
        for _ in 0..3 {
            world.add_invisible_system_note(1, iid, 1).expect("a note");
        }
    });
    let first = site
        .get("owner", "/projects/1/issues/1/notes?per_page=2")
        .await;
    assert_eq!(first.json(), Value::Array(Vec::new()));
    assert_eq!(first.header("x-next-page"), Some("2"));
    assert_eq!(first.header("x-total"), Some("5"));
    let second = site
        .get("owner", "/projects/1/issues/1/notes?per_page=2&page=2")
        .await;
    assert_eq!(
        second.json().as_array().map(Vec::len),
        Some(1),
        "a short page"
    );
    assert_eq!(second.header("x-next-page"), Some("3"));
}
