//! Between the signals of this process and those of the others.

use super::{Shared, Signal};
use crate::connection::{CALL, Redis, RedisError};
use futures_util::StreamExt;
use std::{sync::Arc, time::Duration};

/// After a failure the next attempt comes after this time, then twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A connection that has been silent for so long is asked whether it still lives.
const SILENCE: Duration = Duration::from_secs(5);

/// So soon after a message to the others no other follows: what was owed in between is told by one.
const GATHER: Duration = Duration::from_millis(2);

/// Hears the others for ever.
pub(super) async fn hear(redis: Redis, shared: Arc<Shared>) {
    let mut pause = PAUSE;
    loop {
        let began = redis.clock().monotonic();
        match listen(&redis, &shared).await {
            Ok(()) => tracing::warn!("the connection for signals was lost; trying again"),
            Err(error) => tracing::warn!(
                error = &error as &dyn std::error::Error,
                "signals are not heard; trying again"
            ),
        }
        if redis.clock().monotonic().saturating_sub(began) >= LONGEST_PAUSE {
            pause = PAUSE;
        }
        redis.clock().sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

async fn listen(redis: &Redis, shared: &Shared) -> Result<(), RedisError> {
    let names = redis.names();
    let (owed, tickets) = (names.owed_channel(), names.tickets_channel());
    let (mut ask, mut messages) = redis.listener().await?.split();
    ask.subscribe(&[&owed, &tickets]).await?;
    // Whatever was said while nobody listened.
    shared.wake(Signal::Owed);
    shared.wake(Signal::Tickets);
    loop {
        tokio::select! {
            message = messages.next() => match message {
                Some(message) if message.get_channel_name() == owed => shared.wake(Signal::Owed),
                Some(_) => shared.wake(Signal::Tickets),
                None => return Ok(()),
            },
            () = redis.clock().sleep(SILENCE) => {
                let answer = ask.ping::<redis::Value>();
                tokio::select! {
                    answer = answer => drop(answer?),
                    () = redis.clock().sleep(CALL) => return Ok(()),
                }
            }
        }
    }
}

/// Tells the others for ever what is owed here.
pub(super) async fn tell(redis: Redis, shared: Arc<Shared>) {
    loop {
        shared.untold.notified().await;
        let told: Result<i64, _> = redis::cmd("PUBLISH")
            .arg(redis.names().owed_channel())
            .arg(1)
            .query_async(&mut redis.calls())
            .await;
        if let Err(error) = told {
            // They poll.
            tracing::debug!(error = %error, "a signal was not sent");
        }
        redis.clock().sleep(GATHER).await;
    }
}
