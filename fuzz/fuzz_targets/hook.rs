//! Looks for a payload of a hook that is read otherwise than for its numbers:
//! `cargo +nightly fuzz run hook`. The same judges see the corpus with every test run.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../shared/core/tests/it/judges.rs"]
#[expect(dead_code, reason = "it judges other parsers, too")]
mod judges;

fuzz_target!(|body: &[u8]| {
    if let Err(wrong) = judges::hook(body) {
        panic!("{wrong}");
    }
});
