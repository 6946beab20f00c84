//! People who log in.

use super::{Handle, Role};
use crate::{
    Store, StoreError,
    database::{Alone, PATIENCE, Tx},
    sql::plain,
};
use chrono::{DateTime, Utc};

/// A person. Their password stays in the record.
#[derive(Clone, PartialEq, Eq, Debug, sqlx::FromRow)]
pub struct User {
    /// Ours.
    pub id: i64,
    /// What they log in as.
    pub name: String,
    /// What they may do.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// They may not log in.
    pub disabled: bool,
    /// When they were let in.
    pub created_at: DateTime<Utc>,
    /// When anything of this last changed.
    pub updated_at: DateTime<Utc>,
}

impl User {
    fn lets_others_in(&self) -> bool {
        self.role == Role::Admin && !self.disabled
    }
}

/// A person to let in.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// What they log in as.
    pub name: &'a Handle,
    /// What they may do.
    pub role: Role,
    /// Their password, hashed.
    pub password: &'a str,
}

/// What changes about a person; what is not given stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserChange<'a> {
    /// What they may do. Counts at once.
    pub role: Option<Role>,
    /// Whether they may not log in. Who may not is logged out.
    pub disabled: Option<bool>,
    /// Their password, hashed. They are logged out everywhere.
    pub password: Option<&'a str>,
}

macro_rules! user {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, role, disabled, created_at, updated_at FROM users ",
            $rest
        )
    };
}

const ALL: &str = user!("ORDER BY name");
const ONE: &str = user!("WHERE name = $1");

const PASSWORD: &str = "\
SELECT id, name, role, disabled, created_at, updated_at, password FROM users WHERE name = $1";

const INSERT: &str = "\
INSERT INTO users (name, role, password, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
RETURNING id, name, role, disabled, created_at, updated_at";

const CHANGE: &str = "\
UPDATE users SET role = COALESCE($2, role), disabled = COALESCE($3, disabled),
                 password = COALESCE($4, password), updated_at = $5
WHERE id = $1
RETURNING id, name, role, disabled, created_at, updated_at";

const DELETE: &str = "DELETE FROM users WHERE id = $1";
const LOG_OUT: &str = "DELETE FROM sessions WHERE user_id = $1";

const OTHER_ADMINS: &str = "\
SELECT COUNT(*) FROM users WHERE role = 'admin' AND NOT disabled AND id <> $1";

/// A person with their password, hashed.
#[derive(sqlx::FromRow)]
struct Known {
    #[sqlx(flatten)]
    user: User,
    password: String,
}

impl Store {
    /// Lets somebody in.
    ///
    /// # Errors
    /// [`StoreError::HandleTaken`].
    pub async fn create_user(&self, new: &NewUser<'_>) -> Result<User, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let user = insert(&mut tx, self.now(), new).await?;
        tx.commit().await?;
        Ok(user)
    }

    /// All people, by name.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn users(&self) -> Result<Vec<User>, StoreError> {
        Ok(self.read(ALL).fetch_all().await?)
    }

    /// A person.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn user(&self, name: &str) -> Result<Option<User>, StoreError> {
        Ok(self.read(ONE).bind(plain(name)).fetch_optional().await?)
    }

    /// A person and their password, hashed; who is disabled, too.
    ///
    /// # Errors
    /// Only if the database fails.
    pub async fn password_of(&self, name: &str) -> Result<Option<(User, String)>, StoreError> {
        let known: Option<Known> = self
            .read(PASSWORD)
            .bind(plain(name))
            .fetch_optional()
            .await?;
        Ok(known.map(|known| (known.user, known.password)))
    }

    /// Changes something about a person; tells how they were before, and how they are now.
    ///
    /// # Errors
    /// [`StoreError::NoSuchUser`]; [`StoreError::LastAdmin`] where nobody would be left who lets
    /// others in.
    pub async fn change_user(
        &self,
        name: &str,
        change: &UserChange<'_>,
    ) -> Result<(User, User), StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let before = alone_with(&mut tx, name).await?;
        let query = tx.query(CHANGE).bind(before.id);
        let query = query.bind(change.role.map(Role::name));
        let query = query.bind(change.disabled).bind(change.password);
        let after: User = query.bind(self.now()).fetch_one().await?;
        if !after.lets_others_in() {
            others_remain(&mut tx, &before).await?;
        }
        if after.disabled || change.password.is_some() {
            tx.query(LOG_OUT).bind(before.id).execute().await?;
        }
        tx.commit().await?;
        Ok((before, after))
    }

    /// Forgets a person; tells how they were. What they did stays in the audit.
    ///
    /// # Errors
    /// As [`Store::change_user`].
    pub async fn delete_user(&self, name: &str) -> Result<User, StoreError> {
        let mut tx = self.begin(PATIENCE).await?;
        let before = alone_with(&mut tx, name).await?;
        others_remain(&mut tx, &before).await?;
        tx.query(DELETE).bind(before.id).execute().await?;
        tx.commit().await?;
        Ok(before)
    }
}

/// Two administrators who send each other away at once: one of them finds out.
async fn alone_with(tx: &mut Tx, name: &str) -> Result<User, StoreError> {
    tx.alone(Alone::LettingIn).await?;
    let user = tx.query(ONE).bind(plain(name)).fetch_optional().await?;
    user.ok_or_else(|| StoreError::NoSuchUser(name.to_owned()))
}

async fn others_remain(tx: &mut Tx, user: &User) -> Result<(), StoreError> {
    if !user.lets_others_in() {
        return Ok(());
    }
    let (others,): (i64,) = tx.query(OTHER_ADMINS).bind(user.id).fetch_one().await?;
    if others == 0 {
        return Err(StoreError::LastAdmin(user.name.clone()));
    }
    Ok(())
}

pub(super) async fn insert(
    tx: &mut Tx,
    now: DateTime<Utc>,
    new: &NewUser<'_>,
) -> Result<User, StoreError> {
    let query = tx.query(INSERT).bind(new.name.as_str());
    let query = query.bind(new.role.name()).bind(new.password).bind(now);
    query
        .fetch_one()
        .await
        .map_err(|error| StoreError::taken(error, new.name))
}
