//! The way of a request: recorded, asked about, struck by faults, limited, carried out, answered.

use axum::body::Body;
use chrono::TimeDelta;
use http::{Method, Request, Response, header};

use super::admission::admit;
use super::error_pages::{error_page, refusal};
use super::faults::Fault;
use super::hook::{HookVerdict, Phase, RequestEvent};
use super::landing::Landing;
use super::lost::lost;
use super::record::RequestRecord;
use super::respond::{Manner, Short, response};
use crate::api::answer::{Answer, ApiError};
use crate::api::params::decode;
use crate::api::{auth, route};
use crate::model::Via;
use crate::sim::Sim;

/// A request's head, and its number.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(super) method: Method,
    /// Without the sub-path of the configured address.
    pub(crate) path: String,
    pub(super) query: String,
    pub(super) secret: Option<String>,
    pub(super) called_base: Option<String>,
    pub(super) if_unmodified_since: Option<String>,
}

impl Head {
    pub(super) fn segments(&self) -> Vec<String> {
        let rest = self.path.strip_prefix("/api/v4/").unwrap_or("");
        rest.split('/')
            .filter(|part| !part.is_empty())
            .map(decode_part)
            .collect()
    }
}

/// A part of a path: unlike in a query, plus means plus.
fn decode_part(part: &str) -> String {
    decode(&part.replace('+', "%2B"))
}

/// Notes a request's arrival.
pub(crate) fn arrive(sim: &Sim, request: &Request<Body>) -> Head {
    let headers = request.headers();
    let text = |name: header::HeaderName| {
        headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let mut state = sim.lock();
    let state = &mut *state;
    state.front.count += 1;
    let head = Head {
        number: state.front.count,
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or("").to_owned(),
        secret: auth::secret(headers).map(str::to_owned),
        called_base: text(header::HOST)
            .map(|host| format!("http://{host}{}", state.world.sub_path())),
        if_unmodified_since: text(header::IF_UNMODIFIED_SINCE),
    };
    let user = auth::identify(&state.world, head.secret.as_deref())
        .ok()
        .and_then(|one| one.actor.user);
    state.front.requests.push(RequestRecord {
        number: head.number,
        method: head.method.to_string(),
        path: head.path.clone(),
        query: head.query.clone(),
        status: None,
        at: state.world.now(),
        user,
        token_sent: head.secret.is_some(),
        effect: false,
        body_bytes: 0,
    });
    head
}

/// How a request ends.
pub(crate) enum Ending {
    Answer {
        answer: Answer,
        short: Option<Short>,
    },
    Lost,
    Hang,
}

impl From<Answer> for Ending {
    fn from(answer: Answer) -> Self {
        Self::Answer {
            answer,
            short: None,
        }
    }
}

/// Carries out an API request from its first byte to its response.
pub(crate) async fn serve_api(sim: Sim, request: Request<Body>) -> Response<Body> {
    let head = arrive(&sim, &request);
    let ending = match ask(&sim, &head, Phase::Before).await {
        HookVerdict::Go => run(&sim, &head, request).await,
        HookVerdict::Hang => Ending::Hang,
        HookVerdict::Reset => Ending::Lost,
    };
    let ending = match ask(&sim, &head, Phase::After).await {
        HookVerdict::Go => ending,
        HookVerdict::Hang => Ending::Hang,
        HookVerdict::Reset => Ending::Lost,
    };
    finish(&sim, head.number, ending).await
}

async fn ask(sim: &Sim, head: &Head, phase: Phase) -> HookVerdict {
    let Some(hook) = sim.lock().front.hook.clone() else {
        return HookVerdict::Go;
    };
    let (method, path) = (head.method.to_string(), head.path.clone());
    hook(RequestEvent {
        number: head.number,
        method,
        path,
        phase,
    })
    .await
}

/// Sends an ending.
pub(crate) async fn finish(sim: &Sim, number: u64, ending: Ending) -> Response<Body> {
    match ending {
        Ending::Hang => std::future::pending().await,
        Ending::Lost => lost(),
        Ending::Answer { answer, short } => {
            let mut state = sim.lock();
            if let Some(record) = state.front.record_of(number) {
                record.status = Some(answer.status);
            }
            let announce_length = state.world.settings.announce_length;
            let now = state.world.now();
            response(
                answer,
                Manner {
                    now,
                    announce_length,
                    short,
                },
            )
        }
    }
}

async fn run(sim: &Sim, head: &Head, request: Request<Body>) -> Ending {
    let fault = sim
        .lock()
        .front
        .faults
        .strike(head.method.as_str(), &head.path);
    match fault {
        Some(Fault::ErrorBefore(status)) => error_page(status).into(),
        Some(Fault::Reset) => Ending::Lost,
        Some(Fault::Hang { effect: false }) => Ending::Hang,
        Some(Fault::TooManyRequests {
            headers,
            retry_after,
            application,
        }) => {
            let now = sim.lock().world.now();
            refusal(now, headers, retry_after, application).into()
        }
        Some(Fault::ResourceLock) => {
            Answer::from(ApiError::message(409, "409 Conflict: Resource lock")).into()
        }
        Some(Fault::Delay(wait)) => {
            sim.clock().sleep(wait).await;
            answered(sim, head, request).await.into()
        }
        Some(Fault::ErrorAfter(status)) => {
            answered(sim, head, request).await;
            error_page(status).into()
        }
        Some(Fault::LoseResponse) => {
            answered(sim, head, request).await;
            Ending::Lost
        }
        Some(Fault::Hang { effect: true }) => {
            answered(sim, head, request).await;
            Ending::Hang
        }
        Some(Fault::Truncate(bytes)) => Ending::Answer {
            answer: answered(sim, head, request).await,
            short: Some(Short::cut(bytes)),
        },
        Some(Fault::Stall(bytes)) => Ending::Answer {
            answer: answered(sim, head, request).await,
            short: Some(Short::stalled(bytes)),
        },
        Some(Fault::Land { after }) => postpone(sim, head, request, after)
            .await
            .map_or_else(Ending::from, |()| Ending::Lost),
        Some(Fault::LandBehindProxy { after }) => postpone(sim, head, request, after)
            .await
            .map_or_else(Ending::from, |()| error_page(504).into()),
        None => answered(sim, head, request).await.into(),
    }
}

/// Carries a request out and returns its answer.
async fn answered(sim: &Sim, head: &Head, request: Request<Body>) -> Answer {
    let (call, standing) = match admit(sim, head, request).await {
        Ok(admitted) => admitted,
        Err(refused) => return refused,
    };
    let mut state = sim.lock();
    let before = state.world.changes.len();
    let answer = route::handle(&mut state.world, &call);
    let effect = state
        .world
        .changes
        .iter()
        .skip(before)
        .any(|change| change.via == Via::Api);
    if let Some(record) = state.front.record_of(head.number) {
        record.effect = effect;
    }
    match standing.filter(|_| state.world.settings.limits.headers_on_every_answer) {
        Some(standing) => {
            let mut headers = standing.headers(state.world.now());
            headers.retain(|(name, _)| *name != "Retry-After");
            answer.with_all(headers)
        }
        None => answer,
    }
}

/// Puts a request's effect off.
async fn postpone(
    sim: &Sim,
    head: &Head,
    request: Request<Body>,
    after: std::time::Duration,
) -> Result<(), Answer> {
    let (call, _) = admit(sim, head, request).await?;
    let mut state = sim.lock();
    let due = state.world.now() + TimeDelta::from_std(after).unwrap_or(TimeDelta::zero());
    state.front.landings.push(Landing {
        due,
        number: head.number,
        call,
    });
    Ok(())
}
