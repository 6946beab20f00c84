//! A copy of one mirror's record, to pretend in.

mod rows;
mod tables;
#[cfg(test)]
mod tests;

use crate::{
    Store, StoreError,
    connect::unreached,
    database::{Database, PATIENCE, Tx},
};
use futures_util::TryStreamExt;
use mirror_core::ids::MirrorId;
use rows::Batch;
use sqlx::{Postgres, Sqlite, SqliteConnection, Transaction};
use tables::{AROUND, BESIDE, Copied, HALVES, OF_EACH, OWED};

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Where rows are read: all as of one moment.
enum Moment {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// The same on either connection.
macro_rules! on {
    ($moment:expr, |$connection:ident| $do:expr) => {
        match $moment {
            Moment::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $do
            }
            Moment::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $do
            }
        }
    };
}

impl Store {
    /// A copy of all that mirroring reads of one mirror, as of one moment, in a store of its own:
    /// what is written there nobody else sees, and it ends with its last clone. It is a file without
    /// a name (in the folder for such, which `TMPDIR` names), so that its size is no matter of
    /// memory. The issues that are owed are due there at once; whoever mirrors is not held up. It
    /// holds no secret, nothing of runs and errands, and nobody's work.
    ///
    /// # Errors
    /// [`StoreError::NoSuchMirror`].
    pub async fn copy_of(&self, mirror: MirrorId) -> Result<Self, StoreError> {
        let copy = Self::without_a_name(self.shared_clock()).await;
        let copy = copy.map_err(|error| StoreError::NoCopy(Box::new(error)))?;
        let mut moment = self.moment().await?;
        let halves: Vec<i64> = on!(&mut moment, |connection| {
            let halves = sqlx::query_scalar(HALVES).bind(mirror.0);
            halves.fetch_all(connection).await?
        });
        if halves.is_empty() {
            return Err(StoreError::NoSuchMirror(mirror));
        }
        let Tx::Sqlite { mut inner, _turn } = copy.begin(PATIENCE).await? else {
            return Err(StoreError::Unreadable {
                what: "a copy on a server",
            });
        };
        for copied in AROUND {
            pour(&mut moment, copied, None, &mut inner).await?;
        }
        for copied in OF_EACH {
            for half in &halves {
                pour(&mut moment, copied, Some(*half), &mut inner).await?;
            }
        }
        for copied in [&OWED, &BESIDE] {
            pour(&mut moment, copied, Some(mirror.0), &mut inner).await?;
        }
        inner.commit().await?;
        Ok(copy)
    }

    async fn moment(&self) -> Result<Moment, StoreError> {
        Ok(match self.database() {
            Database::Sqlite { readers, .. } => Moment::Sqlite(readers.begin().await?),
            Database::Postgres { light, .. } => {
                let begun = light.begin_with(SNAPSHOT).await;
                Moment::Postgres(begun.map_err(unreached)?)
            }
        })
    }
}

/// Copies rows as they come; no more are held than go in one statement.
async fn pour(
    moment: &mut Moment,
    copied: &Copied,
    mirror: Option<i64>,
    into: &mut SqliteConnection,
) -> Result<(), StoreError> {
    let mut batch = Batch::of(copied.table);
    on!(moment, |connection| {
        let query = sqlx::query(copied.rows);
        let query = match mirror {
            Some(mirror) => query.bind(mirror),
            None => query,
        };
        let mut rows = query.fetch(connection);
        while let Some(row) = rows.try_next().await? {
            if batch.take(&row)? {
                batch.write(into).await?;
            }
        }
    });
    Ok(batch.write(into).await?)
}
