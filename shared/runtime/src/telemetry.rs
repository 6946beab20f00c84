//! Logging: to the error stream, so that the output stream stays for what was asked for.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::ParseError,
    fmt::{self, MakeWriter, writer::BoxMakeWriter},
    layer::SubscriberExt,
    util::{SubscriberInitExt, TryInitError},
};

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// Plain lines, coloured where the error stream is a terminal.
    #[default]
    Auto,
    /// Plain lines without colour.
    Plain,
    /// One JSON object a line.
    Json,
}

/// Logging cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error(
        "log filter `{filter}` is not understood: write a level like `info`, or `mirror_gitlab=debug,info`"
    )]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong.
        source: ParseError,
    },
    /// Somebody logs already.
    #[error("logging was set up before")]
    Twice(#[source] TryInitError),
}

/// Begins logging for the whole process.
///
/// # Errors
/// The filter is malformed, or logging has begun before.
pub fn init(format: Format, filter: &str, writer: BoxMakeWriter) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(filter).map_err(|source| TelemetryError::Filter {
        filter: filter.to_owned(),
        source,
    })?;
    tracing_subscriber::registry()
        .with(layer(format, writer).with_filter(filter))
        .try_init()
        .map_err(TelemetryError::Twice)
}

/// Writes to the error stream.
pub fn stderr() -> BoxMakeWriter {
    BoxMakeWriter::new(io::stderr)
}

/// Gives each whole log line to `print`, so that a progress bar can step aside for it.
pub fn lines(print: impl Fn(&[u8]) + Send + Sync + 'static) -> BoxMakeWriter {
    BoxMakeWriter::new(Lines(Arc::new(print)))
}

fn layer(format: Format, writer: BoxMakeWriter) -> Box<dyn Layer<Registry> + Send + Sync> {
    match format {
        Format::Auto => plain(writer, io::stderr().is_terminal()),
        Format::Plain => plain(writer, false),
        Format::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false)
            .with_writer(writer)
            .boxed(),
    }
}

fn plain(writer: BoxMakeWriter, colour: bool) -> Box<dyn Layer<Registry> + Send + Sync> {
    fmt::layer()
        .with_ansi(colour)
        .with_target(false)
        .with_writer(writer)
        .boxed()
}

type Print = Arc<dyn Fn(&[u8]) + Send + Sync>;

struct Lines(Print);

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Self::Writer {
        Line {
            print: Arc::clone(&self.0),
            text: Vec::new(),
        }
    }
}

/// One event's text, handed over when it is complete.
struct Line {
    print: Print,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.text.is_empty() {
            (self.print)(&self.text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn logged(format: Format, log: impl FnOnce()) -> Vec<String> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let writer = lines(move |line| {
            sink.lock()
                .unwrap()
                .push(String::from_utf8(line.to_vec()).unwrap());
        });
        let subscriber = tracing_subscriber::registry().with(layer(format, writer));
        tracing::subscriber::with_default(subscriber, log);
        seen.lock().unwrap().clone()
    }

    #[test]
    fn a_progress_bar_gets_whole_lines() {
        let lines = logged(Format::Plain, || {
            tracing::info!(mirror.id = 7, "scan began");
            tracing::warn!("slow down");
        });
        assert_eq!(lines.len(), 2);
        assert!(
            lines[0].ends_with("INFO scan began mirror.id=7\n"),
            "{}",
            lines[0]
        );
        assert!(!lines[0].contains('\u{1b}'), "no colour in plain lines");
    }

    #[test]
    fn json_is_one_object_a_line_with_dotted_fields() {
        let lines = logged(Format::Json, || tracing::info!(mirror.id = 7, "scan began"));
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].contains(r#""message":"scan began""#),
            "{}",
            lines[0]
        );
        assert!(lines[0].contains(r#""mirror.id":7"#), "{}", lines[0]);
    }

    #[test]
    fn a_wrong_filter_says_what_a_right_one_looks_like() {
        let error = init(Format::Plain, "mirror=loud", stderr()).unwrap_err();
        assert!(error.to_string().contains("mirror_gitlab=debug"), "{error}");
    }
}
