//! The same on a real socket.

use gitlab_sim::{Content, Fault, FaultRule, Server, Sim, When};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::site::Site;

async fn raw(server: &Server, request: &str) -> (String, usize) {
    let mut stream = TcpStream::connect(server.address())
        .await
        .expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut bytes = Vec::new();
    // A cut connection may end in an error; what came before it is there.
    let _ = stream.read_to_end(&mut bytes).await;
    (String::from_utf8_lossy(&bytes).into_owned(), bytes.len())
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: sim\r\nPRIVATE-TOKEN: owner\r\nConnection: close\r\n\r\n")
}

#[tokio::test]
async fn it_answers_and_knows_its_own_address() {
    let site = Site::new();
    site.issue("x");
    let server = site.sim.serve("127.0.0.1:0").await.expect("a server");
    let (answer, _) = raw(&server, &get("/api/v4/projects/1/issues/1")).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let web_url = format!("\"web_url\":\"{}/team/project/-/issues/1\"", server.url());
    assert!(answer.contains(&web_url), "{answer}");
    assert!(
        answer
            .to_lowercase()
            .contains("date: sun, 01 mar 2026 12:00:00 gmt")
    );
}

#[tokio::test]
async fn a_sub_path_belongs_to_every_address() {
    let site = Site::with(Sim::builder().external_url("https://example.com/gitlab/"));
    let server = site.sim.serve("127.0.0.1:0").await.expect("a server");
    assert!(server.url().ends_with("/gitlab"));
    let (inside, _) = raw(&server, &get("/gitlab/api/v4/version")).await;
    assert!(inside.starts_with("HTTP/1.1 200"));
    let (outside, _) = raw(&server, &get("/api/v4/version")).await;
    assert!(outside.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn a_lost_response_is_a_closed_connection_without_a_byte() {
    let site = Site::new();
    let server = site.sim.serve("127.0.0.1:0").await.expect("a server");
    site.sim.fail(FaultRule::new(
        "GET",
        "version",
        When::Next(1),
        Fault::LoseResponse,
    ));
    let (answer, _) = raw(&server, &get("/api/v4/version")).await;
    assert_eq!(answer, "");
    let (answer, _) = raw(&server, &get("/api/v4/version")).await;
    assert!(answer.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_truncated_download_ends_before_its_promise() {
    let site = Site::new();
    let content = Content::Generated {
        seed: 1,
        size: 1_000_000,
    };
    let upload = site
        .sim
        .add_upload(1, site.owner, "big.bin", content)
        .expect("an upload");
    let server = site.sim.serve("127.0.0.1:0").await.expect("a server");
    site.sim.fail(FaultRule::new(
        "GET",
        "uploads",
        When::Next(1),
        Fault::Truncate(5_000),
    ));
    let path = format!("/api/v4/projects/1{}", upload.path());
    let (answer, length) = raw(&server, &get(&path)).await;
    assert!(
        answer.to_lowercase().contains("content-length: 1000000"),
        "{answer}"
    );
    assert!((5_000..6_000).contains(&length), "{length}");
}

#[tokio::test]
async fn a_dropped_server_no_longer_listens() {
    let site = Site::new();
    let server = site.sim.serve("127.0.0.1:0").await.expect("a server");
    let address = server.address();
    drop(server);
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn project_pages_are_there_for_people() {
    let site = Site::new();
    site.issue("For people");
    let server = site.sim.serve("127.0.0.1:0").await.expect("a server");
    let (page, _) = raw(&server, &get("/team/project/-/issues/1")).await;
    assert!(
        page.starts_with("HTTP/1.1 200") && page.contains("For people"),
        "{page}"
    );
}
