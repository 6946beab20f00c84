//! Lists, for people in columns and for scripts as JSON.

use crate::output;
use serde::Serialize;

/// Prints rows under their heads, or as JSON.
pub(super) fn print<T: Serialize>(
    rows: &[T],
    json: bool,
    heads: &[&str],
    cells: impl Fn(&T) -> Vec<String>,
    none: &str,
) -> anyhow::Result<()> {
    if json {
        output::line(&serde_json::to_string_pretty(rows)?);
        return Ok(());
    }
    if rows.is_empty() {
        output::line(none);
        return Ok(());
    }
    let mut lines: Vec<Vec<String>> = vec![heads.iter().map(ToString::to_string).collect()];
    lines.extend(rows.iter().map(cells));
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    for line in &lines {
        let padded: Vec<String> = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        output::line(padded.join("  ").trim_end());
    }
    Ok(())
}

/// A time to the second, or a dash.
pub(super) fn time(time: Option<chrono::DateTime<chrono::Utc>>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| time.format("%Y-%m-%d %H:%M:%SZ").to_string(),
    )
}
