//! What a service keeps of an instance so that it can reach it by itself.

use crate::{Cipher, Store, StoreError, database::PATIENCE};
use mirror_core::{ids::InstanceId, ports::Entropy};
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
}

const SAVE: &str = "\
UPDATE instances SET title = $2, token = $3, ca = $4, limits = $5, concurrency = $6, updated_at = $7
WHERE id = $1";

const ACCESS: &str = "\
SELECT title, api_base, token, ca, limits, concurrency FROM instances WHERE id = $1";

const LIST: &str = "\
SELECT i.id, i.title, i.name, i.api_base, i.token IS NOT NULL AS has_token, i.concurrency,
       (SELECT COUNT(*) FROM mirrors m
        WHERE m.source_instance_id = i.id OR m.target_instance_id = i.id) AS mirrors
FROM instances i ORDER BY i.id";

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
    /// [`StoreError::TitleTaken`]; [`StoreError::Unreadable`] if there is no such instance or the
    /// token cannot be sealed.
    pub async fn save_instance_access(
        &self,
        access: &InstanceAccess,
        cipher: &Cipher,
        entropy: &dyn Entropy,
    ) -> Result<(), StoreError> {
        let sealed = cipher
            .seal(&place(access.id), &access.token, entropy)
            .map_err(|_| StoreError::Unreadable { what: "a token" })?;
        let mut tx = self.begin(PATIENCE).await?;
        let saved = tx
            .query(SAVE)
            .bind(access.id.0)
            .bind(&access.title)
            .bind(sealed)
            .bind(&access.ca)
            .bind(Json(&access.limits))
            .bind(access.concurrency)
            .bind(self.now())
            .execute()
            .await
            .map_err(|error| {
                let taken = error
                    .as_database_error()
                    .is_some_and(|error| error.is_unique_violation());
                if taken {
                    StoreError::TitleTaken(access.title.clone())
                } else {
                    error.into()
                }
            })?;
        if saved == 0 {
            return Err(StoreError::Unreadable {
                what: "no such instance",
            });
        }
        tx.commit().await
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
}
