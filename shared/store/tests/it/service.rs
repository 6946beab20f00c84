//! What a service keeps: how to reach an instance, and who works.

use crate::world::{World, stories};
use mirror_core::ports::Entropy;
use mirror_store::{Cipher, InstanceAccess, NewWorker, StoreError};

stories! {
    a_token_is_kept_sealed_and_opens_under_its_key_alone
    a_key_is_replaced_while_others_read
    a_secret_that_no_key_opens_stays_as_it_is
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

async fn a_key_is_replaced_while_others_read(world: World) {
    let store = &world.store;
    let (old, new) = (Cipher::new(&[1; 32]), Cipher::new(&[2; 32]));
    let both = new.clone().and_opens(&[1; 32]);
    let (ours, theirs) = (world.access("ours"), world.access("theirs"));
    let theirs = InstanceAccess {
        id: world.target,
        ..theirs
    };
    for (access, cipher) in [(&ours, &old), (&theirs, &new)] {
        let saved = store.save_instance_access(access, cipher, &Fixed);
        saved.await.unwrap();
    }
    let read = async |id, cipher| store.instance_access(id, cipher).await;
    assert_eq!(
        read(world.source, &both).await.unwrap().as_ref(),
        Some(&ours)
    );
    let done = store.reseal(&both, &Fixed).await.unwrap();
    assert_eq!((done.resealed, done.current, done.unopened), (1, 1, vec![]));
    assert_eq!(
        read(world.source, &both).await.unwrap().as_ref(),
        Some(&ours)
    );
    assert_eq!(
        read(world.source, &new).await.unwrap().as_ref(),
        Some(&ours)
    );
    let refused = read(world.source, &old).await;
    assert!(matches!(refused, Err(StoreError::Sealed(_))));
    let again = store.reseal(&both, &Fixed).await.unwrap();
    assert_eq!((again.resealed, again.current), (0, 2));
}

async fn a_secret_that_no_key_opens_stays_as_it_is(world: World) {
    let store = &world.store;
    let lost = Cipher::new(&[3; 32]);
    let ours = world.access("ours");
    let saved = store.save_instance_access(&ours, &lost, &Fixed);
    saved.await.unwrap();
    let both = Cipher::new(&[2; 32]).and_opens(&[1; 32]);
    let done = store.reseal(&both, &Fixed).await.unwrap();
    let place = format!("instances/{}/token", world.source);
    assert_eq!((done.resealed, done.unopened), (0, vec![place]));
    let read = store.instance_access(world.source, &lost).await.unwrap();
    assert_eq!(read.as_ref(), Some(&ours));
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
