//! What has to be done in Redis beside fetching and acknowledging.

use super::codec;
use crate::connection::{Redis, RedisError};
use mirror_core::job::Ticket;
use redis::Script;
use std::{sync::LazyLock, time::Duration};

/// A worker that gave no sign of life for so long is dead.
const LIFE: Duration = Duration::from_secs(8);

/// How often it gives one.
pub(super) const EVERY: Duration = Duration::from_secs(2);

/// So many at once: a thousandth of a second of the server's time.
const CLEARED_AT_ONCE: usize = 200;

static TEND: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../lua/tend.lua")));
static CLEAR: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../lua/clear.lua")));
static RETIRE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../lua/retire.lua")));

/// Says that `worker` lives; tickets that dead workers had taken wait again.
pub(super) async fn tend(redis: &Redis, worker: &str) -> Result<(), RedisError> {
    let names = redis.names();
    let (again, dropped): (u64, u64) = TEND
        .key(names.workers())
        .key(names.waiting())
        .key(names.data())
        .key(names.notes())
        .arg(names.alive())
        .arg(names.taken())
        .arg(names.worker_notes())
        .arg(u64::try_from(LIFE.as_millis()).unwrap_or(u64::MAX))
        .arg(names.tickets_channel())
        .arg(worker)
        .invoke_async(&mut redis.calls())
        .await?;
    if again > 0 || dropped > 0 {
        tracing::info!(
            tickets.again = again,
            tickets.dropped = dropped,
            "tickets of workers that ended without a word were taken up"
        );
    }
    Ok(())
}

/// Forgets all acknowledged tickets.
pub(super) async fn clear(redis: &Redis) -> Result<(), RedisError> {
    let names = redis.names();
    loop {
        let cleared: usize = CLEAR
            .key(names.done())
            .key(names.data())
            .key(names.notes())
            .arg(CLEARED_AT_ONCE)
            .invoke_async(&mut redis.calls())
            .await?;
        if cleared < CLEARED_AT_ONCE {
            return Ok(());
        }
    }
}

/// A worker has ended; returns what it had taken and not acknowledged.
pub(super) async fn retire(redis: &Redis, worker: &str) -> Result<Vec<Ticket>, RedisError> {
    let names = redis.names();
    let ids: Vec<String> = RETIRE
        .key(names.workers())
        .key(names.data())
        .key(names.notes())
        .key(format!("{}:{worker}", names.taken()))
        .key(format!("{}:{worker}", names.worker_notes()))
        .key(format!("{}:{worker}", names.alive()))
        .arg(worker)
        .invoke_async(&mut redis.calls())
        .await?;
    Ok(ids.iter().filter_map(|id| codec::ticket_of(id)).collect())
}
