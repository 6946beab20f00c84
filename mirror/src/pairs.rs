//! Pairs of issues to be adopted, from a CSV file: `source_iid,target_iid`.

use crate::exit::misconfigured;
use mirror_core::ids::{Iid, MirrorId};
use mirror_store::{Pair, PairConflict, Store};
use std::{collections::BTreeMap, fs, path::Path};

const HEADER: &str = "source_iid,target_iid";
/// How many bad lines, or pairs, are told at once.
const TOLD: usize = 10;

/// Reads the file, whole or not at all.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Pair>> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| {
        misconfigured(format!(
            "{shown} cannot be read: {error}; give a text file with the header {HEADER}"
        ))
    })?;
    parse(&text).map_err(|bad| {
        misconfigured(format!(
            "{shown} is not used, because of\n{}\nmend it and run this again; nothing was changed",
            told(&bad)
        ))
    })
}

/// Has them adopted, all or, where some cannot be, none.
pub(crate) async fn ask(store: &Store, mirror: MirrorId, pairs: &[Pair]) -> anyhow::Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let conflicts = store.ask_adoptions(mirror, pairs).await?;
    if conflicts.is_empty() {
        return Ok(());
    }
    let why: Vec<String> = conflicts.iter().map(conflict).collect();
    Err(misconfigured(format!(
        "nothing is adopted, because of\n{}\ntake these pairs out and run this again",
        told(&why)
    )))
}

fn told(lines: &[String]) -> String {
    let mut told: Vec<String> = lines
        .iter()
        .take(TOLD)
        .map(|line| format!("  {line}"))
        .collect();
    let more = lines.len().saturating_sub(TOLD);
    if more > 0 {
        told.push(format!("  and {more} more"));
    }
    told.join("\n")
}

fn conflict(conflict: &PairConflict) -> String {
    match conflict {
        PairConflict::Mirrored { pair, by } => format!(
            "{},{}: #{} is mirrored by #{by} already",
            pair.source, pair.target, pair.source
        ),
        PairConflict::Taken { pair, of } => format!(
            "{},{}: target issue #{} is, or is to be, the mirror of #{of}",
            pair.source, pair.target, pair.target
        ),
    }
}

/// The pairs, or what is wrong with which line.
fn parse(text: &str) -> Result<Vec<Pair>, Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty());
    let header = lines.next();
    let is_header = header.is_some_and(|(_, line)| cells(line).join(",") == HEADER);
    if !is_header {
        let number = header.map_or(1, |(number, _)| number);
        return Err(vec![format!(
            "line {number}: the header is missing; begin the file with {HEADER}"
        )]);
    }
    let mut sources = BTreeMap::new();
    let mut targets = BTreeMap::new();
    let (mut pairs, mut bad) = (Vec::new(), Vec::new());
    for (number, line) in lines {
        match pair(line) {
            Err(why) => bad.push(format!("line {number}: {why}")),
            Ok(pair) => {
                let again = [
                    (sources.insert(pair.source, number), "source", pair.source),
                    (targets.insert(pair.target, number), "target", pair.target),
                ];
                let again = again
                    .into_iter()
                    .find_map(|(before, side, iid)| Some((before?, side, iid)));
                match again {
                    Some((before, side, iid)) => bad.push(format!(
                        "line {number}: {side} issue {iid} is in line {before} already; name each \
                         once"
                    )),
                    None => pairs.push(pair),
                }
            }
        }
    }
    if pairs.is_empty() && bad.is_empty() {
        bad.push(format!(
            "no pair below the header; write one a line, as 12,34 for {HEADER}"
        ));
    }
    if bad.is_empty() { Ok(pairs) } else { Err(bad) }
}

fn cells(line: &str) -> Vec<&str> {
    line.split(',')
        .map(str::trim)
        .map(|cell| {
            let quoted = cell
                .strip_prefix('"')
                .and_then(|cell| cell.strip_suffix('"'));
            quoted.unwrap_or(cell)
        })
        .collect()
}

fn pair(line: &str) -> Result<Pair, String> {
    let cells = cells(line);
    let [source, target] = cells.as_slice() else {
        return Err(format!(
            "two columns are needed, here are {}; write it as 12,34",
            cells.len()
        ));
    };
    Ok(Pair {
        source: number(source)?,
        target: number(target)?,
    })
}

fn number(cell: &str) -> Result<Iid, String> {
    match cell.parse() {
        Ok(iid) if iid > 0 => Ok(Iid(iid)),
        Ok(_) | Err(_) => Err(format!(
            "`{}` is no issue's number; write the number that GitLab shows behind #",
            cell.chars().take(40).collect::<String>()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(i64, i64)]) -> Vec<Pair> {
        of.iter()
            .map(|(source, target)| Pair {
                source: Iid(*source),
                target: Iid(*target),
            })
            .collect()
    }

    #[test]
    fn pairs_are_read_however_a_spreadsheet_writes_them() {
        let text = "\u{feff}source_iid,target_iid\r\n1,10\r\n\r\n\"2\" , \"20\"\r\n";
        assert_eq!(parse(text), Ok(pairs(&[(1, 10), (2, 20)])));
    }

    #[test]
    fn a_bad_line_is_named_with_its_reason_and_mend() {
        let text = "source_iid,target_iid\n1,10\n2\nx,3\n-1,4\n5,10\n1,6\n7,70";
        let bad = parse(text).unwrap_err();
        insta::assert_snapshot!(bad.join("\n"), @r"
        line 3: two columns are needed, here are 1; write it as 12,34
        line 4: `x` is no issue's number; write the number that GitLab shows behind #
        line 5: `-1` is no issue's number; write the number that GitLab shows behind #
        line 6: target issue 10 is in line 2 already; name each once
        line 7: source issue 1 is in line 2 already; name each once
        ");
    }

    #[test]
    fn a_file_without_header_or_pairs_is_refused() {
        for text in [
            "",
            "1,10\n",
            "target_iid,source_iid\n1,10\n",
            "source_iid,target_iid\n",
        ] {
            assert_eq!(parse(text).unwrap_err().len(), 1, "{text:?}");
        }
    }
}
