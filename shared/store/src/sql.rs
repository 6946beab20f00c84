//! One SQL text for both databases: a query that is bound to a connection of either.

use crate::{connect::unreached, database::Durability};
use sqlx::{
    Acquire, Database, Encode, FromRow, Pool, Postgres, Sqlite, Transaction, Type,
    postgres::{PgArguments, PgQueryResult, PgRow},
    query::Query as Typed,
    sqlite::{SqliteArguments, SqliteRow},
};
use tokio::sync::OwnedMutexGuard;

/// A statement. Where the databases cannot read the same words, there are two.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

impl From<&'static str> for Text {
    fn from(both: &'static str) -> Self {
        Self {
            sqlite: both,
            postgres: both,
        }
    }
}

/// A message from elsewhere, which may hold a zero character: PostgreSQL's text does not.
pub(crate) fn plain(message: &str) -> String {
    message.replace('\0', "\u{fffd}")
}

/// What can be bound: anything that both databases can be given. No integer but `i64`: every
/// column of numbers is a 64-bit one, and PostgreSQL compares the types.
pub(crate) trait Value<'t>:
    Encode<'t, Sqlite> + Type<Sqlite> + Encode<'t, Postgres> + Type<Postgres>
{
}

impl<'t, T> Value<'t> for T where
    T: Encode<'t, Sqlite> + Type<Sqlite> + Encode<'t, Postgres> + Type<Postgres>
{
}

/// What can be read: anything that either database's rows can be turned into.
pub(crate) trait Readable:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<T> Readable for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

/// Where a query runs.
pub(crate) enum On<'c, DB: Database> {
    /// On any connection of these.
    Pool(&'c Pool<DB>),
    /// On the one writing connection, in its turn.
    Turn(&'c Pool<DB>, OwnedMutexGuard<Durability>),
    /// In this transaction.
    Within(&'c mut Transaction<'static, DB>),
}

/// A statement with its values, and where it is to run. Does nothing until one of the last calls.
#[must_use]
pub(crate) enum Query<'c> {
    Sqlite(Typed<'static, Sqlite, SqliteArguments>, On<'c, Sqlite>),
    Postgres(Typed<'static, Postgres, PgArguments>, On<'c, Postgres>),
}

/// The same last call on whatever the query runs on.
macro_rules! run {
    ($query:expr, |$typed:ident, $row:ident| $prepared:expr, $($call:ident).+) => {
        match $query {
            Query::Sqlite($typed, on) => {
                type $row = SqliteRow;
                run!(@on on, $prepared, $($call).+)
            }
            Query::Postgres($typed, on) => {
                type $row = PgRow;
                let done: Result<_, sqlx::Error> = run!(@on on, $prepared, $($call).+);
                done.map_err(unreached)
            }
        }
    };
    (@on $on:ident, $prepared:expr, $call:ident) => {
        match $on {
            On::Pool(pool) => $prepared.$call(pool).await,
            On::Turn(pool, _turn) => $prepared.$call(pool).await,
            On::Within(transaction) => $prepared.$call(transaction.acquire().await?).await,
        }
    };
}

impl<'c> Query<'c> {
    pub(crate) fn on_sqlite(text: Text, on: On<'c, Sqlite>) -> Self {
        Self::Sqlite(sqlx::query(text.sqlite), on)
    }

    pub(crate) fn on_postgres(text: Text, on: On<'c, Postgres>) -> Self {
        Self::Postgres(sqlx::query(text.postgres), on)
    }

    /// PostgreSQL plans it anew each time, at the price of a round trip: for statements that would
    /// be slow by a plan made while a table was small, which is otherwise kept until statistics are
    /// gathered again.
    pub(crate) fn planned_anew(self) -> Self {
        match self {
            Self::Sqlite(..) => self,
            Self::Postgres(query, on) => Self::Postgres(query.persistent(false), on),
        }
    }

    /// Gives the next of `$1`, `$2`, …
    pub(crate) fn bind<'t>(self, value: impl Value<'t>) -> Self {
        match self {
            Self::Sqlite(query, on) => Self::Sqlite(query.bind(value), on),
            Self::Postgres(query, on) => Self::Postgres(query.bind(value), on),
        }
    }

    /// How many rows it touched.
    pub(crate) async fn execute(self) -> Result<u64, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(query, on) => run!(@on on, query, execute)?.rows_affected(),
            Self::Postgres(query, on) => {
                let done: Result<PgQueryResult, _> = run!(@on on, query, execute);
                done.map_err(unreached)?.rows_affected()
            }
        })
    }

    pub(crate) async fn fetch_all<T: Readable>(self) -> Result<Vec<T>, sqlx::Error> {
        run!(
            self,
            |query, Row| query.try_map(|row: Row| T::from_row(&row)),
            fetch_all
        )
    }

    pub(crate) async fn fetch_optional<T: Readable>(self) -> Result<Option<T>, sqlx::Error> {
        run!(
            self,
            |query, Row| query.try_map(|row: Row| T::from_row(&row)),
            fetch_optional
        )
    }

    /// # Errors
    /// [`sqlx::Error::RowNotFound`] too.
    pub(crate) async fn fetch_one<T: Readable>(self) -> Result<T, sqlx::Error> {
        run!(
            self,
            |query, Row| query.try_map(|row: Row| T::from_row(&row)),
            fetch_one
        )
    }
}

/// A statement that changes the rows of `work` that a condition finds. On PostgreSQL they are held
/// first: `in_turn`, all of them in the order of their keys, as everybody holds many rows, so that
/// two who want the same ones cannot wait for each other in a circle; or `free`, only those that
/// nobody holds just now, because the next call finds the others. (SQLite has one writer and knows
/// no holding.)
macro_rules! on_work {
    ($which:literal, in_turn, $($change:tt)+) => {
        crate::sql::on_work!(@both $which, " ORDER BY key FOR UPDATE", $($change)+)
    };
    ($which:literal, free, $($change:tt)+) => {
        crate::sql::on_work!(@both $which, " FOR UPDATE SKIP LOCKED", $($change)+)
    };
    (@both $which:literal, $hold:literal, $change:expr) => {
        crate::sql::Text {
            sqlite: concat!(
                "WITH held AS MATERIALIZED (SELECT id FROM work WHERE ", $which, ") ", $change
            ),
            postgres: concat!(
                "WITH held AS MATERIALIZED (SELECT id FROM work WHERE ", $which, $hold, ") ",
                $change
            ),
        }
    };
}
pub(crate) use on_work;
