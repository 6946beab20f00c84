//! Pairs are declared, and half of one is not run alone.

use super::{
    stage::{Stage, ended},
    world,
};
use mirror_runtime::SystemClock;
use mirror_store::{NewMirror, Store};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread")]
async fn half_a_pair_is_not_synced_alone() {
    let stage = Stage::new().await;
    world::fill(&stage.source, 1);
    let first = stage.run("sync", &["--include-closed"]).await;
    assert_eq!(first.code, Some(0), "{first:?}");
    let alone = ended(stage.bare(&["mirrors", "pair", "1", "1"])).await;
    assert_eq!(alone.code, Some(2), "{alone:?}");
    assert!(alone.err.contains("mirrors add DST SRC"), "{alone:?}");
    stage.way_back().await;
    let declared = ended(stage.bare(&["mirrors", "pair", "1", "2"])).await;
    assert_eq!(declared.code, Some(0), "{declared:?}");
    let list = ended(stage.bare(&["mirrors", "list", "--json"])).await;
    assert_eq!(list.json()[0]["pair"], 2);
    let writes = stage.writes();
    for command in ["sync", "plan"] {
        let refused = stage.run(command, &[]).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.err.contains("mirrors unpair 1"), "{refused:?}");
    }
    assert_eq!(stage.writes(), writes);
    let over = ended(stage.bare(&["mirrors", "unpair", "2"])).await;
    assert_eq!(over.code, Some(0), "{over:?}");
    let again = stage.run("sync", &["--include-closed"]).await;
    assert_eq!(again.code, Some(0), "{again:?}");
}

impl Stage {
    /// The record gets a mirror in the opposite direction.
    async fn way_back(&self) {
        let path = self.state().join("state.sqlite3");
        let clock = Arc::new(SystemClock::new());
        let store = Store::open(&path, clock).await.unwrap();
        let there = store.mirrors().await.unwrap().remove(0);
        let back = NewMirror {
            source: there.target,
            target: there.source,
        };
        store.ensure_mirror(&back).await.unwrap();
        store.close().await;
    }
}
