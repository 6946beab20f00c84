use axum::body::Body;
use axum::http::Request;
use bytes::Bytes;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;
use crate::{
    AccessLevel, Content, IssueSpec, IssueState, NoteSpec, ProjectId, ProjectSpec, UserId, UserSpec,
};

struct Shop {
    sim: Sim,
    project: ProjectId,
    alice: UserId,
}

impl Shop {
    fn open() -> Self {
        let sim = Sim::builder().build();
        let alice = sim.add_user(UserSpec::new("alice", "Alice <Cook>"));
        let project = sim.add_project(ProjectSpec::new(
            "shop/deep/app",
            &[(alice, AccessLevel::Owner)],
        ));
        Self {
            sim,
            project,
            alice,
        }
    }

    fn issue(&self, title: &str, description: &str) -> u64 {
        let spec = IssueSpec {
            author: self.alice,
            title: title.to_owned(),
            description: Some(description.to_owned()),
            ..IssueSpec::default()
        };
        self.sim
            .edit(|world| world.create_issue(self.project, spec))
            .unwrap()
    }

    async fn get(&self, address: &str) -> (StatusCode, String) {
        ask(router(self.sim.clone()), address).await
    }

    async fn page(&self, address: &str) -> String {
        let (status, page) = self.get(address).await;
        assert_eq!(status, StatusCode::OK, "{address}");
        page
    }
}

async fn ask(router: Router, address: &str) -> (StatusCode, String) {
    let request = Request::get(address).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[test]
fn addresses_are_read_as_gitlab_reads_them() {
    let cases = [
        ("/", Place::Projects),
        ("/shop", Place::Named("shop")),
        ("/shop/app/", Place::Named("shop/app")),
        ("/shop/deep/app/-/issues", Place::Issues("shop/deep/app")),
        ("/shop/app/-/issues/12", Place::Issue("shop/app", 12)),
        ("/shop/app/-/work_items/12", Place::Issue("shop/app", 12)),
        (
            "/shop/app/-/issues/incident/12",
            Place::Issue("shop/app", 12),
        ),
        ("/shop/app/-/issues/new", Place::Nowhere),
        ("/shop/app/-/merge_requests", Place::Nowhere),
    ];
    for (path, expected) in cases {
        assert_eq!(place(path), expected, "{path}");
    }
}

#[tokio::test]
async fn a_page_shows_what_people_wrote_and_runs_none_of_it() {
    let shop = Shop::open();
    let hostile = "**bold** <script>alert(1)</script> <img src=x onerror=alert(2)>";
    let iid = shop.issue("<script>alert(0)</script>", hostile);
    let note = NoteSpec {
        internal: true,
        ..NoteSpec::new(shop.alice, hostile)
    };
    shop.sim
        .edit(|world| world.add_note(shop.project, iid, note))
        .unwrap();
    let page = shop.page(&format!("/shop/deep/app/-/issues/{iid}")).await;
    assert!(!page.contains("<script"), "{page}");
    assert!(!page.contains("<img src=\"x\" onerror"), "{page}");
    for shown in [
        "<strong>bold</strong>",
        "Alice &lt;Cook&gt;",
        "Internal note",
        "&lt;script&gt;alert(0)",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn a_list_shows_the_wanted_issues_only() {
    let shop = Shop::open();
    let (open, closed) = (shop.issue("Still open", ""), shop.issue("Long done", ""));
    shop.sim.edit(|world| {
        let state = Some(IssueState::Closed);
        let edit = crate::IssueEdit {
            state,
            ..crate::IssueEdit::default()
        };
        world
            .edit_issue(shop.project, closed, shop.alice, edit)
            .unwrap();
        world
            .set_labels(shop.project, open, shop.alice, &["a b&c"])
            .unwrap();
    });
    let cases = [
        ("", true, false),
        ("?state=closed", false, true),
        ("?state=all", true, true),
        ("?state=all&label=a%20b%26c", true, false),
        ("?state=all&label=unknown", false, false),
        ("?state=all&page=2", false, false),
        ("?page=x", true, false),
    ];
    for (query, shows_open, shows_closed) in cases {
        let page = shop.page(&format!("/shop/deep/app/-/issues{query}")).await;
        assert_eq!(page.contains("Still open"), shows_open, "{query}");
        assert_eq!(page.contains("Long done"), shows_closed, "{query}");
    }
}

#[tokio::test]
async fn uploads_are_shown_in_every_form_of_their_link() {
    let shop = Shop::open();
    let content = Content::Stored(Bytes::from_static(b"just text"));
    let upload = shop
        .sim
        .add_upload(shop.project, shop.alice, "größe 1.txt", content)
        .unwrap();
    let base = shop.sim.world(|world| world.base_url().to_owned());
    let file = format!("uploads/{}/gr%C3%B6%C3%9Fe%201.txt", upload.secret);
    let shown = format!(
        "/-/sim/uploads/{}/{}/gr%C3%B6%C3%9Fe%201.txt",
        shop.project, upload.secret
    );
    for link in [
        format!("/{file}"),
        format!("/-/project/{}/{file}", shop.project),
        format!("/shop/deep/app/{file}"),
        format!("{base}/shop/deep/app/{file}"),
        format!("{base}/-/project/{}/{file}", shop.project),
    ] {
        let iid = shop.issue("With a file", &format!("![x]({link}) [y]({link})"));
        let page = shop.page(&format!("/shop/deep/app/-/issues/{iid}")).await;
        assert!(page.contains(&format!("src=\"{shown}\"")), "{link}: {page}");
        assert!(
            page.contains(&format!("href=\"{shown}\"")),
            "{link}: {page}"
        );
    }
    assert_eq!(shop.page(&shown).await, "just text");
    let elsewhere = format!("https://other.example/shop/deep/app/{file}");
    let iid = shop.issue("Elsewhere", &format!("[y]({elsewhere})"));
    let page = shop.page(&format!("/shop/deep/app/-/issues/{iid}")).await;
    assert!(page.contains(&format!("href=\"{elsewhere}\"")), "{page}");
}

#[tokio::test]
async fn below_a_path_every_link_stays_below_it() {
    let shop = Shop::open();
    let first = shop.issue("First", "");
    let second = shop.issue("Second", &format!("see #{first} and @alice"));
    let nested = Router::new().nest("/sub/path", router(shop.sim.clone()));
    let address = format!("/sub/path/shop/deep/app/-/issues/{second}");
    let (status, page) = ask(nested, &address).await;
    assert_eq!(status, StatusCode::OK);
    let links: Vec<&str> = page.split(" href=\"").skip(1).collect();
    assert!(
        links
            .iter()
            .any(|link| link.starts_with(&format!("/sub/path/shop/deep/app/-/issues/{first}\"")))
    );
    for link in links {
        assert!(
            ["/sub/path/", "#", "data:"]
                .iter()
                .any(|start| link.starts_with(start)),
            "{link}"
        );
    }
}

#[tokio::test]
async fn names_lead_to_projects_groups_and_people() {
    let shop = Shop::open();
    shop.issue("First", "");
    for (address, shown) in [
        ("/", "shop/deep / "),
        ("/shop", "shop/deep / "),
        ("/shop/deep/app", "1 open and 0 closed issues"),
        ("/alice", "First"),
    ] {
        let page = shop.page(address).await;
        assert!(page.contains(shown), "{address}: {page}");
    }
    for nowhere in [
        "/sho",
        "/shop/deep/app/-/issues/99",
        "/other/app/-/issues",
        "/-/sim/uploads/1/aa/b",
    ] {
        assert_eq!(
            shop.get(nowhere).await.0,
            StatusCode::NOT_FOUND,
            "{nowhere}"
        );
    }
}
