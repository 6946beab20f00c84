//! Carries a request to a GitLab, with what goes wrong on the way.

use super::network::Wrong;
use axum::{Router, body::Body};
use bytes::Bytes;
use futures_util::FutureExt;
use gitlab_sim::{Fault, FaultRule, Sim, When};
use http::{Request, Response};
use tower::ServiceExt;

pub(super) fn copied(request: &Request<Bytes>) -> Request<Body> {
    let mut copy = Request::new(Body::from(request.body().clone()));
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.headers_mut() = request.headers().clone();
    copy
}

/// `None`: nobody answers.
pub(super) fn carried(
    sim: &Sim,
    router: &Router,
    request: Request<Body>,
    wrong: Option<&Wrong>,
) -> Option<Response<Body>> {
    match wrong {
        Some(Wrong::Silence { effect: false }) => return None,
        Some(Wrong::Struck(fault)) => {
            sim.fail(FaultRule::new("*", ".", When::Next(1), fault.clone()));
        }
        Some(Wrong::VeryLate(after)) => {
            let fault = Fault::Land { after: *after };
            let creates = "(issues|notes|discussions)$";
            sim.fail(FaultRule::new("POST", creates, When::Next(1), fault));
        }
        Some(Wrong::Silence { effect: true } | Wrong::LateArrival(_) | Wrong::LateAnswer(_))
        | None => {}
    }
    // Nothing in it waits for anything.
    let answer = router.clone().oneshot(request).now_or_never();
    sim.clear_faults();
    match wrong {
        Some(Wrong::Silence { .. }) => None,
        Some(
            Wrong::Struck(_) | Wrong::LateArrival(_) | Wrong::LateAnswer(_) | Wrong::VeryLate(_),
        )
        | None => {
            let Ok(answer) = answer.expect("the simulator answers at once");
            Some(answer)
        }
    }
}
