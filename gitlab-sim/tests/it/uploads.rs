use axum::body::Body;
use bytes::Bytes;
use gitlab_sim::{Content, Sim, pattern};
use http::Request;
use serde_json::json;

use crate::site::{Reply, Site};

fn upload(token: &str, filename: &str, bytes: &[u8]) -> Request<Body> {
    let mut body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{filename}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(bytes);
    body.extend_from_slice(b"\r\n--edge--\r\n");
    Request::builder()
        .method("POST")
        .uri("/api/v4/projects/1/uploads")
        .header("PRIVATE-TOKEN", token)
        .header("Content-Type", "multipart/form-data; boundary=edge")
        .body(Body::from(body))
        .expect("a request")
}

async fn page(site: &Site, path: &str) -> Reply {
    let request = Request::builder()
        .uri(path)
        .header("PRIVATE-TOKEN", "owner");
    site.send(request.body(Body::empty()).expect("a request"))
        .await
}

#[tokio::test]
async fn every_upload_makes_a_new_secret() {
    let site = Site::new();
    let first = site.send(upload("owner", "dk.png", b"bytes")).await;
    assert_eq!(first.status, 201);
    let first = first.json();
    let second = site.send(upload("owner", "dk.png", b"bytes")).await.json();
    assert_ne!(first["url"], second["url"]);
    let url = first["url"].as_str().expect("an address");
    assert_eq!(url.len(), "/uploads//dk.png".len() + 32);
    assert_eq!(first["alt"], "dk");
    assert_eq!(first["markdown"], format!("![dk]({url})"));
    assert_eq!(first["full_path"], format!("/-/project/1{url}"));
    assert!(first["id"].is_u64());
    let text = site
        .send(upload("owner", "a b].txt", b"bytes"))
        .await
        .json();
    assert!(
        text["url"]
            .as_str()
            .expect("an address")
            .ends_with("/a_b_.txt"),
        "special characters are replaced"
    );
    assert!(
        text["markdown"]
            .as_str()
            .expect("text")
            .starts_with("[a_b_.txt](")
    );
}

#[tokio::test]
async fn the_answer_grew_with_the_versions() {
    let site = Site::with(Sim::builder().version("17.0.0"));
    let made = site.send(upload("owner", "a.txt", b"x")).await.json();
    assert!(made.get("id").is_none());
    let url = made["url"].as_str().expect("an address");
    assert_eq!(made["full_path"], format!("/team/project{url}"));
}

#[tokio::test]
async fn the_api_gives_the_bytes_to_guests_since_17_4() {
    let site = Site::new();
    let made = site
        .send(upload("owner", "a.txt", b"the bytes"))
        .await
        .json();
    let url = made["url"].as_str().expect("an address").to_owned();
    let read = site.get("guest", &format!("/projects/1{url}")).await;
    assert_eq!((read.status, read.text.as_str()), (200, "the bytes"));
    assert_eq!(read.header("content-length"), Some("9"));
    assert_eq!(
        site.get("stranger", &format!("/projects/1{url}"))
            .await
            .status,
        404
    );
    let other = url.replace("a.txt", "b.txt");
    assert_eq!(
        site.get("owner", &format!("/projects/1{other}"))
            .await
            .status,
        404
    );

    let older = Site::with(Sim::builder().version("17.3.0"));
    let made = older
        .send(upload("owner", "a.txt", b"the bytes"))
        .await
        .json();
    let path = format!("/projects/1{}", made["url"].as_str().expect("an address"));
    assert_eq!(older.get("owner", &path).await.status, 404);
}

#[tokio::test]
async fn web_addresses_send_api_clients_to_a_login_page_that_is_a_200() {
    let site = Site::with(Sim::builder().external_url("https://gitlab.a.example"));
    let made = site.send(upload("owner", "a.png", b"x")).await.json();
    let url = made["url"].as_str().expect("an address");
    for path in [
        url.to_owned(),
        format!("/team/project{url}"),
        format!("/-/project/1{url}"),
    ] {
        let answer = page(&site, &path).await;
        assert_eq!(answer.status, 302, "{path}");
        assert_eq!(
            answer.header("location"),
            Some("https://gitlab.a.example/users/sign_in")
        );
    }
    let login = page(&site, "/users/sign_in").await;
    assert_eq!(login.status, 200);
    assert!(
        login
            .header("content-type")
            .expect("a type")
            .starts_with("text/html")
    );
}

#[tokio::test]
async fn the_list_is_for_maintainers_and_tells_no_secret() {
    let site = Site::new();
    site.send(upload("owner", "a.txt", b"12345")).await;
    let listed = site.get("owner", "/projects/1/uploads").await;
    let row = &listed.json()[0];
    assert_eq!(
        (row["filename"].as_str(), row["size"].as_u64()),
        (Some("a.txt"), Some(5))
    );
    assert_eq!(row["uploaded_by"]["username"], "olga");
    let secret = site.sim.world(|world| {
        world.project(1).expect("a project").uploads[0]
            .secret
            .clone()
    });
    assert!(!listed.text.contains(&secret));
    assert_eq!(site.get("planner", "/projects/1/uploads").await.status, 403);
    let id = row["id"].as_u64().expect("an id");
    assert_eq!(
        site.get("owner", &format!("/projects/1/uploads/{id}"))
            .await
            .text,
        "12345"
    );
}

#[tokio::test]
async fn too_large_is_413_and_archived_is_403() {
    let site = Site::with(Sim::builder().max_attachment_bytes(Some(10)));
    assert_eq!(
        site.send(upload("owner", "a.txt", &[0; 10])).await.status,
        201
    );
    assert_eq!(
        site.send(upload("owner", "a.txt", &[0; 11])).await.status,
        413
    );
    site.sim
        .edit(|world| world.project_mut(1).expect("a project").archived = true);
    assert_eq!(
        site.send(upload("owner", "a.txt", &[0; 1])).await.status,
        403
    );
    let missing = site.post("owner", "/projects/1/uploads", json!({})).await;
    assert_eq!(missing.status, 403);
}

#[tokio::test]
async fn large_generated_content_is_recognised_and_not_kept() {
    let site = Site::new();
    let size = 3 * 1024 * 1024 + 17;
    let bytes: Vec<u8> = pattern::blocks(42, size).flatten().collect();
    site.send(upload("owner", "big.bin", &bytes)).await;
    let other = vec![7; 3 * 1024 * 1024];
    site.send(upload("owner", "other.bin", &other)).await;
    site.sim.world(|world| {
        let uploads = &world.project(1).expect("a project").uploads;
        assert_eq!(uploads[0].content, Content::Generated { seed: 42, size });
        assert_eq!(uploads[1].content, Content::Stored(Bytes::from(other)));
        let held = Content::Stored(Bytes::from(bytes));
        assert_eq!(uploads[0].content.sha256(), held.sha256());
    });
}

#[tokio::test]
async fn generated_files_are_streamed_with_or_without_their_length() {
    for announce in [true, false] {
        let site = Site::with(Sim::builder().announce_length(announce));
        let content = Content::Generated {
            seed: 9,
            size: 300_000,
        };
        let upload = site
            .sim
            .add_upload(1, site.owner, "big.bin", content)
            .expect("a project");
        let read = site
            .get("owner", &format!("/projects/1{}", upload.path()))
            .await;
        let length = announce.then_some("300000");
        assert_eq!(read.header("content-length"), length);
        let expected: Vec<u8> = pattern::blocks(9, 300_000).flatten().collect();
        assert_eq!(read.text, String::from_utf8_lossy(&expected));
    }
}

#[tokio::test]
async fn object_storage_redirects_and_refuses_a_token_that_comes_along() {
    let site = Site::with(Sim::builder().uploads_redirect_to("https://bucket.example"));
    let made = site
        .send(upload("owner", "a.txt", b"the bytes"))
        .await
        .json();
    let url = made["url"].as_str().expect("an address").to_owned();
    let sent = site.get("owner", &format!("/projects/1{url}")).await;
    assert_eq!(sent.status, 302);
    let location = sent.header("location").expect("a location");
    let path = location
        .strip_prefix("https://bucket.example")
        .expect("the storage")
        .to_owned();
    assert_eq!(page(&site, &path).await.status, 400, "with the token");
    let plain = Request::builder()
        .uri(path)
        .body(Body::empty())
        .expect("a request");
    assert_eq!(site.send(plain).await.text, "the bytes");
    let records = site.sim.requests();
    let along: Vec<bool> = records
        .iter()
        .rev()
        .take(2)
        .map(|record| record.token_sent)
        .collect();
    assert_eq!(along, [false, true]);
}
