//! Leaves out of a script that fails whatever it fails without.

use super::{sabotage::Mistake, script::Script, simulation::play};

/// Runs after which the script is short enough.
const TRIES: u32 = 400;

/// A part of the script that fails too, as short as could be found.
pub(super) fn shortened(script: Script, mistake: Option<Mistake>) -> Script {
    let mut shortest = script;
    let mut tries = 0;
    let mut size = shortest.kept.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < shortest.kept.len() && tries < TRIES {
            tries += 1;
            let mut shorter = shortest.clone();
            let to = (from + size).min(shorter.kept.len());
            shorter.kept.drain(from..to);
            if play(&shorter, mistake).broken.is_empty() {
                from = to;
            } else {
                shortest = shorter;
            }
        }
        size /= 2;
    }
    shortest
}
