//! GitLab instances, the names they answer to, and the users that our tokens are there.

use crate::{
    Store, StoreError,
    database::{Alone, PATIENCE, Tx},
};
use mirror_core::ids::{InstanceId, InstanceName, UserId};
use std::collections::BTreeSet;

/// A registered GitLab.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Instance {
    /// Ours.
    pub id: InstanceId,
    /// The name it was first registered by. It stands in markers, so it never changes.
    pub name: InstanceName,
    /// Where its API answers, as last registered.
    pub api_base: String,
    /// Its other names, past and present, sorted.
    pub also_known_as: Vec<InstanceName>,
}

const BY_NAME: &str = "SELECT instance_id FROM instance_names WHERE name = $1";

const INSERT: &str = "\
INSERT INTO instances (name, api_base, created_at, updated_at)
VALUES ($1, $2, $3, $3)
RETURNING id";

const MOVED: &str = "\
UPDATE instances SET api_base = $2, updated_at = $3 WHERE id = $1 AND api_base <> $2";

const ADD_NAME: &str = "\
INSERT INTO instance_names (name, instance_id) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";

const ONE: &str = "SELECT name, api_base FROM instances WHERE id = $1";

const OTHER_NAMES: &str = "\
SELECT name FROM instance_names WHERE instance_id = $1 AND name <> $2 ORDER BY name";

const REMEMBER_USER: &str = "\
INSERT INTO our_users (instance_id, user_id, username, created_at)
VALUES ($1, $2, $3, $4)
ON CONFLICT (instance_id, user_id) DO UPDATE SET username = excluded.username
WHERE our_users.username <> excluded.username";

const OUR_USERS: &str = "SELECT user_id FROM our_users WHERE instance_id = $1";

impl Store {
    /// Registers an instance, or finds the one that answers to this name already, whatever the
    /// name it was registered by. Notes the address and the further names.
    ///
    /// # Errors
    /// [`StoreError::NameTaken`] if one of the names belongs to another instance.
    pub async fn register_instance(
        &self,
        name: &InstanceName,
        api_base: &str,
        also_known_as: &[String],
    ) -> Result<InstanceId, StoreError> {
        let now = self.now();
        let mut tx = self.begin(PATIENCE).await?;
        tx.alone(Alone::Naming).await?;
        let id = match owner_of(&mut tx, &name.0).await? {
            Some(id) => {
                tx.query(MOVED)
                    .bind(id.0)
                    .bind(api_base)
                    .bind(now)
                    .execute()
                    .await?;
                id
            }
            None => {
                let (id,): (i64,) = tx
                    .query(INSERT)
                    .bind(&name.0)
                    .bind(api_base)
                    .bind(now)
                    .fetch_one()
                    .await?;
                InstanceId(id)
            }
        };
        for known_as in std::iter::once(&name.0).chain(also_known_as) {
            tx.query(ADD_NAME)
                .bind(known_as)
                .bind(id.0)
                .execute()
                .await?;
            if owner_of(&mut tx, known_as).await? != Some(id) {
                return Err(StoreError::NameTaken(InstanceName(known_as.clone())));
            }
        }
        tx.commit().await?;
        Ok(id)
    }

    /// A registered instance.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn instance(&self, id: InstanceId) -> Result<Option<Instance>, StoreError> {
        let row: Option<(String, String)> = self.read(ONE).bind(id.0).fetch_optional().await?;
        let Some((name, api_base)) = row else {
            return Ok(None);
        };
        let others: Vec<(String,)> = self
            .read(OTHER_NAMES)
            .bind(id.0)
            .bind(&name)
            .fetch_all()
            .await?;
        Ok(Some(Instance {
            id,
            name: InstanceName(name),
            api_base,
            also_known_as: others
                .into_iter()
                .map(|(name,)| InstanceName(name))
                .collect(),
        }))
    }

    /// Remembers, for good, that a token of ours acts as this user there.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn remember_our_user(
        &self,
        instance: InstanceId,
        user: UserId,
        username: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        tx.query(REMEMBER_USER)
            .bind(instance.0)
            .bind(user.0)
            .bind(username)
            .bind(self.now())
            .execute()
            .await?;
        tx.commit().await
    }

    /// Every user that a token of ours ever was there.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn our_users(&self, instance: InstanceId) -> Result<BTreeSet<UserId>, StoreError> {
        let rows: Vec<(i64,)> = self.read(OUR_USERS).bind(instance.0).fetch_all().await?;
        Ok(rows.into_iter().map(|(user,)| UserId(user)).collect())
    }
}

async fn owner_of(tx: &mut Tx, name: &str) -> Result<Option<InstanceId>, StoreError> {
    let row: Option<(i64,)> = tx.query(BY_NAME).bind(name).fetch_optional().await?;
    Ok(row.map(|(id,)| InstanceId(id)))
}
