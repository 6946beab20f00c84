//! What a source's GitLab tells as it happens. Nobody logs in here: a hook is known by its secret.

use crate::{
    ApiState,
    body::{self, Path},
    hook::{Proof, claimed},
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use mirror_core::{hook::read, ids::MirrorId};
use mirror_store::{StoreError, Told};

/// GitLab sends at most 25 MB; an issue's text is a mebibyte.
const LARGEST: usize = 25 * 1024 * 1024;

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/api/hooks/gitlab/{mirror_id}", post(told))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// A hook is a hint: it owes one issue, which is read afresh. Whether there is such a mirror is not
/// told to who does not know its secret. A signed request that was taken before is refused: it is somebody
/// else who sends it again, for a GitLab signs anew what it repeats.
async fn told(
    State(state): State<ApiState>,
    Path(mirror): Path<i64>,
    request: Request,
) -> Response {
    let (mirror, headers) = (MirrorId(mirror), request.headers().clone());
    let secrets = match state.store.hook_secrets(mirror, &state.cipher).await {
        Ok(secrets) => secrets,
        Err(error) => return unready(mirror, &error).into_response(),
    };
    // Nobody else has us read what may be large.
    let Some(claim) = claimed(&secrets, &headers, state.store.now()) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    match Bytes::from_request(request, &state).await {
        Ok(body) => match claim.proven(&secrets, &body) {
            Some(proof) => heard(&state, mirror, &headers, &body, &proof)
                .await
                .into_response(),
            None => StatusCode::UNAUTHORIZED.into_response(),
        },
        Err(rejection) => body::unread_of(LARGEST, &rejection).into_response(),
    }
}

async fn heard(
    state: &ApiState,
    mirror: MirrorId,
    headers: &HeaderMap,
    body: &[u8],
    proof: &Proof,
) -> StatusCode {
    let store = &state.store;
    let event = headers.get("x-gitlab-event");
    let event = event.and_then(|event| event.to_str().ok()).unwrap_or("");
    let Some(hint) = read(event, body) else {
        return StatusCode::NO_CONTENT;
    };
    match store.hook_told(mirror, hint, proof.id.as_deref()).await {
        Ok(Told::Owed) => {
            state.signals.owed();
            StatusCode::ACCEPTED
        }
        Ok(Told::Unheeded) => StatusCode::NO_CONTENT,
        Ok(Told::Replayed) => StatusCode::CONFLICT,
        Err(StoreError::NoSuchMirror(_)) => StatusCode::UNAUTHORIZED,
        Err(error) => unready(mirror, &error),
    }
}

/// Not every GitLab tells it again; polling finds it.
fn unready(mirror: MirrorId, error: &StoreError) -> StatusCode {
    tracing::warn!(mirror.id = %mirror, %error, "what a hook told could not be recorded");
    StatusCode::SERVICE_UNAVAILABLE
}
