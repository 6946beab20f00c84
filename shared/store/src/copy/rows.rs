//! Rows on their way from one database into another.

use chrono::{DateTime, Utc};
use serde_json::Value;
use sqlx::{
    Column, Row, Sqlite, SqliteConnection, Type, TypeInfo, ValueRef, postgres::PgRow,
    sqlite::SqliteRow, types::Json,
};

/// So many rows go in one statement.
const AT_ONCE: usize = 100;

/// A value of any column: the schemas have no other types.
pub(super) enum Cell {
    Nothing,
    Number(i64),
    Text(String),
    Time(DateTime<Utc>),
}

/// A row of either database.
pub(super) trait Cells: Row {
    /// The value of a column.
    fn cell(&self, at: usize) -> Result<Cell, sqlx::Error>;

    /// The columns' names.
    fn names(&self) -> Vec<String> {
        let columns = self.columns().iter();
        columns.map(|column| column.name().to_owned()).collect()
    }
}

impl Cells for SqliteRow {
    fn cell(&self, at: usize) -> Result<Cell, sqlx::Error> {
        let value = self.try_get_raw(at)?;
        if value.is_null() {
            return Ok(Cell::Nothing);
        }
        if *value.type_info() == <i64 as Type<Sqlite>>::type_info() {
            return Ok(Cell::Number(self.try_get_unchecked(at)?));
        }
        Ok(Cell::Text(self.try_get_unchecked(at)?))
    }
}

impl Cells for PgRow {
    fn cell(&self, at: usize) -> Result<Cell, sqlx::Error> {
        let value = self.try_get_raw(at)?;
        if value.is_null() {
            return Ok(Cell::Nothing);
        }
        Ok(match value.type_info().name() {
            "INT8" => Cell::Number(self.try_get(at)?),
            "BOOL" => Cell::Number(i64::from(self.try_get::<bool, _>(at)?)),
            "JSONB" => Cell::Text(self.try_get::<Json<Value>, _>(at)?.to_string()),
            "TIMESTAMPTZ" => Cell::Time(self.try_get(at)?),
            _ => Cell::Text(self.try_get(at)?),
        })
    }
}

/// Rows of one table that were read and are not written yet.
pub(super) struct Batch {
    table: &'static str,
    columns: Vec<String>,
    cells: Vec<Cell>,
    rows: usize,
}

impl Batch {
    pub(super) fn of(table: &'static str) -> Self {
        Self {
            table,
            columns: Vec::new(),
            cells: Vec::new(),
            rows: 0,
        }
    }

    /// Takes one in. `true`: it is time to write them.
    pub(super) fn take(&mut self, row: &impl Cells) -> Result<bool, sqlx::Error> {
        if self.columns.is_empty() {
            self.columns = row.names();
        }
        for at in 0..self.columns.len() {
            self.cells.push(row.cell(at)?);
        }
        self.rows += 1;
        Ok(self.rows >= AT_ONCE)
    }

    /// Writes them.
    pub(super) async fn write(&mut self, into: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if self.rows == 0 {
            return Ok(());
        }
        let text = sqlx::AssertSqlSafe(self.text());
        let mut insert = sqlx::query(text);
        for cell in self.cells.drain(..) {
            insert = match cell {
                Cell::Nothing => insert.bind(None::<i64>),
                Cell::Number(number) => insert.bind(number),
                Cell::Text(text) => insert.bind(text),
                Cell::Time(time) => insert.bind(time),
            };
        }
        insert.execute(into).await?;
        self.rows = 0;
        Ok(())
    }

    /// Names of our own schema alone are in it.
    fn text(&self) -> String {
        let row = vec!["?"; self.columns.len()].join(", ");
        let rows = vec![format!("({row})"); self.rows].join(", ");
        let (table, columns) = (self.table, self.columns.join(", "));
        format!("INSERT INTO {table} ({columns}) VALUES {rows}")
    }
}
