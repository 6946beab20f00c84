//! The only place that prints. Results go to the output stream, everything else to the error
//! stream, so that a script can read the one and a person the other.

use std::io::{self, Write};

/// A line of the result.
pub(crate) fn line(text: &str) {
    // A reader that has gone away (`| head`) is no failure of ours.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// A line about what is going on.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A failure.
pub(crate) fn error(text: &str) {
    note(&format!("error: {text}"));
}
