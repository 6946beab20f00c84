//! The texts that fuzzing starts from (`fuzz/corpus/`), judged with every test run: whole, and cut,
//! doubled and marred in each place.

use crate::{judges, markdown_properties::judge_inert};
use std::{fs, path::Path};

fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let files = fs::read_dir(folder.join(name)).unwrap();
    let files = files.map(|file| {
        let path = file.unwrap().path();
        (path.display().to_string(), fs::read(&path).unwrap())
    });
    let files: Vec<_> = files.collect();
    assert!(files.len() > 2, "{name} has too few texts");
    files
}

/// A text in many shapes, about a thousand.
fn shapes(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let step = text.len() / 100 + 1;
    let places = (0..=text.len()).step_by(step);
    let cut = places.clone().flat_map(|at| {
        let (head, tail) = text.split_at(at);
        [head.to_owned(), tail.to_owned(), [head, text].concat()]
    });
    let marred = places.flat_map(move |at| {
        b"\0\n\"-;9%\xff".iter().map(move |byte| {
            let mut marred = text.to_owned();
            if let Some(place) = marred.get_mut(at) {
                *place = *byte;
            }
            marred
        })
    });
    cut.chain(marred)
}

#[test]
fn every_text_of_the_corpus_of_hooks_is_read_for_its_numbers_alone() {
    let mut heard = 0;
    for (name, text) in corpus("hook") {
        for shape in shapes(&text) {
            judges::hook(&shape).unwrap_or_else(|wrong| {
                panic!("{name}: {wrong} in {}", String::from_utf8_lossy(&shape));
            });
            heard += usize::from(mirror_core::hook::read("Note Hook", &shape).is_some());
        }
    }
    assert!(heard > 20, "{heard}: nearly nothing was understood");
}

#[test]
fn every_marker_of_the_corpus_is_read_as_it_is_written_or_not_at_all() {
    let mut found = 0;
    for (name, text) in corpus("marker") {
        for shape in shapes(&text) {
            let shape = String::from_utf8_lossy(&shape);
            judges::marker(&shape).unwrap_or_else(|wrong| panic!("{name}: {wrong} in {shape}"));
            found += usize::from(mirror_core::provenance::Found::in_body(&shape).is_some());
        }
    }
    assert!(found > 100, "{found}: nearly no marker was found");
}

#[test]
fn every_text_of_the_corpus_of_markdown_is_inert() {
    for (name, text) in corpus("markdown") {
        for at in 0..=text.len() {
            let (head, tail) = text.split_at(at);
            for part in [head, tail] {
                let part = String::from_utf8_lossy(part);
                judge_inert(&part).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
            }
        }
    }
}
