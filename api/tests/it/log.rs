//! What the code under test logs, kept for each test by its thread.

use std::{cell::RefCell, io, sync::Once};
use tracing::level_filters::LevelFilter;

thread_local! {
    static KEPT: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

struct Keeping;

impl io::Write for Keeping {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.with_borrow_mut(|kept| kept.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that is logged from now on is kept, down to the smallest.
pub(crate) fn keep() {
    static ONCE: Once = Once::new();
    // For all threads: what one that keeps nothing comes by first would be kept by none.
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(|| Keeping)
            .with_ansi(false)
            .init();
    });
}

/// What this thread has logged.
pub(crate) fn kept() -> String {
    KEPT.with_borrow(|kept| String::from_utf8_lossy(kept).into_owned())
}
