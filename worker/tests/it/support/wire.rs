//! The way to a simulated GitLab, without a network between.

use super::{
    clock::{BODY_PATIENCE, READ_PATIENCE, TestClock},
    turns::Turns,
};
use axum::body::Body;
use gitlab_sim::{ConnectionLost, Sim};
use http::{Request, Response};
use mirror_core::{ids::InstanceId, ports::Account};
use mirror_gitlab::{Client, DirectTransport, Options, Token, Transport};
use mirror_runtime::SeededEntropy;
use std::{io, pin::pin, sync::Arc, task::Poll};
use tower::ServiceExt;
use url::Url;

/// Turns of the runtime after which a request is known to hang: nothing in it waits for anything
/// but other tasks of this process.
const PATIENCE: u32 = 500;

pub(crate) fn client(
    sim: &Sim,
    token: &str,
    instance: InstanceId,
    clock: &TestClock,
    turns: Arc<Turns>,
) -> Client {
    let base = sim.world(|world| format!("{}/", world.base_url()));
    let options = options();
    Client::new(
        Url::parse(&base).unwrap(),
        Token::new(token),
        Account {
            instance,
            user: token.to_owned(),
        },
        transport(sim, clock),
        turns,
        Arc::new(clock.clone()),
        Arc::new(SeededEntropy::new(7)),
        &options,
    )
}

/// With time-outs that can be told from waits.
pub(crate) fn options() -> Options {
    Options {
        read_timeout: READ_PATIENCE,
        body_timeout: BODY_PATIENCE,
        ..Options::default()
    }
}

/// One that is asked before a story begins.
pub(crate) fn direct_client(
    sim: &Sim,
    token: &str,
    instance: InstanceId,
    clock: &TestClock,
) -> Client {
    client(sim, token, instance, clock, Arc::default())
}

pub(super) fn transport(sim: &Sim, clock: &TestClock) -> Arc<dyn Transport> {
    let router = sim.router();
    let clock = clock.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (router, clock) = (router.clone(), clock.clone());
        async move {
            let mut answer = pin!(router.oneshot(request));
            let mut turns = 0_u32;
            let response: Response<Body> = loop {
                match futures_util::poll!(answer.as_mut()) {
                    Poll::Ready(Ok(response)) => break response,
                    Poll::Ready(Err(never)) => match never {},
                    Poll::Pending => {}
                }
                turns += 1;
                if turns.is_multiple_of(PATIENCE) && !clock.is_held() {
                    // Somebody's patience ends before this one answers.
                    clock.advance(READ_PATIENCE);
                }
                tokio::task::yield_now().await;
            };
            match response.extensions().get::<ConnectionLost>() {
                Some(_) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                None => Ok(response),
            }
        }
    });
    Arc::new(DirectTransport::new(service, Body::from_stream))
}
