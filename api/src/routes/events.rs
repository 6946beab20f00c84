//! What happens, as it happens. Read from the record, so that every process tells the same, and who
//! comes back with the id of the last event has missed nothing that is on record.

use crate::{ApiState, access::Viewer, body::Query, problem::Problem};
use axum::{
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use chrono::{DateTime, TimeDelta, Utc};
use mirror_store::{Happened, Happening, StoreError};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    convert::Infallible,
    time::Duration,
};
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

/// From one look to the next.
const BEAT: Duration = Duration::from_secs(1);
/// Events of one look.
const BATCH: u32 = 500;
/// What commits late is still seen for so long.
const OVERLAP: TimeDelta = TimeDelta::seconds(5);
const LAST: &str = "last-event-id";

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(watch))
}

/// What is watched.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WatchQuery {
    /// Only of this mirror.
    mirror_id: Option<i64>,
}

/// What happens
///
/// Server-Sent Events: `run` (a sync job began or ended), `attempt` (a try at a job ended, and how),
/// `workers` (who works, when that changes). Each has an `id`; a client that comes back with it as
/// `Last-Event-ID` gets what it missed, at any of several processes. An event may come twice.
#[utoipa::path(get, path = "/api/events", tag = "operations",
    params(WatchQuery, ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = String)))]
pub(super) async fn watch(
    _: Viewer,
    State(state): State<ApiState>,
    Query(query): Query<WatchQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let since = match headers.get(LAST) {
        None => state.store.now(),
        Some(id) => {
            let id = id.to_str().unwrap_or_default();
            id.parse().map_err(|_| {
                let detail = "give the id of an event of this stream";
                Problem::parameter("Last-Event-ID", detail)
            })?
        }
    };
    let watcher = Watcher {
        state,
        mirror: query.mirror_id,
        began: since,
        since,
        told: HashMap::new(),
        workers: None,
        ready: VecDeque::new(),
    };
    let events = futures_util::stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await;
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let keep = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(keep).into_response())
}

/// Whoever watches, and how far they have seen.
struct Watcher {
    state: ApiState,
    mirror: Option<i64>,
    /// The event that was seen last, when this watch began.
    began: DateTime<Utc>,
    since: DateTime<Utc>,
    /// What was told of the time that is looked at again.
    told: HashMap<(bool, i64, String), DateTime<Utc>>,
    workers: Option<HashSet<(String, bool)>>,
    ready: VecDeque<Event>,
}

impl Watcher {
    async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "what happened cannot be read; trying again");
            }
            if self.ready.is_empty() {
                self.state.clock.sleep(BEAT).await;
            }
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        let store = &self.state.store;
        let from = self.since - OVERLAP;
        let mut happened = store.runs_since(from, self.mirror, BATCH).await?;
        happened.extend(store.attempts_since(from, self.mirror, BATCH).await?);
        happened.sort_by_key(|one| (one.at, one.id));
        for one in happened {
            let mark = mark(&one);
            let seen = self.told.insert(mark, one.at).is_some();
            // At the first look, what is older than the last event was told before.
            if seen || (self.workers.is_none() && one.at <= self.began) {
                continue;
            }
            self.since = self.since.max(one.at);
            self.ready.push_back(event(&one));
        }
        let old = self.since - OVERLAP;
        self.told.retain(|_, at| *at >= old);
        self.look_at_workers().await
    }

    async fn look_at_workers(&mut self) -> Result<(), StoreError> {
        let workers = self.state.store.workers().await?;
        let seen: HashSet<(String, bool)> = workers
            .into_iter()
            .map(|worker| (worker.name, worker.draining))
            .collect();
        if self.workers.as_ref() != Some(&seen) {
            let mut shown: Vec<_> = seen
                .iter()
                .map(|(name, draining)| json!({"name": name, "draining": draining}))
                .collect();
            shown.sort_by_key(ToString::to_string);
            let data = json!({"workers": shown}).to_string();
            let id = self.since.to_rfc3339();
            self.ready
                .push_back(Event::default().event("workers").id(id).data(data));
            self.workers = Some(seen);
        }
        Ok(())
    }
}

fn mark(one: &Happened) -> (bool, i64, String) {
    match &one.what {
        Happening::Attempt { .. } => (true, one.id, String::new()),
        Happening::Run { status, .. } => (false, one.id, status.clone()),
    }
}

fn event(one: &Happened) -> Event {
    let event = Event::default().id(one.at.to_rfc3339());
    match &one.what {
        Happening::Attempt {
            work,
            key,
            ending,
            outcome,
            error,
        } => {
            let data = json!({"at": one.at, "mirror_id": one.mirror, "job_id": work, "key": key,
                              "ending": ending, "outcome": outcome, "error": error});
            event.event("attempt").data(data.to_string())
        }
        Happening::Run { run, status } => {
            let data = json!({"at": one.at, "mirror_id": one.mirror, "sync_job_id": run,
                              "status": status});
            event.event("run").data(data.to_string())
        }
    }
}
