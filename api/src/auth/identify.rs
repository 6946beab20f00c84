//! Who asks: found out once, before any route. Nothing is remembered from one request to the next, so
//! that who was sent away is refused at once.

use super::{Client, cookie};
use crate::{
    ApiState,
    access::Caller,
    credential,
    problem::{Kind, Problem},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use mirror_store::Session;
use subtle::ConstantTimeEq;

/// What a page of a session sends along with every change.
const CSRF: &str = "x-csrf-token";
/// Where nobody is logged in yet, whatever an old cookie says.
const ENTRANCES: [&str; 2] = ["/api/session", "/api/setup"];

/// A caller who is logged in by a cookie.
#[derive(Clone, Debug)]
pub(crate) struct LoggedIn {
    /// What the record keeps of the cookie.
    pub(crate) digest: String,
    /// What this session's pages send along.
    pub(crate) csrf: String,
    /// Who, and for how long.
    pub(crate) session: Session,
}

/// The layer around all routes that somebody may ask.
pub(crate) async fn identify(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    match find(&state, &mut parts).await {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(problem) => problem.into_response(),
    }
}

/// Puts the caller among the request's extensions, if there is one.
async fn find(state: &ApiState, parts: &mut Parts) -> Result<(), Problem> {
    let client = Client::of(parts, &state.proxies);
    parts.extensions.insert(client);
    if let Some(given) = parts.headers.get(header::AUTHORIZATION) {
        let caller = by_token(state, given).await?;
        parts.extensions.insert(caller);
        return Ok(());
    }
    let Some(cookie) = cookie::read(&parts.headers, client.secure) else {
        return Ok(());
    };
    let Some(logged_in) = by_cookie(state, &cookie).await? else {
        return Ok(());
    };
    let enters = parts.method == Method::POST && ENTRANCES.contains(&parts.uri.path());
    if !parts.method.is_safe() && !enters && !is_from_a_page(&parts.headers, &logged_in.csrf) {
        return Err(Problem::new(
            Kind::Forbidden,
            "send X-CSRF-Token with what `GET /api/session` tells as csrf",
        ));
    }
    parts.extensions.insert(Caller {
        name: format!("user:{}", logged_in.session.user.name),
        role: logged_in.session.user.role,
    });
    parts.extensions.insert(logged_in);
    Ok(())
}

async fn by_token(state: &ApiState, given: &HeaderValue) -> Result<Caller, Problem> {
    let refused = |detail: &str| Problem::new(Kind::Unauthorized, detail);
    let given = given.to_str().unwrap_or_default();
    let token = match given.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        Some(_) | None => return Err(refused("send `Authorization: Bearer TOKEN`")),
    };
    let found = state
        .store
        .token_by_digest(&credential::digest(token))
        .await?;
    let Some(token) = found else {
        return Err(refused("this token is not known"));
    };
    if !token.is_good(state.store.now()) {
        let why = if token.revoked_at.is_some() {
            "was revoked"
        } else {
            "has expired"
        };
        return Err(refused(&format!(
            "the token {} {why}; an administrator makes another one",
            token.name
        )));
    }
    if let Err(error) = state.store.token_used(&token).await {
        tracing::warn!(%error, "when a token was used is not noted");
    }
    Ok(Caller {
        name: format!("token:{}", token.name),
        role: token.role,
    })
}

/// None: it has ended, or never began.
async fn by_cookie(state: &ApiState, cookie: &str) -> Result<Option<LoggedIn>, Problem> {
    let digest = credential::digest(cookie);
    let Some(session) = state.store.session(&digest).await? else {
        return Ok(None);
    };
    if let Err(error) = state.store.session_seen(&digest, &session).await {
        tracing::warn!(%error, "when a session was used is not noted");
    }
    Ok(Some(LoggedIn {
        digest,
        csrf: credential::csrf(cookie),
        session,
    }))
}

fn is_from_a_page(headers: &HeaderMap, csrf: &str) -> bool {
    let given = headers.get(CSRF).map(HeaderValue::as_bytes);
    given.is_some_and(|given| bool::from(given.ct_eq(csrf.as_bytes())))
}
