use super::{Gitlab, comment, new_issue};
use crate::support::Lab;
use axum::body::Body;
use gitlab_sim::{ConnectionLost, Fault, FaultRule, IssueSpec, Sim, When};
use http::{Request, Response};
use mirror_gitlab::{DirectTransport, Fate, IssueQuery};
use std::sync::Arc;
use tower::ServiceExt;

#[tokio::test]
async fn lost_answer_leaves_one_issue_and_an_unknown_outcome() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let rule = |fault| FaultRule::new("POST", "/issues$", When::Next(1), fault);
    gitlab.sim.fail(rule(Fault::LoseResponse));
    let lost = gitlab
        .client
        .create_issue(gitlab.project, &new_issue("x"))
        .await;
    assert_eq!(lost.unwrap_err().fate(), Fate::Unknown);
    assert_eq!(
        gitlab.sim.world(|world| world.issues(gitlab.id()).count()),
        1
    );

    gitlab.sim.fail(rule(Fault::Truncate(10)));
    let cut = gitlab
        .client
        .create_issue(gitlab.project, &new_issue("y"))
        .await;
    assert_eq!(cut.unwrap_err().fate(), Fate::Unknown);
    assert_eq!(
        gitlab.sim.world(|world| world.issues(gitlab.id()).count()),
        2
    );
}

#[tokio::test]
async fn reads_survive_what_reads_can_survive() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let iid = gitlab.issue().await;
    for fault in [
        Fault::Reset,
        Fault::ErrorBefore(502),
        Fault::ErrorBefore(500),
        Fault::Truncate(20),
        Fault::TooManyRequests {
            headers: true,
            retry_after: Some(3),
            application: false,
        },
        Fault::TooManyRequests {
            headers: false,
            retry_after: Some(3),
            application: true,
        },
    ] {
        gitlab.sim.fail(FaultRule::new(
            "GET",
            "/issues/",
            When::Next(1),
            fault.clone(),
        ));
        let found = gitlab.client.issue(gitlab.project, iid).await;
        assert_eq!(found.unwrap().value.iid, iid, "{fault:?}");
    }
}

#[tokio::test]
async fn simulator_in_this_process_is_reached_without_a_network() {
    let gitlab = Gitlab::start(Sim::builder()).await;
    let router = gitlab.sim.router();
    let service = tower::service_fn(move |request: Request<Body>| {
        let router = router.clone();
        async move {
            let response: Response<Body> = router.oneshot(request).await.unwrap();
            match response.extensions().get::<ConnectionLost>() {
                Some(_) => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
                None => Ok(response),
            }
        }
    });
    let transport = DirectTransport::new(service, Body::from_stream);
    let client = Lab::new().client_over(&gitlab.server.url(), Arc::new(transport));
    let made = client
        .create_issue(gitlab.project, &new_issue("x"))
        .await
        .unwrap();

    gitlab.sim.fail(FaultRule::new(
        "POST",
        "/notes$",
        When::Next(1),
        Fault::LoseResponse,
    ));
    let lost = client
        .create_note(gitlab.project, made.iid, &comment("x"))
        .await;
    assert_eq!(lost.unwrap_err().fate(), Fate::Unknown);
    let spec = IssueSpec {
        author: gitlab.bot,
        title: "by hand".to_owned(),
        ..IssueSpec::default()
    };
    gitlab
        .sim
        .edit(|world| world.create_issue(gitlab.id(), spec))
        .unwrap();
    let page = client
        .issues(gitlab.project, &IssueQuery::default())
        .await
        .unwrap();
    assert_eq!(page.issues.len(), 2);
}
