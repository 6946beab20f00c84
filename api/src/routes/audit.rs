//! Who changed what.

use crate::{
    ApiState,
    access::Operator,
    body::Query,
    page::{Page, paged},
    problem::{Problem, ProblemBody},
};
use axum::{
    extract::{OriginalUri, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use mirror_store::{AuditFilter, Audited};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(list))
}

/// A change.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct Shown {
    id: i64,
    at: DateTime<Utc>,
    /// Who made it: `user:anna`, `token:ci`, `cli:root`.
    #[schema(example = "user:anna")]
    who: String,
    /// What they did.
    #[schema(example = "mirror.update")]
    what: String,
    /// To what.
    #[schema(example = "mirror/7")]
    object: String,
    /// How it was, without secrets; none: there was nothing.
    before: Option<Value>,
    /// How it was then; none: there was nothing any more.
    after: Option<Value>,
    /// The request that asked for it.
    request_id: Option<String>,
    /// Where that came from.
    address: Option<String>,
}

impl From<Audited> for Shown {
    fn from(entry: Audited) -> Self {
        Self {
            id: entry.id,
            at: entry.at,
            who: entry.who,
            what: entry.what,
            object: entry.object,
            before: entry.before,
            after: entry.after,
            request_id: entry.request_id,
            address: entry.address,
        }
    }
}

/// Which changes are listed. What is left out does not matter.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those of this one: `user:anna`.
    who: Option<String>,
    /// What begins so: `mirror.`.
    what: Option<String>,
    /// Those of this thing: `mirror/7`.
    object: Option<String>,
    /// Those since then.
    since: Option<DateTime<Utc>>,
    /// The page's number, from 1. Not together with `after`.
    #[param(minimum = 1, maximum = 10_001)]
    page: Option<u32>,
    /// Rows a page has.
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u32>,
    /// The rows behind the one with this id. `Link` names it.
    after: Option<i64>,
}

/// Who changed what
///
/// The latest first.
#[utoipa::path(get, path = "/api/audit", tag = "access", params(Which),
    responses((status = 200, body = [Shown]), (status = 400, body = ProblemBody),
        (status = 401, body = ProblemBody), (status = 403, body = ProblemBody)))]
pub(super) async fn list(
    _: Operator,
    State(state): State<ApiState>,
    OriginalUri(uri): OriginalUri,
    Query(which): Query<Which>,
) -> Result<Response, Problem> {
    let wanted = Page::wanted(which.page, which.per_page, which.after)?;
    let filter = AuditFilter {
        who: which.who,
        what: which.what,
        object: which.object,
        since: which.since,
        after: wanted.after,
        offset: wanted.offset,
    };
    let rows = state.store.audited(&filter, wanted.limit).await?;
    Ok(paged(&uri, &wanted, rows, |entry| entry.id, Shown::from))
}
