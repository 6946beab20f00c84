//! What is known of each issue of a mirror.

use super::jobs::Why;
use crate::{
    ApiState,
    access::Viewer,
    body::{Path, Query},
    page::{Page, Wanted, answer, paged},
    problem::Problem,
};
use axum::{
    Json,
    extract::{OriginalUri, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use mirror_core::{
    ids::{Iid, MirrorId},
    job::Job,
    merge::{Resolution, What},
    sent::SentRequest,
};
use mirror_store::{Attempt, IssueFilter, KeptEdit, ListedIssue};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Attempts that are shown.
const ATTEMPTS: u32 = 50;
/// As long as a title is.
const LONGEST: usize = 255;

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
}

/// What is known of an issue. Its text is not on record.
#[derive(Serialize, ToSchema)]
#[schema(as = IssueMapping)]
pub(super) struct Shown {
    id: i64,
    source_iid: i64,
    source_id: i64,
    /// The source's, as last read; none of an issue that is confidential, gone or unlinked.
    title: Option<String>,
    /// Its copy's number.
    target_iid: Option<i64>,
    target_id: Option<i64>,
    /// `pending`, `synced`, `skipped`, `unlinked`, `failed`.
    status: String,
    /// Why it is left out, or what went wrong.
    reason: Option<String>,
    /// Edits on the target that wait for a person.
    conflicts: i64,
    /// The source issue is the copy: made by the other half of a pair.
    is_reverse: bool,
    last_synced_at: Option<DateTime<Utc>>,
    source_updated_at: Option<DateTime<Utc>>,
    target_updated_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<ListedIssue> for Shown {
    fn from(row: ListedIssue) -> Self {
        Self {
            id: row.id,
            source_iid: row.source_issue_iid,
            source_id: row.source_issue_id,
            title: row.title,
            target_iid: row.target_issue_iid,
            target_id: row.target_issue_id,
            status: if row.sync_status == "blocked" {
                "unlinked".to_owned()
            } else {
                row.sync_status
            },
            reason: row.sync_error,
            conflicts: row.conflicts,
            is_reverse: row.is_reverse,
            last_synced_at: row.last_synced_at,
            source_updated_at: row.source_updated_at,
            target_updated_at: row.target_updated_at,
            created_at: row.created_at,
        }
    }
}

/// An edit on the target that is kept there.
#[derive(Serialize, ToSchema)]
#[schema(as = TargetEdit)]
pub(super) struct Edit {
    field: &'static str,
    /// The source's comment, if it is one.
    note_id: Option<i64>,
    /// The source has changed there, too: a person is to decide.
    conflict: bool,
    /// What the source says; none: it is confidential.
    source: Option<String>,
    /// What the target says; none: it is confidential.
    target: Option<String>,
    /// What a person decided, not carried out yet.
    resolution: Option<&'static str>,
    found_at: DateTime<Utc>,
}

impl From<KeptEdit> for Edit {
    fn from(kept: KeptEdit) -> Self {
        let (field, note_id) = match kept.edit.what {
            What::Field(field) => (field.name(), None),
            What::Comment(note) => ("comment", Some(note.0)),
        };
        let (source, target) = kept.edit.values.unzip();
        Self {
            field,
            note_id,
            conflict: kept.edit.conflict,
            source,
            target,
            resolution: kept.resolution.map(Resolution::name),
            found_at: kept.found_at,
        }
    }
}

/// One try at a job.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct Try {
    /// Which worker.
    worker: Option<String>,
    started_at: Option<DateTime<Utc>>,
    ended_at: DateTime<Utc>,
    /// `done`, `snoozed`, `retried`, `given_up`, `crashed`, `handed_back`.
    ending: &'static str,
    /// What it did.
    #[schema(value_type = Option<Object>)]
    outcome: Option<serde_json::Value>,
    /// What went wrong, or what was waited for.
    error: Option<String>,
    /// The requests it sent, in the order of their ends. None is known of a try whose worker was lost.
    requests: Vec<Request>,
    /// Earlier requests of this try, which are not kept any more.
    requests_left_out: u64,
}

/// A request to a GitLab. What it carried is not on record.
#[derive(Serialize, ToSchema)]
#[schema(as = SentRequest)]
pub(super) struct Request {
    at: DateTime<Utc>,
    /// Which GitLab was asked.
    #[schema(example = "gitlab.example.com")]
    instance: String,
    #[schema(example = "GET")]
    method: String,
    /// Without query.
    #[schema(example = "/projects/12/issues/345")]
    path: String,
    /// The answer's; none: there was no answer.
    status: Option<u16>,
    took_ms: u64,
}

impl From<SentRequest> for Request {
    fn from(sent: SentRequest) -> Self {
        Self {
            at: sent.at,
            instance: sent.instance,
            method: sent.method,
            path: sent.path,
            status: sent.status,
            took_ms: u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

impl From<Attempt> for Try {
    fn from(attempt: Attempt) -> Self {
        let outcome = attempt.outcome.map(serde_json::to_value);
        Self {
            worker: attempt.owner,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            ending: attempt.ending.name(),
            outcome: outcome.and_then(Result::ok).map(|outcome| {
                if outcome.is_object() {
                    outcome
                } else {
                    json!({"outcome": outcome})
                }
            }),
            error: attempt.error,
            requests: attempt.requests.iter().map(Request::from).collect(),
            requests_left_out: attempt.requests.left_out(),
        }
    }
}

/// All that is known of an issue.
#[derive(Serialize, ToSchema)]
#[schema(as = IssueMappingDetail)]
pub(super) struct Detail {
    #[serde(flatten)]
    issue: Shown,
    /// The job that keeps it in line, if there ever was one.
    job_id: Option<i64>,
    /// Why that is not running, in one sentence.
    why: Option<String>,
    /// Edits on the target that are kept there.
    edits: Vec<Edit>,
    /// How the latest tries went, the latest first.
    attempts: Vec<Try>,
}

/// How an issue stands.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StatusWord {
    Pending,
    Synced,
    Skipped,
    Unlinked,
    Failed,
    Conflict,
    TargetModified,
}

impl StatusWord {
    /// As its row has it, where that tells.
    fn on_record(self) -> Option<&'static str> {
        match self {
            Self::Pending => Some("pending"),
            Self::Synced => Some("synced"),
            Self::Skipped => Some("skipped"),
            Self::Unlinked => Some("blocked"),
            Self::Failed => Some("failed"),
            Self::Conflict | Self::TargetModified => None,
        }
    }
}

/// Which issues are listed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// How they stand; `conflict` (also called `target_modified`) for edits on the target that wait for
    /// a person.
    #[param(inline)]
    status: Option<StatusWord>,
    /// The one with this number in the source project.
    #[param(minimum = 1)]
    iid: Option<i64>,
    /// Those whose title holds this text, whatever the case of its letters, or whose number it is. Each
    /// page looks at the next 1,000 issues, so that one may be short, or empty, and `Link` tell of more.
    /// Not together with `page`.
    #[param(max_length = 255, pattern = "\\S")]
    search: Option<String>,
    /// The page's number, from 1. Not together with `after`.
    #[param(minimum = 1, maximum = 10_001)]
    page: Option<u32>,
    /// Rows a page has.
    #[param(minimum = 1, maximum = 200, default = 50)]
    per_page: Option<u32>,
    /// The rows behind the one with this id.
    after: Option<i64>,
}

/// A mirror's issues
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/issues", tag = "issues",
    params(("mirror_id" = i64, Path), ListQuery),
    responses((status = 200, body = [Shown]), (status = 404)))]
pub(super) async fn list(
    _: Viewer,
    State(state): State<ApiState>,
    OriginalUri(uri): OriginalUri,
    Path(id): Path<i64>,
    Query(query): Query<ListQuery>,
) -> Result<Response, Problem> {
    let wanted = Page::wanted(query.page, query.per_page, query.after)?;
    let status = query.status;
    let filter = IssueFilter {
        status: status.and_then(StatusWord::on_record).map(str::to_owned),
        conflict: matches!(
            status,
            Some(StatusWord::Conflict | StatusWord::TargetModified)
        ),
        iid: query.iid.map(Iid),
        after: wanted.after,
        offset: wanted.offset,
    };
    let store = &state.store;
    store.listed_mirror(MirrorId(id)).await?;
    if let Some(text) = query.search {
        let text = searched(&text, &wanted)?;
        let found = store.searched_issues(MirrorId(id), &filter, text, wanted.per_page);
        let found = found.await?;
        let shown: Vec<Shown> = found.rows.into_iter().map(Shown::from).collect();
        return Ok(answer(&uri, &wanted, &shown, found.next));
    }
    let rows = store
        .listed_issues(MirrorId(id), &filter, wanted.limit)
        .await?;
    Ok(paged(&uri, &wanted, rows, |row| row.id, Shown::from))
}

/// What is searched for.
fn searched<'t>(text: &'t str, wanted: &Wanted) -> Result<&'t str, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        let detail = format!("give 1 to {LONGEST} characters that are not all blank");
        return Err(Problem::parameter("search", detail));
    }
    if wanted.page.is_some() {
        let detail =
            "what is searched for has no numbers of pages; go on with after, as Link tells";
        return Err(Problem::parameter("page", detail));
    }
    Ok(text)
}

pub(super) async fn find(
    state: &ApiState,
    mirror: MirrorId,
    mapping: i64,
) -> Result<ListedIssue, Problem> {
    let row = state.store.listed_issue(mirror, mapping).await?;
    row.ok_or_else(|| Problem::not_found("issue of this mirror"))
}

/// All that is known of an issue
#[utoipa::path(get, path = "/api/mirrors/{mirror_id}/issue-sync/issues/{mapping_id}", tag = "issues",
    params(("mirror_id" = i64, Path), ("mapping_id" = i64, Path)),
    responses((status = 200, body = Detail), (status = 404)))]
pub(super) async fn show(
    _: Viewer,
    State(state): State<ApiState>,
    Path((mirror, mapping)): Path<(i64, i64)>,
) -> Result<Json<Detail>, Problem> {
    let (store, mirror) = (&state.store, MirrorId(mirror));
    let row = find(&state, mirror, mapping).await?;
    let iid = Iid(row.source_issue_iid);
    let key = Job::SyncIssue { mirror, iid }.key();
    let job = store.job_called(&key).await?;
    let job_id = job.as_ref().map(|job| job.work);
    let attempts = match job_id {
        Some(work) => store.attempts(work, ATTEMPTS).await?,
        None => Vec::new(),
    };
    let why = match job {
        Some(job) => Some(Why::of(&state, job).await?.sentence),
        None => None,
    };
    let edits = store.edits(mirror, iid).await?;
    Ok(Json(Detail {
        issue: row.into(),
        job_id: job_id.map(|work| work.0),
        why,
        edits: edits.into_iter().map(Edit::from).collect(),
        attempts: attempts.into_iter().map(Try::from).collect(),
    }))
}
