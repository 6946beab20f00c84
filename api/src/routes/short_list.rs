//! Lists that are read whole, because they are never long.

use crate::page::Wanted;

/// The rows of a page, and one that tells whether there is another page.
pub(super) fn part<T>(mut rows: Vec<T>, wanted: &Wanted, id: impl Fn(&T) -> i64) -> Vec<T> {
    rows.sort_by_key(&id);
    let after = wanted.after.unwrap_or(i64::MIN);
    let passed = usize::try_from(wanted.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let behind = rows.into_iter().filter(|row| id(row) > after);
    behind.skip(passed).take(limit).collect()
}
