//! Looks for a marker that is read otherwise than it would be written:
//! `cargo +nightly fuzz run marker`. The same judges see the corpus with every test run.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../shared/core/tests/it/judges.rs"]
#[expect(dead_code, reason = "it judges other parsers, too")]
mod judges;

fuzz_target!(|body: &str| {
    if let Err(wrong) = judges::marker(body) {
        panic!("{wrong}");
    }
});
