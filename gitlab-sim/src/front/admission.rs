//! Everything a request passes before its endpoint: limits, sender, body.

use axum::body::Body;
use http::{Method, Request};

use super::intake::{self, Intake};
use super::limits::{Standing, application_refusal, rack_refusal};
use super::pipeline::Head;
use crate::api::answer::Answer;
use crate::api::auth;
use crate::api::call::{Call, Identity};
use crate::api::params::Params;
use crate::sim::Sim;

/// Limits, sender, body: everything before the endpoint.
pub(super) async fn admit(
    sim: &Sim,
    head: &Head,
    request: Request<Body>,
) -> Result<(Call, Option<Standing>), Answer> {
    let standing = throttle(sim, head)?;
    let (identity, max_file) = {
        let state = sim.lock();
        let identity = auth::identify(&state.world, head.secret.as_deref())?;
        (identity, state.world.settings.max_attachment_bytes)
    };
    let Intake {
        params: from_body,
        file,
        bytes,
    } = intake::take(request, max_file).await?;
    let mut params = Params::from_encoded(&head.query);
    params.extend(from_body);
    if let Some(record) = sim.lock().front.record_of(head.number) {
        record.body_bytes = bytes;
    }
    throttle_application(sim, head, &identity, &params)?;
    let call = Call {
        method: head.method.clone(),
        segments: head.segments(),
        raw_path: head.path.clone(),
        raw_query: head.query.clone(),
        params,
        file,
        identity,
        if_unmodified_since: head.if_unmodified_since.clone(),
        called_base: head.called_base.clone(),
    };
    Ok((call, standing))
}

/// The limit on all API requests: per user, or together for those without a token.
fn throttle(sim: &Sim, head: &Head) -> Result<Option<Standing>, Answer> {
    let mut state = sim.lock();
    let state = &mut *state;
    let limits = &state.world.settings.limits;
    let Some(limit) = limits.api else {
        return Ok(None);
    };
    let now = state.world.now();
    let sender = auth::identify(&state.world, head.secret.as_deref())
        .ok()
        .and_then(|one| one.actor.user);
    let standing = state
        .front
        .limiter
        .count(format!("api/{sender:?}"), limit, limits.window, now);
    if standing.refused() {
        let headers = if limits.api_headers {
            standing.headers(now)
        } else {
            Vec::new()
        };
        return Err(rack_refusal().with_all(headers));
    }
    Ok(Some(standing))
}

/// The limits on creating notes and issues and on searching.
fn throttle_application(
    sim: &Sim,
    head: &Head,
    identity: &Identity,
    params: &Params,
) -> Result<(), Answer> {
    let mut state = sim.lock();
    let state = &mut *state;
    let limits = &state.world.settings.limits;
    let user = identity.actor.user;
    let segments = head.segments();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let posts = head.method == Method::POST;
    let (key, limit) = match parts.as_slice() {
        ["projects", _, "issues", _, "notes"] if posts => (format!("notes/{user:?}"), limits.notes),
        ["projects", _, "issues", _, "discussions", ..] if posts => {
            (format!("notes/{user:?}"), limits.notes)
        }
        ["projects", id, "issues"] if posts => {
            let project = state
                .world
                .project_at(id)
                .map_or((*id).to_owned(), |one| one.id.to_string());
            (format!("issues/{project}/{user:?}"), limits.issues)
        }
        _ if params.has("search") => (format!("search/{user:?}"), limits.search),
        _ => return Ok(()),
    };
    let Some(limit) = limit else { return Ok(()) };
    let now = state.world.now();
    let standing = state.front.limiter.count(key, limit, limits.window, now);
    if !standing.refused() {
        return Ok(());
    }
    let refusal = application_refusal();
    Err(if limits.application_retry_after {
        refusal.with("Retry-After", standing.period.as_secs())
    } else {
        refusal
    })
}
