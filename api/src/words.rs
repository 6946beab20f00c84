//! Words that requests choose among, described as such. Each stands for one of the engine's own.

use mirror_core::{gone::OnDelete, merge::EditPolicy, preserve::Preserve};
use mirror_store::{ErrandState, RunStatus, WorkState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident for $own:ident { $($word:ident)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name {
            $($word,)+
        }

        impl From<$name> for $own {
            fn from(word: $name) -> Self {
                match word {
                    $($name::$word => Self::$word,)+
                }
            }
        }
    )+};
}

words! {
    /// Whether copies keep number and times.
    PreserveWord for Preserve { Auto Never Require }
    /// What becomes of the copy of an issue that is gone.
    OnDeleteWord for OnDelete { Keep Close Delete }
    /// What becomes of edits on the target.
    OnEditWord for EditPolicy { Overwrite Protect }
    /// How an errand stands.
    ErrandWord for ErrandState { Waiting Running Done Failed }
    /// How a job stands that is not done.
    JobWord for WorkState { Pending Paused Queued Running Dead }
    /// How a sync job stands, or ended.
    SyncJobWord for RunStatus { Running Completed Partial Failed Interrupted Cancelled }
}
