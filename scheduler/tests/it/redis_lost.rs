//! Redis gone for a while, and come back empty: late, never lost.

use crate::{
    redis_server::Server,
    world::{World, stories},
};
use mirror_queue::delivery::Producer;
use mirror_scheduler::dispatch::{Dispatcher, Window};

stories! {
    tickets_that_redis_has_lost_are_sent_anew_at_once
    what_cannot_be_sent_is_handed_back
}

async fn tickets_that_redis_has_lost_are_sent_anew_at_once(world: World) {
    let mut server = Server::start().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..5).await;
    let producer = Producer::redis(&server.connect(), 100);
    assert!(producer.room().await);
    let mut dispatcher = Dispatcher::new(world.store.clone(), producer.clone());
    let first = dispatcher.round(&Window::default()).await.unwrap();
    assert_eq!((first.sent, first.lost), (5, 0));
    assert!(producer.room().await);
    let nothing = dispatcher.round(&Window::default()).await.unwrap();
    assert_eq!((nothing.sent, nothing.lost), (0, 0));

    server.kill();
    server.begin().await;
    assert!(producer.room().await);
    let again = dispatcher.round(&Window::default()).await.unwrap();
    assert_eq!((again.sent, again.lost), (5, 5));
    assert!(producer.room().await);
    let nothing = dispatcher.round(&Window::default()).await.unwrap();
    assert_eq!((nothing.sent, nothing.lost), (0, 0));
    assert_eq!(world.store.due(mirror).await.unwrap().queued, 5);
}

async fn what_cannot_be_sent_is_handed_back(world: World) {
    let mut server = Server::start().await;
    let mirror = world.mirror(1, 2).await;
    world.owe_issues(mirror, 0..5).await;
    let producer = Producer::redis(&server.connect(), 100);
    assert!(producer.room().await);
    server.kill();
    let mut dispatcher = Dispatcher::new(world.store.clone(), producer.clone());
    let failed = dispatcher.round(&Window::default()).await.unwrap();
    assert_eq!((failed.sent, failed.handed_back), (0, 5));
    assert_eq!(world.store.due(mirror).await.unwrap().pending, 5);

    server.begin().await;
    assert!(producer.room().await);
    let sent = dispatcher.round(&Window::default()).await.unwrap();
    assert_eq!(sent.sent, 5);
}
