//! Who changed what, when, and from where.

use crate::{
    Store, StoreError,
    database::PATIENCE,
    sql::{Text, plain},
    time::micros,
};
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

/// A text for what is looked for first, so that each is served by an index of its own; what else is
/// asked for is looked at in each row. PostgreSQL is given no other way to keep the order.
macro_rules! list {
    () => {
        list!(@ "id < $1 AND id > $8", "id DESC")
    };
    ($column:literal, $value:literal) => {
        Text {
            sqlite: list!(@ concat!($column, " = ", $value, " AND id < $1 AND id > $8"), "id DESC"),
            postgres: list!(
                @ concat!(
                    "(", $column, ", id) < (", $value, ", $1) AND (", $column, ", id) > (", $value,
                    ", $8)"
                ),
                concat!($column, " DESC, id DESC")
            ),
        }
    };
    (@ $by:expr, $order:expr) => {
        concat!(
            "SELECT id, at, who, what, object, old_value, new_value, request_id, address FROM audit \
             WHERE ",
            $by,
            " AND (CAST($2 AS TEXT) IS NULL OR who = $2) \
              AND (CAST($3 AS TEXT) IS NULL OR SUBSTR(what, 1, LENGTH($3)) = $3) \
              AND (CAST($4 AS TEXT) IS NULL OR object = $4) AND (at >= $5) IS TRUE ORDER BY ",
            $order,
            " LIMIT $6 OFFSET $7"
        )
    };
}

pub(crate) const LIST: &str = list!();
pub(crate) const BY_WHO: Text = list!("who", "$2");
pub(crate) const BY_WHAT: Text = list!("what", "$3");
pub(crate) const BY_OBJECT: Text = list!("object", "$4");

// Where a walk since then may end: what was written at a later time has a later id, but for what was
// written after the clock had been set back. No clock is, so often.
pub(crate) const SINCE: &str = "\
SELECT COALESCE(MIN(id) - 1, 9223372036854775806) FROM (
    SELECT id FROM audit WHERE at >= $1 ORDER BY at LIMIT 1000) earliest";

// There are as many as the program knows: one probe of an index for each.
pub(crate) const KINDS: &str = "\
WITH RECURSIVE kinds (what) AS (
    SELECT MIN(what) FROM audit
    UNION ALL
    SELECT (SELECT MIN(a.what) FROM audit a WHERE a.what > k.what) FROM kinds k
    WHERE k.what IS NOT NULL)
SELECT what FROM kinds WHERE SUBSTR(what, 1, LENGTH(CAST($1 AS TEXT))) = $1";

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
        let first = self.first_audited(filter).await?;
        let text = match (&filter.object, &filter.who, &filter.what) {
            (Some(_), _, _) => BY_OBJECT,
            (None, Some(_), _) => BY_WHO,
            (None, None, Some(begins)) => {
                return self.audited_kinds((filter, first), begins, limit).await;
            }
            (None, None, None) => LIST.into(),
        };
        self.audited_by(text, (filter, first), i64::from(limit))
            .await
    }

    /// The id behind which a walk ends.
    async fn first_audited(&self, filter: &AuditFilter) -> Result<i64, StoreError> {
        let Some(since) = filter.since else {
            return Ok(0);
        };
        let (first,): (i64,) = self.read(SINCE).bind(micros(since)).fetch_one().await?;
        Ok(first)
    }

    /// What begins so may be several kinds of changes, each with a walk of its own.
    async fn audited_kinds(
        &self,
        (filter, first): (&AuditFilter, i64),
        begins: &str,
        limit: u32,
    ) -> Result<Vec<Audited>, StoreError> {
        let kinds: Vec<(String,)> = self.read(KINDS).bind(plain(begins)).fetch_all().await?;
        let mut found = Vec::new();
        for (kind,) in kinds {
            let one = AuditFilter {
                what: Some(kind),
                offset: 0,
                ..filter.clone()
            };
            let most = i64::from(limit).saturating_add(filter.offset);
            found.extend(self.audited_by(BY_WHAT, (&one, first), most).await?);
        }
        found.sort_unstable_by_key(|audited| std::cmp::Reverse(audited.id));
        let passed = usize::try_from(filter.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(found.into_iter().skip(passed).take(limit).collect())
    }

    async fn audited_by(
        &self,
        text: Text,
        (filter, first): (&AuditFilter, i64),
        limit: i64,
    ) -> Result<Vec<Audited>, StoreError> {
        let since = filter.since.unwrap_or(DateTime::UNIX_EPOCH);
        let query = self.read(text).bind(filter.after.unwrap_or(i64::MAX));
        let query = query.bind(filter.who.as_deref().map(plain));
        let query = query.bind(filter.what.as_deref().map(plain));
        let query = query.bind(filter.object.as_deref().map(plain));
        let query = query.bind(micros(since)).bind(limit);
        let query = query.bind(filter.offset).bind(first);
        let rows: Vec<Row> = query.fetch_all().await?;
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
