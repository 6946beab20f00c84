//! What becomes of edits on a mirror's target, as a person says it: kept with the mirror until
//! something else is said.

use clap::Args;
use mirror_core::{ids::MirrorId, merge::EditPolicy};
use mirror_store::{Store, StoreError};

/// What is to become of edits on the target.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct EditsArguments {
    /// What becomes of edits on the target: overwrite, or protect (they stay; what was changed on both
    /// sides waits for `issue-mirror issues resolve`). Kept with the mirror until the other is given
    /// [default: overwrite]
    #[arg(long, value_name = "POLICY")]
    on_edit: Option<EditPolicy>,
}

impl EditsArguments {
    /// The policy that a mirror is to go by: the one given, which is kept from now on, else the one
    /// kept.
    pub(crate) async fn keep(
        self,
        store: &Store,
        mirror: MirrorId,
    ) -> Result<EditPolicy, StoreError> {
        if let Some(policy) = self.on_edit {
            store.set_edit_policy(mirror, policy).await?;
        }
        self.or_kept(store, mirror).await
    }

    /// As [`EditsArguments::keep`], but the record stays as it is.
    pub(crate) async fn or_kept(
        self,
        store: &Store,
        mirror: MirrorId,
    ) -> Result<EditPolicy, StoreError> {
        match self.on_edit {
            Some(policy) => Ok(policy),
            None => store.edit_policy(mirror).await,
        }
    }
}
