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
use mirror_core::ids::MirrorId;
use mirror_queue::budget::BucketView;
use mirror_store::{Happened, Happening, Place, StoreError};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::{HashMap, HashSet, VecDeque},
    convert::Infallible,
    time::Duration,
};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// From one look to the next.
const BEAT: Duration = Duration::from_secs(1);
/// Events of one look.
const BATCH: u32 = 500;
/// What commits late is still seen for so long.
const OVERLAP: TimeDelta = TimeDelta::seconds(5);
/// Looks from one at the budgets to the next: they change with each request.
const BUDGET_LOOKS: u32 = 5;
const LAST: &str = "last-event-id";

pub(super) fn router() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(watch))
}

/// What is watched.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WatchQuery {
    /// Only of this mirror, and the budgets of its instances.
    mirror_id: Option<i64>,
}

/// An event of the stream.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what is written line by line")]
struct StreamEvent {
    /// With which a client that comes back gets what it missed.
    id: String,
    /// `run`, `attempt`, `workers`, `budget`.
    event: String,
    /// JSON.
    data: String,
}

/// What happens
///
/// Server-Sent Events: `run` (a sync job began or ended), `attempt` (a try at a job ended, and how),
/// `workers` (who works, when that changes), `budget` (what a GitLab lets through, when that changes,
/// every five seconds at most). Each has an `id`; a client that comes back with it as
/// `Last-Event-ID` gets what it missed, at any of several processes. An event may come twice.
#[utoipa::path(get, path = "/api/events", tag = "operations",
    params(WatchQuery, ("Last-Event-ID" = Option<String>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = StreamEvent),
        (status = 400)))]
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
    let mirror = query.mirror_id;
    let ends = match mirror {
        None => None,
        Some(id) => {
            let row = state.store.listed_mirror(MirrorId(id)).await?;
            Some([row.source_instance_id, row.target_instance_id])
        }
    };
    let watcher = Watcher {
        state,
        mirror,
        ends,
        began: since,
        since,
        looked: since,
        told: HashMap::new(),
        workers: None,
        budgets: Vec::new(),
        looks: 0,
        ready: VecDeque::new(),
    };
    let events = futures_util::stream::unfold(watcher, |mut watcher| async move {
        let event = watcher.next().await;
        Some((Ok::<_, Infallible>(event), watcher))
    });
    let keep = KeepAlive::new().interval(Duration::from_secs(15));
    Ok(Sse::new(events).keep_alive(keep).into_response())
}

/// Behind which runs and tries a look goes on.
type Places = (Option<Place>, Option<Place>);

/// Whoever watches, and how far they have seen.
struct Watcher {
    state: ApiState,
    mirror: Option<i64>,
    /// Its instances.
    ends: Option<[i64; 2]>,
    /// The event that was seen last, when this watch began.
    began: DateTime<Utc>,
    /// Of the event that was told last.
    since: DateTime<Utc>,
    /// Up to which the record was looked at, whatever was told of it.
    looked: DateTime<Utc>,
    /// What was told of the time that is looked at again.
    told: HashMap<(bool, i64, String), DateTime<Utc>>,
    workers: Option<HashSet<(String, bool)>>,
    budgets: Vec<BucketView>,
    looks: u32,
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
        let from = Place::before(self.looked - OVERLAP);
        let mut behind = (Some(from), Some(from));
        // What was told already may fill any number of batches.
        while self.ready.is_empty() && behind != (None, None) {
            behind = self.look_behind(behind).await?;
        }
        let old = self.looked - OVERLAP;
        self.told.retain(|_, at| *at >= old);
        self.look_at_workers().await?;
        if self.looks.is_multiple_of(BUDGET_LOOKS) {
            self.look_at_budgets().await;
        }
        self.looks = self.looks.wrapping_add(1);
        Ok(())
    }

    /// Looks at the next of the runs and of the tries; where there are none any more, not again.
    async fn look_behind(&mut self, (runs, tries): Places) -> Result<Places, StoreError> {
        let store = &self.state.store;
        let runs = match runs {
            Some(place) => store.runs_since(place, BATCH).await?,
            None => Vec::new(),
        };
        let tries = match tries {
            Some(place) => store.attempts_since(place, BATCH).await?,
            None => Vec::new(),
        };
        let until = until([&runs, &tries]);
        let behind = (next(&runs, until), next(&tries, until));
        let mut happened: Vec<Happened> = runs.into_iter().chain(tries).collect();
        happened.retain(|one| until.is_none_or(|until| one.at <= until));
        happened.sort_by_key(|one| (one.at, one.id));
        for one in happened {
            self.looked = self.looked.max(one.at);
            if self.mirror.is_some_and(|own| one.mirror != Some(own)) {
                continue;
            }
            let mark = mark(&one);
            let seen = self.told.insert(mark, one.at).is_some();
            // At the first look, what is older than the last event was told before.
            if seen || (self.workers.is_none() && one.at <= self.began) {
                continue;
            }
            self.since = self.since.max(one.at);
            self.ready.push_back(event(&one));
        }
        Ok(behind)
    }

    /// A Redis that is away changes no budget.
    async fn look_at_budgets(&mut self) {
        let mut seen = match self.state.budget.buckets().await {
            Ok(seen) => seen,
            Err(error) => {
                tracing::debug!(%error, "budgets cannot be read; trying again");
                return;
            }
        };
        if let Some(ends) = self.ends {
            seen.retain(|view| ends.contains(&view.account.instance.0));
        }
        let id = self.since.to_rfc3339();
        for view in seen.iter().filter(|view| !self.budgets.contains(view)) {
            let data = json!({"instance_id": view.account.instance.0, "user": view.account.user,
                              "class": view.class.name(), "limit": view.limit, "used": view.used,
                              "remaining": view.remaining, "resets_at": view.resets_at,
                              "closed_until": view.closed_until});
            let event = Event::default().event("budget").id(id.clone());
            self.ready.push_back(event.data(data.to_string()));
        }
        self.budgets = seen;
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

/// Where the first of two batches ends that has no room for all there is: what comes later is told
/// later, so that all is told in order. None: there is no more.
fn until(batches: [&[Happened]; 2]) -> Option<DateTime<Utc>> {
    let full = usize::try_from(BATCH).unwrap_or(usize::MAX);
    let full = batches.into_iter().filter(|batch| batch.len() == full);
    full.filter_map(|batch| Some(batch.last()?.at)).min()
}

/// Where to go on behind what was told of a batch.
fn next(batch: &[Happened], until: Option<DateTime<Utc>>) -> Option<Place> {
    let at = until?;
    let last = batch.iter().rfind(|one| one.at <= at);
    Some(last.map_or(Place { at, id: i64::MAX }, Happened::place))
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
