//! Who changed what, when, and from where.

use crate::{Store, StoreError, database::PATIENCE, sql::plain, time::micros};
use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::types::Json;

/// A change to be put on record.
#[derive(Clone, Debug)]
pub struct AuditEntry<'a> {
    /// Who made it: `user:anna`, `token:ci`, `cli:root`.
    pub who: &'a str,
    /// What they did: `mirror.update`.
    pub what: &'a str,
    /// To what: `mirror/7`.
    pub object: &'a str,
    /// How it was, without secrets; none: there was nothing.
    pub before: Option<Value>,
    /// How it is now, without secrets; none: there is nothing any more.
    pub after: Option<Value>,
    /// The request that asked for it.
    pub request_id: Option<&'a str>,
    /// Where it came from.
    pub address: Option<&'a str>,
}

/// A change on record.
#[derive(Clone, PartialEq, Debug)]
pub struct Audited {
    /// Ours; grows with time.
    pub id: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// Who.
    pub who: String,
    /// What they did.
    pub what: String,
    /// To what.
    pub object: String,
    /// How it was.
    pub before: Option<Value>,
    /// How it was then.
    pub after: Option<Value>,
    /// The request that asked for it.
    pub request_id: Option<String>,
    /// Where it came from.
    pub address: Option<String>,
}

/// Which changes are listed. What is not given does not matter.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct AuditFilter {
    /// Those of this one.
    pub who: Option<String>,
    /// What begins so: `mirror.` is all that was done to mirrors.
    pub what: Option<String>,
    /// Those of this thing.
    pub object: Option<String>,
    /// Those since then.
    pub since: Option<DateTime<Utc>>,
    /// Behind this one in the list: older than it.
    pub after: Option<i64>,
    /// So many are passed over.
    pub offset: i64,
}

const WRITE: &str = "\
INSERT INTO audit (at, who, what, object, old_value, new_value, request_id, address)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const LIST: &str = "\
SELECT id, at, who, what, object, old_value, new_value, request_id, address FROM audit
WHERE (CAST($1 AS BIGINT) IS NULL OR id < $1) AND (CAST($2 AS TEXT) IS NULL OR who = $2)
  AND (CAST($3 AS TEXT) IS NULL OR SUBSTR(what, 1, LENGTH($3)) = $3)
  AND (CAST($4 AS TEXT) IS NULL OR object = $4) AND at >= $5
ORDER BY id DESC LIMIT $6 OFFSET $7";

#[derive(sqlx::FromRow)]
struct Row {
    id: i64,
    at: DateTime<Utc>,
    who: String,
    what: String,
    object: String,
    old_value: Option<Json<Value>>,
    new_value: Option<Json<Value>>,
    request_id: Option<String>,
    address: Option<String>,
}

impl From<Row> for Audited {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            at: row.at,
            who: row.who,
            what: row.what,
            object: row.object,
            before: row.old_value.map(|value| value.0),
            after: row.new_value.map(|value| value.0),
            request_id: row.request_id,
            address: row.address,
        }
    }
}

impl Store {
    /// Puts a change on record.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn audit(&self, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let query = tx.query(WRITE).bind(self.now()).bind(plain(entry.who));
        let query = query.bind(plain(entry.what)).bind(plain(entry.object));
        let query = query
            .bind(entry.before.as_ref().map(storable).map(Json))
            .bind(entry.after.as_ref().map(storable).map(Json))
            .bind(entry.request_id.map(plain));
        query.bind(entry.address.map(plain)).execute().await?;
        tx.commit().await
    }

    /// Changes on record, the latest first.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn audited(
        &self,
        filter: &AuditFilter,
        limit: u32,
    ) -> Result<Vec<Audited>, StoreError> {
        let since = filter.since.unwrap_or(DateTime::UNIX_EPOCH);
        let query = self.read(LIST).bind(filter.after);
        let query = query.bind(filter.who.as_deref().map(plain));
        let query = query.bind(filter.what.as_deref().map(plain));
        let query = query.bind(filter.object.as_deref().map(plain));
        let query = query.bind(micros(since)).bind(i64::from(limit));
        let rows: Vec<Row> = query.bind(filter.offset).fetch_all().await?;
        Ok(rows.into_iter().map(Audited::from).collect())
    }
}

/// PostgreSQL's JSON holds no zero character either.
fn storable(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(plain(text)),
        Value::Array(values) => values.iter().map(storable).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, value)| (plain(name), storable(value)))
                .collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
