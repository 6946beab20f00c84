//! The GitLabs that a service reaches.

use super::instance_parts::{LimitText, base, check_parts, host};
use crate::{
    ApiState,
    access::{Admin, Viewer},
    auth::Trail,
    body::{Body, Path, Query},
    etag::{IfMatch, Tagged, changed},
    page::{Page, paged},
    problem::{FieldError, Kind, Problem},
};
use axum::{
    extract::{OriginalUri, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use mirror_core::ids::{InstanceId, InstanceName};
use mirror_store::{Changed, InstanceAccess, InstanceEntry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, change, delete))
}

/// A GitLab, without its token.
#[derive(Serialize, ToSchema)]
#[schema(as = Instance)]
pub(super) struct Shown {
    id: i64,
    /// What people call it.
    #[schema(example = "ours")]
    name: String,
    /// Host and path by which it names itself.
    #[schema(example = "gitlab.example")]
    host: String,
    /// Its web address.
    #[schema(example = "https://gitlab.example/")]
    url: String,
    /// A token is stored. It is never shown.
    has_token: bool,
    /// Certificates are trusted for it besides the system's.
    has_ca: bool,
    /// What is known of its limits, `CLASS=N/SECONDS` each; others are learnt.
    #[schema(example = json!(["notes=300/60"]))]
    limits: Vec<String>,
    /// Jobs that may be out at once on it, on whichever side of a mirror.
    concurrency: i64,
    /// Mirrors that it is an end of.
    mirrors: i64,
    /// Grows with every change; also in `ETag`.
    revision: i64,
}

/// A GitLab to be reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInstance)]
pub(super) struct New {
    /// Its web address.
    #[schema(
        example = "https://gitlab.example",
        max_length = 2_000,
        pattern = "^https?://[^/?#@\\s]+[^@\\s]*$"
    )]
    url: String,
    /// What to call it; its host where this is left out.
    #[schema(max_length = 100, pattern = "^[^\\x00]*[^\\s\\x00][^\\x00]*$")]
    name: Option<String>,
    /// The token to reach it with; kept sealed, never shown.
    #[schema(format = Password, min_length = 1, max_length = 1_000, pattern = "^[!-~]+$")]
    token: String,
    /// Certificates (PEM) trusted besides the system's.
    #[schema(pattern = "^$|-----BEGIN CERTIFICATE-----")]
    ca: Option<String>,
    /// What is known of its limits: `CLASS=N/SECONDS` each, of the classes `api`, `notes`, `issues`,
    /// `search`, `uploads`.
    #[serde(default)]
    #[schema(value_type = Vec<LimitText>, inline)]
    limits: Vec<String>,
    /// Jobs that may be out at once on it.
    #[schema(minimum = 1, maximum = 10_000, default = 8)]
    concurrency: Option<i64>,
}

/// What changes about a GitLab. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InstanceChange)]
pub(super) struct Change {
    /// What to call it.
    #[schema(max_length = 100, pattern = "^[^\\x00]*[^\\s\\x00][^\\x00]*$")]
    name: Option<String>,
    /// Another token.
    #[schema(format = Password, min_length = 1, max_length = 1_000, pattern = "^[!-~]+$")]
    token: Option<String>,
    /// Certificates (PEM) trusted besides the system's; empty: none.
    #[schema(pattern = "^$|-----BEGIN CERTIFICATE-----")]
    ca: Option<String>,
    /// What is known of its limits.
    #[schema(value_type = Option<Vec<LimitText>>, inline)]
    limits: Option<Vec<String>>,
    /// Jobs that may be out at once on it.
    #[schema(minimum = 1, maximum = 10_000)]
    concurrency: Option<i64>,
}

impl From<InstanceEntry> for Shown {
    fn from(entry: InstanceEntry) -> Self {
        Self {
            id: entry.id,
            name: entry.title.unwrap_or_else(|| entry.name.clone()),
            host: entry.name,
            url: entry.api_base,
            has_token: entry.has_token,
            has_ca: entry.has_ca,
            limits: entry.limits,
            concurrency: entry.concurrency,
            mirrors: entry.mirrors,
            revision: entry.revision,
        }
    }
}

/// As the audit tells of it.
fn told(access: &InstanceAccess) -> Value {
    json!({"name": access.title, "url": access.api_base, "limits": access.limits,
           "concurrency": access.concurrency, "ca": access.ca.is_some()})
}

/// GitLabs
#[utoipa::path(get, path = "/api/instances", tag = "instances", params(Page),
    responses((status = 200, body = [Shown])))]
pub(super) async fn list(
    _: Viewer,
    State(state): State<ApiState>,
    OriginalUri(uri): OriginalUri,
    Query(page): Query<Page>,
) -> Result<Response, Problem> {
    let wanted = page.read()?;
    let after = wanted.after.unwrap_or(0);
    let rows = state
        .store
        .listed_instances(after, wanted.limit, wanted.offset);
    Ok(paged(&uri, &wanted, rows.await?, |row| row.id, Shown::from))
}

/// Add a GitLab
///
/// Nothing is asked of it now: `POST /api/instances/{id}/check` has a worker look whether it answers
/// and what the token may do.
#[utoipa::path(post, path = "/api/instances", tag = "instances", request_body = New,
    responses((status = 201, body = Shown, headers(("Location" = String), ("ETag" = String))),
        (status = 409, description = "It is there already, or another one is called so"),
        (status = 422)))]
pub(super) async fn create(
    _: Admin,
    State(state): State<ApiState>,
    trail: Trail,
    Body(new): Body<New>,
) -> Result<Response, Problem> {
    let mut errors = Vec::new();
    let base = base(&new.url).map_err(|detail| errors.push(FieldError::at("/url", detail)));
    check_parts(
        new.name.as_deref(),
        Some(&new.token),
        new.ca.as_deref(),
        Some(&new.limits),
        new.concurrency,
        &mut errors,
    );
    let base = match base {
        Ok(base) if errors.is_empty() => base,
        Ok(_) | Err(()) => return Err(Problem::invalid(errors)),
    };
    let host = InstanceName(host(&base));
    let store = &state.store;
    let known = store.instance_entries().await?;
    if let Some(there) = known
        .iter()
        .find(|entry| entry.name == host.0 && entry.has_token)
    {
        let detail = format!("{} is instance {} already; change that", host.0, there.id);
        return Err(Problem::new(Kind::Conflict, detail));
    }
    let title = new.name.unwrap_or_else(|| host.0.clone());
    if known
        .iter()
        .any(|entry| entry.title.as_ref() == Some(&title))
    {
        let detail = format!("another instance is called {title}; give another name");
        return Err(Problem::new(Kind::Conflict, detail));
    }
    let id = store.register_instance(&host, base.as_str(), &[]).await?;
    let access = InstanceAccess {
        id,
        title,
        api_base: base.into(),
        token: new.token,
        ca: new.ca.filter(|ca| !ca.is_empty()),
        limits: new.limits,
        concurrency: new.concurrency.unwrap_or(8),
    };
    store
        .save_instance_access(&access, &state.cipher, &*state.entropy)
        .await?;
    let object = format!("instance/{id}");
    trail
        .record(
            store,
            "instance.create",
            &object,
            (None, Some(told(&access))),
        )
        .await?;
    let entry = store.instance_entry(id).await?;
    let place = [(header::LOCATION, format!("/api/instances/{id}"))];
    let tagged = Tagged(entry.revision, Shown::from(entry));
    Ok((StatusCode::CREATED, place, tagged).into_response())
}

/// A GitLab
#[utoipa::path(get, path = "/api/instances/{id}", tag = "instances", params(("id" = i64, Path)),
    responses((status = 200, body = Shown, headers(("ETag" = String))),
        (status = 304, description = "It stands as at If-None-Match"), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entry = state.store.instance_entry(InstanceId(id)).await?;
    Ok(Tagged(entry.revision, Shown::from(entry)).unless_known(&headers))
}

/// Change a GitLab
///
/// What is left out stays as it is.
#[utoipa::path(put, path = "/api/instances/{id}", tag = "instances", request_body = Change,
    params(("id" = i64, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = Shown, headers(("ETag" = String))), (status = 404),
        (status = 409, description = "It has no token yet, or another one is called so"),
        (status = 412), (status = 422), (status = 428)))]
pub(super) async fn change(
    _: Admin,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Body(change): Body<Change>,
) -> Result<Response, Problem> {
    let mut errors = Vec::new();
    check_parts(
        change.name.as_deref(),
        change.token.as_deref(),
        change.ca.as_deref(),
        change.limits.as_deref(),
        change.concurrency,
        &mut errors,
    );
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let (store, id) = (&state.store, InstanceId(id));
    let entry = store.instance_entry(id).await?;
    let before = store.instance_access(id, &state.cipher).await?;
    let before = match (before, &change.token) {
        (Some(before), _) => before,
        (None, Some(token)) => InstanceAccess {
            id,
            title: entry.name,
            api_base: entry.api_base,
            token: token.clone(),
            ca: None,
            limits: entry.limits,
            concurrency: entry.concurrency,
        },
        (None, None) => {
            let detail = "no token is stored for it; give one, too";
            return Err(Problem::new(Kind::Conflict, detail));
        }
    };
    let after = InstanceAccess {
        title: change.name.unwrap_or_else(|| before.title.clone()),
        token: change.token.unwrap_or_else(|| before.token.clone()),
        ca: match change.ca {
            Some(ca) => Some(ca).filter(|ca| !ca.is_empty()),
            None => before.ca.clone(),
        },
        limits: change.limits.unwrap_or_else(|| before.limits.clone()),
        concurrency: change.concurrency.unwrap_or(before.concurrency),
        ..before.clone()
    };
    let expected = if_match.expected()?;
    let done = store.change_instance(&after, expected, &state.cipher, &*state.entropy);
    match done.await? {
        Changed::To(_) => {}
        Changed::Meanwhile => return Err(changed()),
    }
    let object = format!("instance/{id}");
    let values = (Some(told(&before)), Some(told(&after)));
    trail
        .record(store, "instance.update", &object, values)
        .await?;
    let entry = store.instance_entry(id).await?;
    Ok(Tagged(entry.revision, Shown::from(entry)).into_response())
}

/// Forget a GitLab and its token
#[utoipa::path(delete, path = "/api/instances/{id}", tag = "instances", params(("id" = i64, Path)),
    responses((status = 204, description = "It is forgotten"), (status = 404),
        (status = 409, description = "Mirrors use it")))]
pub(super) async fn delete(
    _: Admin,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
) -> Result<StatusCode, Problem> {
    let (store, id) = (&state.store, InstanceId(id));
    let users = store.delete_instance(id).await?;
    if !users.is_empty() {
        let mut named = Vec::new();
        for mirror in users {
            let mirror = store.listed_mirror(mirror).await?;
            let name = format!(
                "{} ({} into {})",
                mirror.id, mirror.source_path, mirror.target_path
            );
            named.push(name);
        }
        let detail = format!("mirrors use it; delete these first: {}", named.join(", "));
        return Err(Problem::new(Kind::Conflict, detail));
    }
    let object = format!("instance/{id}");
    trail
        .record(store, "instance.delete", &object, (None, None))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
