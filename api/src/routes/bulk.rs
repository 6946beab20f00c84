//! The same for many mirrors.

use crate::{
    ApiState,
    access::Operator,
    auth::Trail,
    body::Body,
    problem::{FieldError, Problem},
};
use axum::{Json, extract::State};
use mirror_core::{
    ids::MirrorId,
    job::{Job, Priority},
};
use mirror_store::{ListedMirror, RunKind, RunRequest};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Mirrors that are read in one go.
const BATCH: u32 = 200;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(act))
}

/// What is done.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// Let them rest.
    Pause,
    /// End their rest.
    Resume,
    /// Look for changes by themselves.
    Enable,
    /// Look for changes only when asked.
    Disable,
    /// Look for changes now.
    Sync,
}

/// Which mirrors. What is not given does not matter; give something.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Filter {
    /// These.
    ids: Option<BTreeSet<i64>>,
    /// Those that have this instance as an end.
    instance_id: Option<i64>,
    /// Those that rest, or do not.
    paused: Option<bool>,
    /// Those that are looked at by themselves, or are not.
    enabled: Option<bool>,
    /// All of them.
    all: bool,
}

/// What to do with many mirrors.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Bulk {
    action: Action,
    filter: Filter,
    /// Why they rest, for whoever looks.
    #[schema(max_length = 500, pattern = "^[^\\x00]*[^\\s\\x00][^\\x00]*$")]
    reason: Option<String>,
    /// Only tell which ones it would be.
    #[serde(default)]
    dry_run: bool,
}

/// What was done.
#[derive(Serialize, ToSchema)]
pub(super) struct Acted {
    /// The mirrors that fit the filter.
    mirrors: Vec<i64>,
    /// It was done to them.
    done: bool,
}

impl Filter {
    fn is_empty(&self) -> bool {
        let given = self.ids.is_some()
            || self.instance_id.is_some()
            || self.paused.is_some()
            || self.enabled.is_some();
        !given && !self.all
    }

    fn fits(&self, row: &ListedMirror) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&row.id))
            && self
                .paused
                .is_none_or(|paused| paused == row.paused.is_some())
            && self
                .enabled
                .is_none_or(|enabled| enabled == row.next_scan_at.is_some())
    }
}

/// Do something to many mirrors
#[utoipa::path(post, path = "/api/mirrors/bulk", tag = "mirrors", request_body = Bulk,
    responses((status = 200, body = Acted), (status = 422)))]
pub(super) async fn act(
    Operator(caller): Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Body(bulk): Body<Bulk>,
) -> Result<Json<Acted>, Problem> {
    if bulk.filter.is_empty() {
        let detail = "say which mirrors, or `\"all\": true`";
        return Err(Problem::invalid(vec![FieldError::at("/filter", detail)]));
    }
    let reason = bulk.reason.as_deref().unwrap_or("a person paused it");
    crate::wrong::short("/reason", reason, 500)?;
    let mut mirrors = Vec::new();
    let mut after = 0;
    loop {
        let rows = state
            .store
            .listed_mirrors(after, bulk.filter.instance_id, BATCH, 0)
            .await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        mirrors.extend(
            rows.iter()
                .filter(|row| bulk.filter.fits(row))
                .map(|row| row.id),
        );
    }
    if bulk.dry_run {
        return Ok(Json(Acted {
            mirrors,
            done: false,
        }));
    }
    for id in &mirrors {
        let name = one(&state, MirrorId(*id), bulk.action, reason, &caller.name).await?;
        let object = format!("mirror/{id}");
        let after = Some(json!({"reason": bulk.reason, "many": true}));
        trail
            .record(&state.store, name, &object, (None, after))
            .await?;
    }
    state.signals.owed();
    Ok(Json(Acted {
        mirrors,
        done: true,
    }))
}

async fn one(
    state: &ApiState,
    id: MirrorId,
    action: Action,
    reason: &str,
    by: &str,
) -> Result<&'static str, Problem> {
    let store = &state.store;
    match action {
        Action::Pause => {
            store.pause_mirror(id, reason).await?;
            Ok("mirror.pause")
        }
        Action::Resume => {
            store.resume_mirror(id).await?;
            Ok("mirror.resume")
        }
        Action::Enable | Action::Disable => {
            let on = action == Action::Enable;
            super::issue_sync::switch(store, id, on).await?;
            Ok(if on {
                "issue_sync.enable"
            } else {
                "issue_sync.disable"
            })
        }
        Action::Sync => {
            let request = RunRequest {
                mirror: id,
                kind: RunKind::Incremental,
                jobs: &[Job::ScanMirror { mirror: id }],
                priority: Priority::ByHand,
                by,
            };
            store.request_run(&request).await?;
            Ok("mirror.sync")
        }
    }
}
