//! How far it is: a bar on a terminal, a plain line now and then elsewhere.

use crate::{output, tally::Tally};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use mirror_core::ports::Clock;
use mirror_runtime::telemetry;
use mirror_runtime::{Environment, environment};
use mirror_store::DueSummary;
use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

/// Lines elsewhere than on a terminal come this far apart.
const APART: Duration = Duration::from_secs(5);

/// The bars of this process: log lines step aside for them.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// Begins logging, in a way that leaves a bar whole.
pub(crate) fn init_logging(environment: &Environment, default: &str) -> anyhow::Result<()> {
    let filter = environment
        .text(environment::LOG)?
        .unwrap_or_else(|| default.to_owned());
    let writer = if io::stderr().is_terminal() {
        let bars = BARS.get_or_init(MultiProgress::new);
        telemetry::lines(move |line| {
            bars.suspend(|| {
                let _ = io::stderr().lock().write_all(line);
            });
        })
    } else {
        telemetry::stderr()
    };
    telemetry::init(telemetry::Format::Auto, &filter, writer)?;
    Ok(())
}

/// How far it is.
pub(crate) enum Progress {
    /// On a terminal.
    Bar(ProgressBar),
    /// Elsewhere.
    Lines {
        /// When the last line came, by the clock that never jumps, and what it said.
        last: Mutex<(Duration, String)>,
        /// Time.
        clock: Arc<dyn Clock>,
    },
    /// Nobody reads it.
    Silent,
}

impl Progress {
    /// One for this process's error stream.
    pub(crate) fn new(clock: Arc<dyn Clock>, silent: bool) -> Self {
        if silent {
            return Self::Silent;
        }
        if !io::stderr().is_terminal() {
            let last = Mutex::new((clock.monotonic(), String::new()));
            return Self::Lines { last, clock };
        }
        let bar = BARS
            .get_or_init(MultiProgress::new)
            .add(ProgressBar::new(0));
        let template = "{bar:32.cyan/dim} {pos}/{len} issues  {elapsed}  {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━━╌"));
        }
        bar.enable_steady_tick(Duration::from_millis(250));
        Self::Bar(bar)
    }

    /// Shows how far it is.
    pub(crate) fn show(&self, tally: &Tally, due: &DueSummary) {
        let counted = tally.read();
        let done = crate::tally::count(counted.issues.len());
        let open = due.pending + due.queued + due.running;
        let all = (done + open)
            .saturating_sub(u64::from(!counted.scanned))
            .max(done);
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                bar.set_length(all);
                bar.set_position(done);
                bar.set_message(if !counted.scanned {
                    "scanning".to_owned()
                } else if let (Some((until, why)), 0) = (&counted.waiting, due.running) {
                    format!("waiting until {} ({why})", until.format("%H:%M:%S"))
                } else {
                    let eta = bar.eta().as_secs();
                    format!("about {}m{:02}s left", eta / 60, eta % 60)
                });
            }
            Self::Lines { last, clock } => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                let now = clock.monotonic();
                let line = format!("{done}/{all} issues");
                if now.saturating_sub(last.0) >= APART && last.1 != line {
                    output::note(&line);
                    *last = (now, line);
                }
            }
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        match self {
            Self::Bar(bar) => bar.finish_and_clear(),
            Self::Lines { .. } | Self::Silent => {}
        }
    }
}
