//! How careful a mirror is to be with what is gone at the source.

use clap::Args;
use mirror_core::gone::{Breaker, OnDelete};
use mirror_store::Caution;

/// How careful a mirror is to be.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct CautionArguments {
    /// What becomes of the copy of an issue that was deleted at the source: keep, close or delete
    #[arg(long, value_name = "POLICY", default_value = "close")]
    on_delete: OnDelete,
    /// Close or delete at most so many copies at once (or the share below, if that is more);
    /// otherwise none, until `mirrors release`
    #[arg(long, value_name = "N", default_value = "10")]
    max_delete: u32,
    /// As --max-delete, in percent of all copies
    #[arg(long, value_name = "PERCENT", default_value = "10", value_parser = clap::value_parser!(u32).range(0..=100))]
    max_delete_share: u32,
    /// Copy files of confidential issues and internal comments even into a target that is not
    /// private: whoever has the address of such a file can open it there
    #[arg(long)]
    expose_files: bool,
}

impl CautionArguments {
    /// As it is recorded and acted upon.
    pub(crate) fn caution(self) -> Caution {
        Caution {
            on_delete: self.on_delete,
            breaker: Breaker {
                count: u64::from(self.max_delete),
                percent: u64::from(self.max_delete_share),
            },
            exposes_files: self.expose_files,
        }
    }
}
