//! The whole of it under chance: a scheduler, two workers, their record, and the two GitLabs, in an
//! order that a seed chooses and in a time that passes only when nobody has anything to do. People
//! edit on both sides, processes die at any moment, answers get lost. Once edits stop and faults
//! end, the laws are checked by what the GitLabs hold.

mod carried;
mod dice;
mod gates;
mod gone;
mod happens;
mod manner;
mod network;
mod oracle;
mod paired;
mod people;
mod processes;
mod protecting;
mod rest;
mod ruled;
mod sabotage;
mod script;
mod shrink;
mod simulation;
mod tasks;
mod time;
mod visitors;

use sabotage::Mistake;
use script::Script;
use simulation::{Run, play, play_aloud};

/// Names the runs to make: `1000` seeds, or one script as a failure printed it.
const RUNS: &str = "ISSUE_MIRROR_RUNS";
const SCRIPT: &str = "ISSUE_MIRROR_SCRIPT";
/// Of those, only the ones that are about this.
const MANNER: &str = "ISSUE_MIRROR_MANNER";

#[expect(
    clippy::disallowed_methods,
    reason = "a test has no arguments of its own to be told by"
)]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Plays a script; if a law is broken, says so with the shortest script that breaks one, too.
fn keeps_the_laws(script: Script) -> Run {
    let run = play(&script, None);
    if run.broken.is_empty() {
        return run;
    }
    eprintln!(
        "script {script} broke: {:#?}\nlooking for a shorter one",
        run.broken
    );
    let shortest = shrink::shortened(script.clone(), None);
    let again = play(&shortest, None);
    panic!(
        "script {script} broke a law\nreplay: {SCRIPT}='{shortest}' cargo nextest run -p \
         mirror-worker a_script_is_played_again --no-capture\nwhich breaks: {:#?}\nby: {:#?}",
        again.broken,
        shortest.happenings()
    );
}

#[test]
fn a_script_is_played_again() {
    let script = told(SCRIPT).unwrap_or_else(|| Script::whole(1).to_string());
    let script = Script::read(&script).unwrap();
    let run = play_aloud(&script);
    eprintln!("{run:#?}");
    assert_eq!(run.broken, Vec::<String>::new());
}

#[test]
fn a_script_is_played_the_same_way_twice() {
    for seed in 1..=3 {
        let script = Script::whole(seed);
        assert_eq!(play(&script, None), play(&script, None));
    }
}

/// Seeds that the short form plays, in parts so that machines with many cores are used.
const SEEDS: u64 = 40;
const PARTS: u64 = 4;
/// Deaths that the short form must at least see, in each part.
const DEATHS: u64 = 500;

fn a_part_keeps_the_laws(part: u64) {
    let mut deaths = 0;
    for seed in (1..=SEEDS).filter(|seed| seed % PARTS == part) {
        deaths += keeps_the_laws(Script::whole(seed)).deaths;
    }
    eprintln!("{deaths} processes died");
    assert!(deaths >= DEATHS, "only {deaths} processes died");
}

#[test]
fn the_laws_hold_whoever_dies_and_whatever_is_lost_part_1() {
    a_part_keeps_the_laws(0);
}

#[test]
fn the_laws_hold_whoever_dies_and_whatever_is_lost_part_2() {
    a_part_keeps_the_laws(1);
}

#[test]
fn the_laws_hold_whoever_dies_and_whatever_is_lost_part_3() {
    a_part_keeps_the_laws(2);
}

#[test]
fn the_laws_hold_whoever_dies_and_whatever_is_lost_part_4() {
    a_part_keeps_the_laws(3);
}

/// The long form: `ISSUE_MIRROR_RUNS=1000-6000`, say, plays these seeds; a few if none are named.
#[test]
fn the_laws_hold_in_as_many_runs_as_are_asked_for() {
    let runs = told(RUNS).unwrap_or_else(|| "41-42".to_owned());
    let (first, last) = runs.split_once('-').unwrap_or(("1", &runs));
    let (first, last): (u64, u64) = (first.parse().unwrap(), last.parse().unwrap());
    let manner = told(MANNER);
    let (mut deaths, mut requests) = (0, 0);
    for seed in first..=last {
        let name = Script::whole(seed).manner().name();
        if manner.as_ref().is_some_and(|manner| manner != name) {
            continue;
        }
        let run = keeps_the_laws(Script::whole(seed));
        deaths += run.deaths;
        requests += run.requests;
        if seed.is_multiple_of(20) {
            eprintln!("seed {seed}: {deaths} deaths, {requests} requests");
        }
    }
    eprintln!("{deaths} deaths, {requests} requests");
}

/// Every mistake is caught within so many runs of the kind that it concerns.
const CHANCES: usize = 16;

#[test]
fn every_mistake_is_caught() {
    let mut missed = Vec::new();
    for mistake in Mistake::ALL {
        let scripts = (1..).map(Script::whole);
        let mut concerned = scripts.filter(|script| script.manner().name() == mistake.manner());
        let caught = concerned.by_ref().take(CHANCES).find_map(|script| {
            let run = play(&script, Some(mistake));
            run.broken.first().map(|law| (script.seed, law.clone()))
        });
        match caught {
            Some((seed, law)) => eprintln!("{mistake:?} is caught by seed {seed}: {law}"),
            None => missed.push(mistake),
        }
    }
    assert_eq!(missed, Vec::new());
}
