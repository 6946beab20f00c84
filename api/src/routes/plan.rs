//! What a sync would send.

use super::{errands, sync::check_iids};
use crate::{
    ApiState,
    access::Operator,
    auth::Trail,
    body::{MaybeBody, Path},
    problem::Problem,
};
use axum::{extract::State, http::HeaderMap, response::Response};
use mirror_core::{
    errand::Errand,
    ids::{Iid, MirrorId},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(plan))
}

/// What is planned.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PlanRequest {
    /// Only these issues, by their numbers in the source project; none: what the next run looks at.
    #[schema(max_items = 1_000)]
    issue_iids: Vec<i64>,
}

/// Have told what a sync would send
///
/// A worker looks at both sides as a sync does, and sends nothing that changes anything. The errand's
/// result is the plan: for each issue the steps, in words, and the requests they take. Text of
/// confidential issues and of internal comments is not in it. Where there is too much, `issues_cut`,
/// `steps_cut` and `not_looked_at` tell how much is not shown.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/issue-sync/plan", tag = "issue sync",
    request_body = PlanRequest,
    params(("mirror_id" = i64, Path), crate::idempotency::KeyHeader),
    responses((status = 202, body = errands::Shown, headers(("Location" = String))),
        (status = 404),
        (status = 422, description = "Something in it cannot be, or the key was used otherwise")))]
pub(super) async fn plan(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    headers: HeaderMap,
    MaybeBody(request): MaybeBody<PlanRequest>,
) -> Result<Response, Problem> {
    check_iids(&request.issue_iids)?;
    let mirror = MirrorId(id);
    state.store.listed_mirror(mirror).await?;
    let mut iids: Vec<Iid> = request.issue_iids.into_iter().map(Iid).collect();
    iids.sort_unstable();
    iids.dedup();
    let errand = Errand::Plan { mirror, iids };
    errands::ask(&state, &trail, &errand, &headers).await
}
