//! How SQLite goes about the list of errands, which is as fast on its last page as on its first.

use super::listed::{ALL, IN_STATE, OF_INSTANCE, OF_KIND, OF_MIRROR};
use crate::work::plans::way_of;

#[tokio::test]
async fn errands_are_listed_in_the_order_of_an_index_whatever_they_are_listed_by() {
    for (text, probe) in [
        (ALL, "USING INTEGER PRIMARY KEY (rowid<?)"),
        (
            OF_MIRROR,
            "USING INDEX errands_of_mirror (mirror_id=? AND id<?)",
        ),
        (
            OF_INSTANCE,
            "USING INDEX errands_of_instance (instance_id=? AND id<?)",
        ),
        (IN_STATE, "USING INDEX errands_by_state (state=? AND id<?)"),
        (OF_KIND, "USING INDEX errands_by_kind (kind=? AND id<?)"),
    ] {
        // One step, and nothing is sorted.
        assert_eq!(way_of(text).await, [format!("SEARCH errands {probe}")]);
    }
}
