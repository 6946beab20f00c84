//! How milestones cross.

use super::rules;
use crate::{ApiState, access::Viewer, body::Path, problem::Problem};
use axum::{Json, extract::State};
use mirror_core::{ids::MirrorId, labels::milestone_label};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// How milestones cross.
#[derive(Serialize, ToSchema)]
pub(super) struct Milestones {
    /// `label`: each as a label with its title, on whatever tier the target is. `none`: not at all,
    /// because the labels' rules leave planning out.
    mapped_to: &'static str,
    /// How a milestone `v1.0` is called on the target.
    example: Option<String>,
    /// Only issues of these milestones cross; empty: of any and none.
    only: Vec<String>,
}

/// How milestones cross
///
/// Titles of milestones are not on record. Change `planning` of the labels' rules to have them cross or
/// not.
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/milestones", tag = "issue sync",
    params(("mirror_id" = i64, Path)),
    responses((status = 200, body = Milestones), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
) -> Result<Json<Milestones>, Problem> {
    let (_, document) = rules::read(&state, MirrorId(id)).await?;
    let crosses = document.labels.planning;
    Ok(Json(Milestones {
        mapped_to: if crosses { "label" } else { "none" },
        example: crosses.then(|| milestone_label("v1.0")),
        only: document.only.milestones.into_iter().collect(),
    }))
}
