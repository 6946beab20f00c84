//! A password from a person: asked for without showing it, or read from the input stream. Never from
//! the arguments, which every process list shows.

use crate::exit::misconfigured;
use console::Term;
use mirror_api::password;
use mirror_core::ports::Entropy;
use std::io::{self, BufRead, IsTerminal};

/// Asks for a new password; hashed.
pub(super) async fn asked(entropy: &dyn Entropy) -> anyhow::Result<String> {
    let password = read()?;
    password::hashed(&password, entropy)
        .await
        .map_err(|error| misconfigured(error.to_string()))
}

fn read() -> anyhow::Result<String> {
    if io::stdin().is_terminal() {
        let term = Term::stderr();
        let ask = |what: &str| {
            term.write_str(what)?;
            term.read_secure_line()
        };
        let password = ask("Password: ")?;
        password::acceptable(&password).map_err(|error| misconfigured(error.to_string()))?;
        if ask("Once more: ")? != password {
            return Err(misconfigured(
                "the two are not the same; nothing has changed",
            ));
        }
        return Ok(password);
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(misconfigured(
            "no password was given: call it from a terminal, or give the password as the first line \
             of the input stream",
        ));
    }
    Ok(password.to_owned())
}
