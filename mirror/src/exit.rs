//! Exit codes: 0 in sync, 1 something failed, 2 usage or configuration, 3 there are changes.

use crate::output;
use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    /// 0: in sync, nothing failed.
    Well,
    /// 1: something failed, or is left.
    Failed,
    /// 3: `plan --detailed-exitcode` found changes.
    Changes,
}

/// Something that a person has to set right before the command can do its work: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misconfigured(pub String);

/// An error for [`Misconfigured`], from anything that says what and how to mend it.
pub(crate) fn misconfigured(text: impl Into<String>) -> anyhow::Error {
    Misconfigured(text.into()).into()
}

/// Prints what went wrong, if anything did, and turns it into the exit code.
pub(crate) fn code(ended: anyhow::Result<Ending>) -> ExitCode {
    match ended {
        Ok(Ending::Well) => ExitCode::SUCCESS,
        Ok(Ending::Failed) => ExitCode::from(1),
        Ok(Ending::Changes) => ExitCode::from(3),
        Err(error) => {
            output::error(&format!("{error:#}"));
            if error.is::<Misconfigured>() {
                ExitCode::from(2)
            } else {
                ExitCode::from(1)
            }
        }
    }
}
