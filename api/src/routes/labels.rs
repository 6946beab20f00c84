//! Which labels cross, and under what name.

use super::rules;
use crate::{
    ApiState,
    access::{Operator, Viewer},
    auth::Trail,
    body::{Body, Path, Query},
    etag::{IfMatch, Tagged},
    problem::{FieldError, Problem},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use mirror_core::{
    ids::MirrorId,
    rules::{Document, LabelDocument},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(show, map, replace, remove))
}

/// What becomes of a source label.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// It crosses under another name.
    Map,
    /// It crosses under its own name, whatever the other rules say.
    Exact,
    /// It does not cross.
    Skip,
}

/// What becomes of one source label.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelMapping {
    /// Its title at the source.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = "^[^\\x00]*[^\\s\\x00][^\\x00]*$",
        example = "bug"
    )]
    source_label: String,
    /// What becomes of it; `map` where this is left out.
    #[serde(default = "mapped")]
    #[schema(inline, default = "map")]
    action: Action,
    /// Its title on the target, where it is mapped.
    #[schema(max_length = 255, example = "kind::bug")]
    target_label: Option<String>,
}

fn mapped() -> Action {
    Action::Map
}

/// A mapping, and what holds for all of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewLabelMapping {
    /// Its title at the source.
    #[schema(
        min_length = 1,
        max_length = 255,
        pattern = "^[^\\x00]*[^\\s\\x00][^\\x00]*$",
        example = "bug"
    )]
    source_label: String,
    /// What becomes of it.
    #[serde(default = "mapped")]
    #[schema(inline, default = "map")]
    action: Action,
    /// Its title on the target, where it is mapped.
    #[schema(max_length = 255, example = "kind::bug")]
    target_label: Option<String>,
    /// Whether labels that the target lacks are created; holds for all of the mirror's labels.
    auto_create: Option<bool>,
}

/// Which labels cross, and under what name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelRules {
    /// Labels that the target lacks are created.
    #[serde(default = "yes")]
    #[schema(default = true)]
    auto_create: bool,
    /// Labels for what the target has no field for (milestone, iteration, epic, assignees).
    #[serde(default = "yes")]
    #[schema(default = true)]
    planning: bool,
    /// Put before each name that is not mapped.
    #[serde(default)]
    prefix: String,
    /// Put after each name that is not mapped.
    #[serde(default)]
    suffix: String,
    /// Regular expressions: if there are any, only titles that one of them finds something in cross.
    #[serde(default)]
    include: Vec<String>,
    /// Regular expressions: titles that one of them finds something in do not cross.
    #[serde(default)]
    exclude: Vec<String>,
    /// What becomes of single labels.
    #[serde(default)]
    mappings: Vec<LabelMapping>,
}

fn yes() -> bool {
    true
}

impl From<LabelDocument> for LabelRules {
    fn from(document: LabelDocument) -> Self {
        let skipped = document.skip.into_iter().map(|source_label| LabelMapping {
            source_label,
            action: Action::Skip,
            target_label: None,
        });
        let mapped = document
            .map
            .into_iter()
            .map(|(source, target)| LabelMapping {
                action: if source == target {
                    Action::Exact
                } else {
                    Action::Map
                },
                source_label: source,
                target_label: Some(target),
            });
        Self {
            auto_create: document.create,
            planning: document.planning,
            prefix: document.prefix,
            suffix: document.suffix,
            include: document.include,
            exclude: document.exclude,
            mappings: mapped.chain(skipped).collect(),
        }
    }
}

impl LabelRules {
    fn document(self) -> Result<LabelDocument, Problem> {
        let mut document = LabelDocument {
            create: self.auto_create,
            planning: self.planning,
            prefix: self.prefix,
            suffix: self.suffix,
            skip: BTreeSet::new(),
            include: self.include,
            exclude: self.exclude,
            map: BTreeMap::new(),
        };
        let mut errors = Vec::new();
        let mut seen = BTreeSet::new();
        for (at, mapping) in self.mappings.into_iter().enumerate() {
            if !seen.insert(mapping.source_label.clone()) {
                let detail = "there are two mappings of this label; leave one";
                errors.push(FieldError::at(
                    format!("/mappings/{at}/source_label"),
                    detail,
                ));
            }
            errors.extend(put(&mut document, mapping, &format!("/mappings/{at}")));
        }
        if errors.is_empty() {
            Ok(document)
        } else {
            Err(Problem::invalid(errors))
        }
    }
}

/// Sets what becomes of one label.
fn put(document: &mut LabelDocument, mapping: LabelMapping, at: &str) -> Option<FieldError> {
    let LabelMapping {
        source_label,
        action,
        target_label,
    } = mapping;
    let source = source_label.trim().to_owned();
    if source.is_empty() || source.chars().count() > 255 {
        let detail = "a label has 1 to 255 characters";
        return Some(FieldError::at(format!("{at}/source_label"), detail));
    }
    let target = target_label.as_deref().map(str::trim);
    match (action, target) {
        (Action::Map, None | Some("")) => {
            let detail = "say what it is called on the target, or give another action";
            return Some(FieldError::at(format!("{at}/target_label"), detail));
        }
        (Action::Exact | Action::Skip, Some(target)) if target != source => {
            let detail = "with this action a label has no other name; leave it out, or give `map`";
            return Some(FieldError::at(format!("{at}/target_label"), detail));
        }
        (Action::Map, Some(target)) => {
            document.skip.remove(&source);
            document.map.insert(source, target.to_owned());
        }
        (Action::Exact, _) => {
            document.skip.remove(&source);
            document.map.insert(source.clone(), source);
        }
        (Action::Skip, _) => {
            document.map.remove(&source);
            document.skip.insert(source);
        }
    }
    None
}

/// Which labels cross
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/labels", tag = "issue sync",
    params(("mirror_id" = i64, Path)),
    responses((status = 200, body = LabelRules, headers(("ETag" = String))),
        (status = 304, description = "It stands as at If-None-Match"), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path(id): Path<i64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (settings, document) = rules::read(&state, MirrorId(id)).await?;
    let shown = LabelRules::from(document.labels);
    Ok(Tagged(settings.revision, shown).unless_known(&headers))
}

/// Say what becomes of one label
///
/// What was said of it before is replaced; issues that carry it are brought in line by the next look.
#[utoipa::path(post, path = "/api/mirrors/{mirror_id}/issue-sync/labels", tag = "issue sync",
    request_body = NewLabelMapping, params(("mirror_id" = i64, Path)),
    responses((status = 200, body = LabelRules, headers(("ETag" = String))), (status = 404),
        (status = 412, description = "Somebody else changed the rules just now"),
        (status = 422)))]
pub(super) async fn map(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    Body(new): Body<NewLabelMapping>,
) -> Result<Response, Problem> {
    let mapping = LabelMapping {
        source_label: new.source_label,
        action: new.action,
        target_label: new.target_label,
    };
    let edit = |document: &mut Document| {
        if let Some(error) = put(&mut document.labels, mapping, "") {
            return Err(Problem::invalid(vec![error]));
        }
        document.labels.create = new.auto_create.unwrap_or(document.labels.create);
        Ok(())
    };
    let id = MirrorId(id);
    let (revision, now) = rules::change(&state, &trail, "labels.map", id, None, edit).await?;
    Ok(Tagged(revision, LabelRules::from(now.labels)).into_response())
}

/// Say which labels cross
#[utoipa::path(put, path = "/api/mirrors/{mirror_id}/issue-sync/labels", tag = "issue sync",
    request_body = LabelRules, params(("mirror_id" = i64, Path), ("If-Match" = String, Header)),
    responses((status = 200, body = LabelRules, headers(("ETag" = String))), (status = 404),
        (status = 412), (status = 422), (status = 428)))]
pub(super) async fn replace(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Body(wanted): Body<LabelRules>,
) -> Result<Response, Problem> {
    let edit = |document: &mut Document| {
        document.labels = wanted.document()?;
        Ok(())
    };
    let (id, known) = (MirrorId(id), Some(if_match));
    let (revision, now) = rules::change(&state, &trail, "labels.update", id, known, edit).await?;
    Ok(Tagged(revision, LabelRules::from(now.labels)).into_response())
}

/// Which label.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Its title at the source.
    source_label: String,
}

/// Say nothing of one label any more
#[utoipa::path(delete, path = "/api/mirrors/{mirror_id}/issue-sync/labels", tag = "issue sync",
    params(("mirror_id" = i64, Path), Which),
    responses((status = 204, description = "Nothing is said of it any more"),
        (status = 404, description = "Nothing was said of it"),
        (status = 412, description = "Somebody else changed the rules just now")))]
pub(super) async fn remove(
    _: Operator,
    State(state): State<ApiState>,
    trail: Trail,
    Path(id): Path<i64>,
    Query(which): Query<Which>,
) -> Result<StatusCode, Problem> {
    let edit = |document: &mut Document| {
        let mapped = document.labels.map.remove(&which.source_label).is_some();
        let skipped = document.labels.skip.remove(&which.source_label);
        if !mapped && !skipped {
            return Err(Problem::not_found("label among the mappings"));
        }
        Ok(())
    };
    let id = MirrorId(id);
    rules::change(&state, &trail, "labels.unmap", id, None, edit).await?;
    Ok(StatusCode::NO_CONTENT)
}
