//! How a mirror's issues are kept in line.

use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::{MaybeBody, Path},
    etag::{IfMatch, Tagged, changed},
    problem::{FieldError, Problem},
    words::{OnDeleteWord, OnEditWord, PreserveWord},
    wrong::Wrong,
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::TimeDelta;
use mirror_core::ids::MirrorId;
use mirror_store::{Changed, Settings, Store};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{Object, ObjectBuilder, Type, schema::SchemaType},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(enable, show, change, disable))
}

/// How a mirror's issues are kept in line.
#[derive(Serialize, ToSchema)]
#[schema(as = IssueSync)]
pub(super) struct Shown {
    mirror_id: i64,
    /// Changes are looked for by themselves.
    enabled: bool,
    /// Always `source_to_target`: two mirrors make a pair.
    sync_direction: &'static str,
    /// Always true: a copy without them would tell another story.
    sync_comments: bool,
    /// Always true; which ones is told by the labels' rules.
    sync_labels: bool,
    /// Always true; up to a size.
    sync_attachments: bool,
    /// From one look for changes to the next.
    interval_seconds: i64,
    /// From one comparison of everything to the next; 0: never by itself.
    full_interval_seconds: i64,
    /// Issues that were closed before they were first seen cross, too.
    include_closed: bool,
    /// The label on copies; empty: none.
    mirrored_label: String,
    /// Files above this size, in bytes, stay links to the source.
    max_attachment_size: i64,
    /// Whether copies keep number and times: `auto`, `never`, `require`.
    preserve: String,
    /// What becomes of the copy of an issue that is gone: `keep`, `close`, `delete`.
    on_delete: String,
    /// More copies than this are not closed or deleted without a person.
    max_delete: u64,
    /// Nor more than this share of them, in percent.
    max_delete_percent: u64,
    /// Files of hidden texts go into targets that are not private.
    expose_files: bool,
    /// Links between issues that are both mirrored cross.
    issue_links: bool,
    /// What becomes of edits on the target: `overwrite`, `protect`.
    on_edit: String,
    /// The mirror in the opposite direction that it is a pair with.
    pair_id: Option<i64>,
    /// Grows with every change; also in `ETag`.
    revision: i64,
}

impl Shown {
    fn of(mirror: MirrorId, settings: &Settings) -> Self {
        let (schedule, caution) = (&settings.schedule, &settings.caution);
        Self {
            mirror_id: mirror.0,
            enabled: schedule.next_scan_at.is_some(),
            sync_direction: "source_to_target",
            sync_comments: true,
            sync_labels: true,
            sync_attachments: true,
            interval_seconds: schedule.interval.num_seconds(),
            full_interval_seconds: schedule
                .full_interval
                .map_or(0, |every| every.num_seconds()),
            include_closed: schedule.include_closed,
            mirrored_label: schedule.mirrored_label.clone(),
            max_attachment_size: schedule.max_attachment_size,
            preserve: schedule.preserve.name().to_owned(),
            on_delete: caution.on_delete.name().to_owned(),
            max_delete: caution.breaker.count,
            max_delete_percent: caution.breaker.percent,
            expose_files: caution.exposes_files,
            issue_links: settings.issue_links,
            on_edit: settings.on_edit.name().to_owned(),
            pair_id: settings.pair.map(|pair| pair.0),
            revision: settings.revision,
        }
    }
}

/// What is set. What is left out stays as it is.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = IssueSyncChange)]
pub(super) struct Change {
    /// Changes are looked for by themselves.
    enabled: Option<bool>,
    /// Only `source_to_target`: for both ways declare a second mirror and pair the two.
    #[schema(example = "source_to_target", pattern = "^source_to_target$")]
    sync_direction: Option<String>,
    /// Only true.
    #[schema(schema_with = only_true)]
    sync_comments: Option<bool>,
    /// Only true; the labels' rules say which.
    #[schema(schema_with = only_true)]
    sync_labels: Option<bool>,
    /// Only true; `max_attachment_size` of 0 leaves all files where they are.
    #[schema(schema_with = only_true)]
    sync_attachments: Option<bool>,
    #[schema(minimum = 1, maximum = 31_536_000)]
    interval_seconds: Option<i64>,
    #[schema(minimum = 0, maximum = 31_536_000)]
    full_interval_seconds: Option<i64>,
    include_closed: Option<bool>,
    #[schema(max_length = 255, pattern = "^[^,\\x00]*$")]
    mirrored_label: Option<String>,
    #[schema(minimum = 0)]
    max_attachment_size: Option<i64>,
    #[schema(inline)]
    preserve: Option<PreserveWord>,
    #[schema(inline)]
    on_delete: Option<OnDeleteWord>,
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    max_delete: Option<i64>,
    #[schema(minimum = 0, maximum = 100)]
    max_delete_percent: Option<i64>,
    expose_files: Option<bool>,
    issue_links: Option<bool>,
    #[schema(inline)]
    on_edit: Option<OnEditWord>,
}

/// What may be said, but not denied.
fn only_true() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Boolean, Type::Null]))
        .enum_values(Some([Value::Bool(true), Value::Null]))
        .build()
}

impl Change {
    /// The settings with what is given.
    fn onto(self, settings: &mut Settings, now: chrono::DateTime<chrono::Utc>) -> Vec<FieldError> {
        let mut wrong = Wrong::default();
        self.of_direction(&mut wrong);
        let (schedule, caution) = (&mut settings.schedule, &mut settings.caution);
        const YEAR: i64 = 31_536_000;
        if let Some(seconds) = wrong.within("/interval_seconds", self.interval_seconds, 1, YEAR) {
            schedule.interval = TimeDelta::seconds(seconds);
        }
        let full = wrong.within(
            "/full_interval_seconds",
            self.full_interval_seconds,
            0,
            YEAR,
        );
        if let Some(seconds) = full {
            schedule.full_interval = (seconds > 0).then(|| TimeDelta::seconds(seconds));
        }
        schedule.include_closed = self.include_closed.unwrap_or(schedule.include_closed);
        if let Some(label) = self.mirrored_label {
            wrong.label("/mirrored_label", &label);
            schedule.mirrored_label = label.trim().to_owned();
        }
        let size = wrong.within(
            "/max_attachment_size",
            self.max_attachment_size,
            0,
            i64::MAX,
        );
        schedule.max_attachment_size = size.unwrap_or(schedule.max_attachment_size);
        schedule.preserve = self.preserve.map_or(schedule.preserve, Into::into);
        caution.on_delete = self.on_delete.map_or(caution.on_delete, Into::into);
        let count = wrong.within("/max_delete", self.max_delete, 0, 1_000_000_000);
        caution.breaker.count = count.map_or(caution.breaker.count, i64::unsigned_abs);
        let percent = wrong.within("/max_delete_percent", self.max_delete_percent, 0, 100);
        caution.breaker.percent = percent.map_or(caution.breaker.percent, i64::unsigned_abs);
        caution.exposes_files = self.expose_files.unwrap_or(caution.exposes_files);
        settings.issue_links = self.issue_links.unwrap_or(settings.issue_links);
        settings.on_edit = self.on_edit.map_or(settings.on_edit, Into::into);
        match self.enabled {
            Some(true) if schedule.next_scan_at.is_none() => schedule.next_scan_at = Some(now),
            Some(false) => schedule.next_scan_at = None,
            Some(true) | None => {}
        }
        wrong.0
    }

    fn of_direction(&self, wrong: &mut Wrong) {
        if self
            .sync_direction
            .as_deref()
            .is_some_and(|way| way != "source_to_target")
        {
            let detail = "a mirror goes one way, `source_to_target`: for both ways declare a second \
                          mirror in the opposite direction and pair the two";
            wrong.at("/sync_direction", detail);
        }
        for (name, given) in [
            ("/sync_comments", self.sync_comments),
            ("/sync_labels", self.sync_labels),
            ("/sync_attachments", self.sync_attachments),
        ] {
            if given == Some(false) {
                let detail = "a copy without them would tell another story; leave labels out by \
                              their rules, and files by max_attachment_size";
                wrong.at(name, detail);
            }
        }
    }
}

/// Has changes looked for by themselves, or not; whatever else is set meanwhile stays.
pub(super) async fn switch(store: &Store, id: MirrorId, on: bool) -> Result<(), Problem> {
    loop {
        let mut settings = store.settings(id).await?;
        settings.schedule.next_scan_at = on.then(|| store.now());
        let expected = Some(settings.revision);
        match store.change_settings(id, expected, &settings).await? {
            Changed::To(_) => return Ok(()),
            Changed::Meanwhile => {}
        }
    }
}

/// As the audit tells of it.
fn told(mirror: MirrorId, settings: &Settings) -> Option<Value> {
    serde_json::to_value(Shown::of(mirror, settings)).ok()
}

/// Keep a mirror's issues in line from now on
///
/// Its first look is due at once. What is not set is as for every new mirror.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/issue-sync", tag = "issue sync",
    request_body = Change, params(("mirror_id" = i64, Path)),
    responses((status = 200, body = Shown, headers(("ETag" = String))), (status = 404),
        (status = 422)))]
pub(super) async fn enable(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    MaybeBody(change): MaybeBody<Change>,
) -> Result<Response, Problem> {
    let change = Change {
        enabled: Some(change.enabled.unwrap_or(true)),
        ..change
    };
    set(
        &state,
        &trail,
        "issue_sync.enable",
        MirrorId(id),
        None,
        change,
    )
    .await
}

/// How a mirror's issues are kept in line
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync", tag = "issue sync",
    params(("mirror_id" = i64, Path)),
    responses((status = 200, body = Shown, headers(("ETag" = String))),
        (status = 304, description = "It stands as at If-None-Match"), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = MirrorId(id);
    let settings = state.store.settings(id).await?;
    Ok(Tagged(settings.revision, Shown::of(id, &settings)).unless_known(&headers))
}

/// Change how a mirror's issues are kept in line
///
/// What is left out stays as it is.
#[utoipa::path(put, path = "/api/mirrors/{mirror_id}/issue-sync", tag = "issue sync",
    request_body = Change, params(("mirror_id" = i64, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = Shown, headers(("ETag" = String))), (status = 404),
        (status = 412), (status = 422), (status = 428)))]
pub(super) async fn change(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    if_match: IfMatch,
    MaybeBody(change): MaybeBody<Change>,
) -> Result<Response, Problem> {
    let expected = if_match.expected()?;
    set(
        &state,
        &trail,
        "issue_sync.update",
        MirrorId(id),
        expected,
        change,
    )
    .await
}

/// Look for changes no more
///
/// What is known stays; what is owed is still done.
#[utoipa::path(delete, path = "/api/mirrors/{mirror_id}/issue-sync", tag = "issue sync",
    params(("mirror_id" = i64, Path)),
    responses((status = 204, description = "It is not looked at by itself any more"),
        (status = 404)))]
pub(super) async fn disable(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let change = Change {
        enabled: Some(false),
        ..Change::default()
    };
    set(
        &state,
        &trail,
        "issue_sync.disable",
        MirrorId(id),
        None,
        change,
    )
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set(
    state: &ApiState,
    trail: &Trail,
    what: &str,
    id: MirrorId,
    expected: Option<i64>,
    change: Change,
) -> Result<Response, Problem> {
    let store = &state.store;
    let before = store.settings(id).await?;
    let mut after = before.clone();
    let errors = change.onto(&mut after, store.now());
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    // Nobody who changed something in between is written over, whatever the caller knew.
    let expected = expected.unwrap_or(before.revision);
    match store.change_settings(id, Some(expected), &after).await? {
        Changed::To(_) => {}
        Changed::Meanwhile => return Err(changed()),
    }
    state.signals.owed();
    let object = format!("mirror/{id}");
    let after = store.settings(id).await?;
    let values = (told(id, &before), told(id, &after));
    trail.record(store, what, &object, values).await?;
    Ok(Tagged(after.revision, Shown::of(id, &after)).into_response())
}
