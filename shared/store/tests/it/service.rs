//! What a service keeps: how to reach an instance, and who works.

use crate::world::{World, stories};
use mirror_core::ports::Entropy;
use mirror_store::{Cipher, InstanceAccess, NewWorker, StoreError};

stories! {
    a_token_is_kept_sealed_and_opens_under_its_key_alone
    two_instances_have_two_titles
    a_worker_is_known_while_it_gives_signs_of_life
}

struct Fixed;

impl Entropy for Fixed {
    fn next_u64(&self) -> u64 {
        4
    }
}

impl World {
    fn access(&self, title: &str) -> InstanceAccess {
        InstanceAccess {
            id: self.source,
            title: title.to_owned(),
            api_base: "https://gitlab.a/api/v4".to_owned(),
            token: "glpat-secret".to_owned(),
            ca: None,
            limits: vec!["api=600/60".to_owned()],
            concurrency: 4,
        }
    }
}

async fn a_token_is_kept_sealed_and_opens_under_its_key_alone(world: World) {
    let store = &world.store;
    let cipher = Cipher::new(&[1; 32]);
    let none = store.instance_access(world.source, &cipher).await.unwrap();
    assert_eq!(none, None);
    let access = world.access("ours");
    store
        .save_instance_access(&access, &cipher, &Fixed)
        .await
        .unwrap();
    let read = store.instance_access(world.source, &cipher).await.unwrap();
    assert_eq!(read.as_ref(), Some(&access));
    assert!(!format!("{read:?}").contains("glpat"));
    let other = Cipher::new(&[2; 32]);
    let refused = store.instance_access(world.source, &other).await;
    assert!(matches!(refused, Err(StoreError::Sealed(_))));
    let listed = store.instance_entries().await.unwrap();
    assert!(listed[0].has_token && !listed[1].has_token);
    assert_eq!((listed[0].mirrors, listed[1].mirrors), (1, 1));
}

async fn two_instances_have_two_titles(world: World) {
    let store = &world.store;
    let cipher = Cipher::new(&[1; 32]);
    let access = world.access("ours");
    store
        .save_instance_access(&access, &cipher, &Fixed)
        .await
        .unwrap();
    let other = InstanceAccess {
        id: world.target,
        ..access
    };
    let refused = store.save_instance_access(&other, &cipher, &Fixed).await;
    assert!(matches!(refused, Err(StoreError::TitleTaken(title)) if title == "ours"));
}

async fn a_worker_is_known_while_it_gives_signs_of_life(world: World) {
    let store = &world.store;
    let worker = NewWorker {
        name: "worker",
        host: "here",
        pid: 7,
        version: "0.1.0",
        concurrency: 8,
    };
    store.worker_is_alive(&worker, false).await.unwrap();
    let begun = store.now();
    world.advance(5);
    world.working_on(1).await;
    store.worker_is_alive(&worker, true).await.unwrap();
    let known = store.workers().await.unwrap();
    assert_eq!((known.len(), known[0].running), (1, 1));
    assert_eq!(
        (known[0].started_at, known[0].heartbeat_at),
        (begun, store.now())
    );
    assert!(known[0].draining);
    assert_eq!(store.prune_workers(store.now()).await.unwrap(), 0);
    store.worker_is_gone("worker").await.unwrap();
    assert_eq!(store.workers().await.unwrap(), []);
}
