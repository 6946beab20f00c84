//! Where the tokens of both ends come from.

use crate::{check, exit::misconfigured};
use mirror_runtime::{Environment, Secret};
use mirror_worker::Side;

/// The tokens, from the environment.
pub(crate) struct Tokens {
    pub(crate) source: Secret,
    pub(crate) target: Secret,
}

impl Tokens {
    /// Reads them.
    pub(crate) fn read(environment: &Environment) -> anyhow::Result<Self> {
        let read = |side| {
            let variable = check::token_variable(side);
            let token = environment
                .secret(variable)
                .map_err(|error| misconfigured(error.to_string()))?;
            token.ok_or_else(|| {
                misconfigured(format!(
                    "{variable} is not set; put a token of the {side} GitLab into it (source: \
                     scope read_api, target: scope api)"
                ))
            })
        };
        Ok(Self {
            source: read(Side::Source)?,
            target: read(Side::Target)?,
        })
    }

    /// Given by the caller.
    pub(crate) fn new(source: &str, target: &str) -> Self {
        Self {
            source: Secret::new(source),
            target: Secret::new(target),
        }
    }
}
