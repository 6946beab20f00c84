//! Another key for the secrets at rest: each is opened under the key it was sealed under and sealed
//! anew, while others go on reading it.

use crate::{Cipher, Store, StoreError, database::PATIENCE};
use mirror_core::ports::Entropy;

/// What sealing anew did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Resealed {
    /// Secrets that are sealed under the current key now, and were not before.
    pub resealed: u64,
    /// Secrets that were already.
    pub current: u64,
    /// Places of those that open under no key that was given, and stay as they are.
    pub unopened: Vec<String>,
}

/// A column of secrets.
struct Column {
    list: &'static str,
    save: &'static str,
    place: fn(i64) -> String,
}

macro_rules! column {
    ($table:literal, $id:literal, $column:literal, $place:literal) => {
        Column {
            list: concat!(
                "SELECT ",
                $id,
                ", ",
                $column,
                " FROM ",
                $table,
                " WHERE ",
                $column,
                " IS NOT NULL ORDER BY ",
                $id
            ),
            // Not over what somebody stored meanwhile.
            save: concat!(
                "UPDATE ",
                $table,
                " SET ",
                $column,
                " = $2 WHERE ",
                $id,
                " = $1 AND ",
                $column,
                " = $3"
            ),
            place: |id| format!($place, id),
        }
    };
}

/// Every column that holds sealed secrets, and the places they are sealed for.
const COLUMNS: &[Column] = &[
    column!("instances", "id", "token", "instances/{}/token"),
    column!("hooks", "mirror_id", "token", "hooks/{}/token"),
    column!("hooks", "mirror_id", "signing_key", "hooks/{}/signing"),
    column!("hooks", "mirror_id", "next_token", "hooks/{}/token"),
    column!("hooks", "mirror_id", "next_signing", "hooks/{}/signing"),
];

impl Store {
    /// Seals every secret anew that is not sealed under the current key. May be broken off and
    /// begun again at any time; each secret opens under one of the keys at every moment.
    ///
    /// # Errors
    /// Only if the database fails; what was sealed anew by then stays so.
    pub async fn reseal(
        &self,
        cipher: &Cipher,
        entropy: &dyn Entropy,
    ) -> Result<Resealed, StoreError> {
        let mut done = Resealed::default();
        for column in COLUMNS {
            let rows: Vec<(i64, String)> = self.read(column.list).fetch_all().await?;
            for (id, sealed) in rows {
                let place = (column.place)(id);
                if cipher.is_current(&sealed) {
                    done.current += 1;
                    continue;
                }
                let Ok(secret) = cipher.open(&place, &sealed) else {
                    done.unopened.push(place);
                    continue;
                };
                let anew = cipher.seal(&place, &secret, entropy)?;
                let mut tx = self.begin(PATIENCE).await?;
                let query = tx.query(column.save).bind(id).bind(anew).bind(sealed);
                done.resealed += query.execute().await?;
                tx.commit().await?;
            }
        }
        Ok(done)
    }
}
