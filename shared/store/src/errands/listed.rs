//! Errands as people look at them.

use crate::{Store, StoreError, sql::plain};
use chrono::{DateTime, Utc};
use mirror_core::ids::{ErrandId, InstanceId, MirrorId};
use serde_json::Value;
use sqlx::types::Json;

/// How an errand stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ErrandState {
    /// Nobody has begun, or it is to be tried again.
    Waiting,
    /// A worker is at it.
    Running,
    /// It ended well.
    Done,
    /// It will not be tried again.
    Failed,
}

impl ErrandState {
    /// `waiting`, `running`, `done`, `failed`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        [Self::Waiting, Self::Running, Self::Done, Self::Failed]
            .into_iter()
            .find(|state| state.name() == name)
            .ok_or(StoreError::Unreadable {
                what: "an errand's state",
            })
    }
}

/// An errand as it is listed.
#[derive(Clone, PartialEq, Debug)]
pub struct ErrandEntry {
    /// Ours.
    pub id: ErrandId,
    /// As [`Errand::kind`](mirror_core::errand::Errand::kind) names it.
    pub kind: String,
    /// The instance that it is about.
    pub instance: Option<InstanceId>,
    /// The mirror that it is about.
    pub mirror: Option<MirrorId>,
    /// The whole errand, as it was asked for.
    pub parameters: Value,
    /// How it stands.
    pub state: ErrandState,
    /// What came of it.
    pub result: Option<Value>,
    /// Why it failed, or what it waits for.
    pub problem: Option<String>,
    /// Who or what asked.
    pub asked_by: String,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// When a worker first began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// Which errands are listed. What is not given does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ErrandFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// In this state.
    pub state: Option<ErrandState>,
    /// About this mirror.
    pub mirror: Option<MirrorId>,
    /// About this instance as a whole.
    pub instance: Option<InstanceId>,
    /// Asked for before this one: the list begins with the latest.
    pub before: Option<ErrandId>,
    /// So many are passed over.
    pub offset: i64,
}

macro_rules! select {
    ($($rest:tt)*) => {
        concat!(
            "SELECT id, kind, instance_id, mirror_id, parameters, state, result, problem, ",
            "asked_by, asked_at, started_at, ended_at FROM errands ",
            $($rest)*
        )
    };
}

const ONE: &str = select!("WHERE id = $1");

macro_rules! list {
    ($first:literal) => {
        select!(
            "WHERE ",
            $first,
            "id < $1 AND (CAST($2 AS TEXT) IS NULL OR kind = $2) ",
            "AND (CAST($3 AS TEXT) IS NULL OR state = $3) ",
            "AND (CAST($4 AS BIGINT) IS NULL OR mirror_id = $4) ",
            "AND (CAST($5 AS BIGINT) IS NULL OR instance_id = $5) ",
            "ORDER BY id DESC LIMIT $6 OFFSET $7"
        )
    };
}

// A text for each, so that each is served by an index of its own.
pub(super) const ALL: &str = list!("");
pub(super) const OF_MIRROR: &str = list!("mirror_id = $4 AND ");
pub(super) const OF_INSTANCE: &str = list!("instance_id = $5 AND ");
pub(super) const IN_STATE: &str = list!("state = $3 AND ");
pub(super) const OF_KIND: &str = list!("kind = $2 AND ");

impl ErrandFilter {
    /// By what leaves the fewest.
    fn text(&self) -> &'static str {
        match self {
            Self {
                mirror: Some(_), ..
            } => OF_MIRROR,
            Self {
                instance: Some(_), ..
            } => OF_INSTANCE,
            Self { state: Some(_), .. } => IN_STATE,
            Self { kind: Some(_), .. } => OF_KIND,
            Self { .. } => ALL,
        }
    }
}

#[derive(sqlx::FromRow)]
struct ErrandRow {
    id: i64,
    kind: String,
    instance_id: Option<i64>,
    mirror_id: Option<i64>,
    parameters: Json<Value>,
    state: String,
    result: Option<Json<Value>>,
    problem: Option<String>,
    asked_by: String,
    asked_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    ended_at: Option<DateTime<Utc>>,
}

impl TryFrom<ErrandRow> for ErrandEntry {
    type Error = StoreError;

    fn try_from(row: ErrandRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: ErrandId(row.id),
            kind: row.kind,
            instance: row.instance_id.map(InstanceId),
            mirror: row.mirror_id.map(MirrorId),
            parameters: row.parameters.0,
            state: ErrandState::read(&row.state)?,
            result: row.result.map(|result| result.0),
            problem: row.problem,
            asked_by: row.asked_by,
            asked_at: row.asked_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
        })
    }
}

impl Store {
    /// An errand; `None` if it was forgotten, or never asked for.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn errand(&self, id: ErrandId) -> Result<Option<ErrandEntry>, StoreError> {
        let row: Option<ErrandRow> = self.read(ONE).bind(id.0).fetch_optional().await?;
        row.map(ErrandEntry::try_from).transpose()
    }

    /// Up to `limit` errands, the latest first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn errands(
        &self,
        filter: &ErrandFilter,
        limit: u32,
    ) -> Result<Vec<ErrandEntry>, StoreError> {
        let rows: Vec<ErrandRow> = self
            .read(filter.text())
            .bind(filter.before.map_or(i64::MAX, |before| before.0))
            .bind(filter.kind.as_deref().map(plain))
            .bind(filter.state.map(ErrandState::name))
            .bind(filter.mirror.map(|mirror| mirror.0))
            .bind(filter.instance.map(|instance| instance.0))
            .bind(i64::from(limit))
            .bind(filter.offset)
            .fetch_all()
            .await?;
        rows.into_iter().map(ErrandEntry::try_from).collect()
    }
}
