//! Pushing tickets into Redis, so that never more than a window wait there.

use super::{NotSent, Reason, codec, producer::half_of};
use crate::connection::{Redis, RedisError};
use mirror_core::job::Ticket;
use redis::Script;
use std::{
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

/// So many in one call: Redis serves others in between, and Lua's stack ends at 8,000.
const AT_ONCE: usize = 500;

/// While too much of the window is taken it is looked at so often.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// After a failure Redis is asked again after this time, then twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

static PUSH: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../lua/push.lua")));
static ROOM: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../lua/room.lua")));

#[derive(Clone, Debug)]
pub(super) struct Window {
    redis: Redis,
    size: usize,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    room: usize,
    generation: Option<u64>,
}

impl Window {
    pub(super) fn new(redis: Redis, size: usize) -> Self {
        // Until Redis was heard it counts as empty: it says so itself if it is not.
        let heard = Heard {
            room: size,
            generation: None,
        };
        Self {
            redis,
            size,
            heard: Arc::new(Mutex::new(heard)),
        }
    }

    pub(super) async fn send(&self, mut tickets: Vec<Ticket>) -> Result<(), NotSent> {
        while !tickets.is_empty() {
            let some = tickets.get(..AT_ONCE).unwrap_or(&tickets);
            let reason = match self.push(some).await {
                Ok(taken) if taken == some.len() => {
                    tickets.drain(..taken);
                    continue;
                }
                Ok(taken) => {
                    tickets.drain(..taken.min(tickets.len()));
                    Reason::Full
                }
                Err(error) => {
                    self.hear(0, None);
                    Reason::Redis(error)
                }
            };
            return Err(NotSent { tickets, reason });
        }
        Ok(())
    }

    async fn push(&self, tickets: &[Ticket]) -> Result<usize, RedisError> {
        let names = self.redis.names();
        let mut call = PUSH.prepare_invoke();
        call.key(names.waiting())
            .key(names.data())
            .key(names.notes())
            .key(names.generation())
            .arg(self.size)
            .arg(self.redis.entropy().next_u64())
            .arg(names.tickets_channel());
        for ticket in tickets {
            call.arg(codec::id(ticket)).arg(codec::encode(ticket));
        }
        let (taken, waiting, generation): (usize, usize, u64) =
            call.invoke_async(&mut self.redis.calls()).await?;
        self.hear(self.size.saturating_sub(waiting), Some(generation));
        Ok(taken)
    }

    pub(super) fn try_room(&self) -> usize {
        self.heard().room
    }

    pub(super) fn generation(&self) -> Option<u64> {
        self.heard().generation
    }

    pub(super) async fn room(&self) {
        let mut pause = PAUSE;
        loop {
            match self.look().await {
                Ok(room) if room < half_of(self.size) => {
                    pause = PAUSE;
                    self.redis.clock().sleep(LOOK_AGAIN).await;
                }
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "tickets cannot be sent; trying again"
                    );
                    self.redis.clock().sleep(pause).await;
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    async fn look(&self) -> Result<usize, RedisError> {
        let names = self.redis.names();
        let (waiting, generation): (usize, u64) = ROOM
            .key(names.waiting())
            .key(names.generation())
            .arg(self.redis.entropy().next_u64())
            .invoke_async(&mut self.redis.calls())
            .await?;
        let room = self.size.saturating_sub(waiting);
        self.hear(room, Some(generation));
        Ok(room)
    }

    fn heard(&self) -> Heard {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, room: usize, generation: Option<u64>) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.room = room;
        heard.generation = generation.or(heard.generation);
    }
}
