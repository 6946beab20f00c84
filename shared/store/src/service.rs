//! What a service keeps of an instance so that it can reach it by itself.

use crate::{Changed, Cipher, Store, StoreError, database::PATIENCE};
use mirror_core::{
    ids::{InstanceId, MirrorId},
    ports::Entropy,
};
use sqlx::types::Json;
use std::fmt;

/// How a service reaches an instance.
#[derive(Clone, PartialEq, Eq)]
pub struct InstanceAccess {
    /// The instance.
    pub id: InstanceId,
    /// What people call it, unique.
    pub title: String,
    /// Where its API answers.
    pub api_base: String,
    /// The token, opened.
    pub token: String,
    /// Certificates (PEM) trusted besides the system's.
    pub ca: Option<String>,
    /// Its known limits, `CLASS=N/SECONDS` each.
    pub limits: Vec<String>,
    /// Jobs that may be out at once on it.
    pub concurrency: i64,
}

impl fmt::Debug for InstanceAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstanceAccess")
            .field("id", &self.id)
            .field("title", &self.title)
            .field("api_base", &self.api_base)
            .field("limits", &self.limits)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

/// An instance as listed: nothing secret.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct InstanceEntry {
    /// Its id.
    pub id: i64,
    /// What people call it; none if only `sync` ever met it.
    pub title: Option<String>,
    /// The name it gives itself.
    pub name: String,
    /// Where its API answers.
    pub api_base: String,
    /// A token is stored.
    pub has_token: bool,
    /// Jobs that may be out at once on it.
    pub concurrency: i64,
    /// How many mirrors it is an end of.
    pub mirrors: i64,
    /// Certificates are trusted besides the system's.
    pub has_ca: bool,
    /// Its known limits, `CLASS=N/SECONDS` each.
    #[sqlx(json)]
    pub limits: Vec<String>,
    /// Grows with every change.
    pub revision: i64,
}

const SAVE: &str = "\
UPDATE instances SET title = $2, token = $3, ca = $4, limits = $5, concurrency = $6, updated_at = $7,
                     revision = revision + 1
WHERE id = $1 AND (CAST($8 AS BIGINT) IS NULL OR revision = $8)
RETURNING revision";

const EXISTS: &str = "SELECT 1 FROM instances WHERE id = $1";

const USED_BY: &str = "\
SELECT id FROM mirrors WHERE source_instance_id = $1 OR target_instance_id = $1 ORDER BY id LIMIT 20";

const DELETE: &str = "DELETE FROM instances WHERE id = $1";

const ACCESS: &str = "\
SELECT title, api_base, token, ca, limits, concurrency FROM instances WHERE id = $1";

macro_rules! entry {
    ($rest:literal) => {
        concat!(
            "SELECT i.id, i.title, i.name, i.api_base, i.token IS NOT NULL AS has_token, ",
            "i.concurrency, i.ca IS NOT NULL AS has_ca, i.limits, i.revision, ",
            "(SELECT COUNT(*) FROM mirrors m ",
            "WHERE m.source_instance_id = i.id OR m.target_instance_id = i.id) AS mirrors ",
            "FROM instances i ",
            $rest
        )
    };
}

const LIST: &str = entry!("ORDER BY i.id");
const PAGE: &str = entry!("WHERE i.id > $1 ORDER BY i.id LIMIT $2 OFFSET $3");
const ENTRY: &str = entry!("WHERE i.id = $1");

#[derive(sqlx::FromRow)]
struct AccessRow {
    title: Option<String>,
    api_base: String,
    token: Option<String>,
    ca: Option<String>,
    limits: Json<Vec<String>>,
    concurrency: i64,
}

fn place(id: InstanceId) -> String {
    format!("instances/{id}/token")
}

impl Store {
    /// Keeps how to reach an instance, its token sealed.
    ///
    /// # Errors
    /// [`StoreError::TitleTaken`]; [`StoreError::NoSuchInstance`]; [`StoreError::Unreadable`] if
    /// the token cannot be sealed.
    pub async fn save_instance_access(
        &self,
        access: &InstanceAccess,
        cipher: &Cipher,
        entropy: &dyn Entropy,
    ) -> Result<(), StoreError> {
        self.change_instance(access, None, cipher, entropy).await?;
        Ok(())
    }

    /// As [`Store::save_instance_access`], if the instance still stands at this revision (`None`:
    /// however it stands).
    ///
    /// # Errors
    /// As there.
    pub async fn change_instance(
        &self,
        access: &InstanceAccess,
        expected: Option<i64>,
        cipher: &Cipher,
        entropy: &dyn Entropy,
    ) -> Result<Changed, StoreError> {
        let sealed = cipher
            .seal(&place(access.id), &access.token, entropy)
            .map_err(|_| StoreError::Unreadable { what: "a token" })?;
        let mut tx = self.begin(PATIENCE).await?;
        let known = tx.query(EXISTS).bind(access.id.0);
        if known.fetch_optional::<(i32,)>().await?.is_none() {
            return Err(StoreError::NoSuchInstance(access.id));
        }
        let saved: Option<(i64,)> = tx
            .query(SAVE)
            .bind(access.id.0)
            .bind(&access.title)
            .bind(sealed)
            .bind(&access.ca)
            .bind(Json(&access.limits))
            .bind(access.concurrency)
            .bind(self.now())
            .bind(expected)
            .fetch_optional()
            .await
            .map_err(|error| title_taken(error, &access.title))?;
        let Some((revision,)) = saved else {
            return Ok(Changed::Meanwhile);
        };
        tx.commit().await?;
        Ok(Changed::To(revision))
    }

    /// Forgets an instance and its token, if no mirror has it as an end; else the ids of (some of)
    /// these mirrors.
    ///
    /// # Errors
    /// [`StoreError::NoSuchInstance`].
    pub async fn delete_instance(&self, id: InstanceId) -> Result<Vec<MirrorId>, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let users: Vec<(i64,)> = tx.query(USED_BY).bind(id.0).fetch_all().await?;
        if !users.is_empty() {
            return Ok(users.into_iter().map(|(id,)| MirrorId(id)).collect());
        }
        if tx.query(DELETE).bind(id.0).execute().await? == 0 {
            return Err(StoreError::NoSuchInstance(id));
        }
        tx.commit().await?;
        Ok(Vec::new())
    }

    /// How to reach an instance; `None` if it is not there or has no token.
    ///
    /// # Errors
    /// [`StoreError::Sealed`] if the token does not open under this key.
    pub async fn instance_access(
        &self,
        id: InstanceId,
        cipher: &Cipher,
    ) -> Result<Option<InstanceAccess>, StoreError> {
        let row: Option<AccessRow> = self.read(ACCESS).bind(id.0).fetch_optional().await?;
        let Some(row) = row else { return Ok(None) };
        let Some(sealed) = row.token else {
            return Ok(None);
        };
        let token = cipher.open(&place(id), &sealed)?;
        Ok(Some(InstanceAccess {
            id,
            title: row.title.unwrap_or_default(),
            api_base: row.api_base,
            token,
            ca: row.ca,
            limits: row.limits.0,
            concurrency: row.concurrency,
        }))
    }

    /// All instances, nothing secret.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn instance_entries(&self) -> Result<Vec<InstanceEntry>, StoreError> {
        Ok(self.read(LIST).fetch_all().await?)
    }

    /// Instances by id, behind this one; nothing secret.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn listed_instances(
        &self,
        after: i64,
        limit: u32,
        offset: i64,
    ) -> Result<Vec<InstanceEntry>, StoreError> {
        let query = self.read(PAGE).bind(after).bind(i64::from(limit));
        Ok(query.bind(offset).fetch_all().await?)
    }

    /// An instance, nothing secret.
    ///
    /// # Errors
    /// [`StoreError::NoSuchInstance`].
    pub async fn instance_entry(&self, id: InstanceId) -> Result<InstanceEntry, StoreError> {
        let row = self.read(ENTRY).bind(id.0).fetch_optional().await?;
        row.ok_or(StoreError::NoSuchInstance(id))
    }
}

fn title_taken(error: sqlx::Error, title: &str) -> StoreError {
    let database = error.as_database_error();
    if database.is_some_and(|error| error.is_unique_violation()) {
        return StoreError::TitleTaken(title.to_owned());
    }
    error.into()
}
