//! What a source's GitLab tells as it happens. Nobody logs in here: a hook is known by its secret.

use crate::{
    ApiState,
    hook::{Heard, proven, read},
};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use mirror_core::ids::MirrorId;
use mirror_store::{StoreError, Told};

/// GitLab sends at most 25 MB; an issue's text is a mebibyte.
const LARGEST: usize = 25 * 1024 * 1024;

pub(super) fn router() -> Router<ApiState> {
    Router::new()
        .route("/api/hooks/gitlab/{mirror_id}", post(told))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// A hook is a hint: it owes one issue, which is read afresh. Whether there is such a mirror is not
/// told to who does not know its secret. A request that was taken before is taken again without
/// effect: GitLab sends one again whose answer it did not get.
async fn told(
    State(state): State<ApiState>,
    Path(mirror): Path<i64>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let (store, mirror) = (&state.store, MirrorId(mirror));
    let secrets = match store.hook_secrets(mirror, &state.cipher).await {
        Ok(secrets) => secrets,
        Err(error) => return unready(mirror, &error),
    };
    let Some(proof) = proven(&secrets, &headers, &body, store.now()) else {
        return StatusCode::UNAUTHORIZED;
    };
    let event = headers.get("x-gitlab-event");
    let event = event.and_then(|event| event.to_str().ok()).unwrap_or("");
    let iid = match read(event, &body) {
        Heard::Issue(iid) => iid,
        Heard::Nothing => return StatusCode::NO_CONTENT,
    };
    match store.hook_told(mirror, iid, proof.id.as_deref()).await {
        Ok(Told::Owed) => {
            state.signals.owed();
            StatusCode::ACCEPTED
        }
        Ok(Told::Replayed) => StatusCode::ACCEPTED,
        Err(StoreError::NoSuchMirror(_)) => StatusCode::UNAUTHORIZED,
        Err(error) => unready(mirror, &error),
    }
}

/// GitLab tells it again later.
fn unready(mirror: MirrorId, error: &StoreError) -> StatusCode {
    tracing::warn!(mirror.id = %mirror, %error, "what a hook told could not be recorded");
    StatusCode::SERVICE_UNAVAILABLE
}
