//! Where the books lie that all workers share.

use crate::connection::{Redis, RedisError};
use mirror_core::{
    ids::InstanceId,
    ports::{BoxFuture, Clock},
};
use redis::Script;
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

/// Longer than the longest period of a limit.
const KEPT: Duration = Duration::from_secs(48 * 3600);

static TURN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../lua/budget.lua")));
static ALL: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("../lua/budgets.lua")));

/// Keeps a text for each instance, and the time that all of its users go by.
pub trait Shelf: Send + Sync + 'static {
    /// Reads an instance's text, or replaces it if it still has the version that is known. A write
    /// that fails may have taken place, or take place later as long as that version stands.
    fn turn<'a>(
        &'a self,
        instance: InstanceId,
        known: &'a str,
        write: Option<Write<'a>>,
    ) -> BoxFuture<'a, Result<Page, RedisError>>;

    /// Which instances have a text, and until when they are closed.
    fn all(&self) -> BoxFuture<'_, Result<Contents, RedisError>>;
}

/// A text to be written.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// Never used before.
    pub version: &'a str,
    /// The text.
    pub text: &'a str,
    /// Until when the instance is closed, by the shelf's time; zero if it is open.
    pub closed_until: Duration,
}

/// What [`Shelf::turn`] found.
#[derive(Clone, Debug)]
pub struct Page {
    /// Whether it was written.
    pub written: bool,
    /// The shelf's time, since the epoch.
    pub time: Duration,
    /// The text's version; empty where there is none.
    pub version: String,
    /// The text, if there is one of another version than the known one.
    pub text: Option<String>,
}

/// What [`Shelf::all`] found.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The shelf's time, since the epoch.
    pub time: Duration,
    /// Each instance, and until when it is closed.
    pub instances: Vec<(InstanceId, Duration)>,
}

/// Redis, and Redis' time.
#[derive(Clone)]
pub struct RedisShelf {
    redis: Redis,
    clock: Option<Arc<dyn Clock>>,
}

impl RedisShelf {
    /// On this server.
    pub fn new(redis: Redis) -> Self {
        Self { redis, clock: None }
    }

    /// With another time than the server's: that of tests.
    #[must_use]
    pub fn with_time(self, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock: Some(clock),
            ..self
        }
    }

    /// In place of the server's time.
    fn time(&self) -> String {
        let now = self.clock.as_ref().map(|clock| clock.now());
        now.map_or_else(String::new, |now| now.timestamp_micros().to_string())
    }

    async fn call(
        &self,
        instance: InstanceId,
        known: &str,
        write: Option<Write<'_>>,
    ) -> Result<Page, RedisError> {
        let names = self.redis.names();
        let mut call = TURN.prepare_invoke();
        call.key(format!("{}:{}", names.budget(), instance.0))
            .key(names.budgets())
            .arg(self.time())
            .arg(known);
        if let Some(write) = write {
            call.arg(write.version)
                .arg(write.text)
                .arg(instance.0)
                .arg(millis(write.closed_until))
                .arg(millis(KEPT));
        }
        let (written, time, version, text): (bool, u64, String, Option<String>) =
            call.invoke_async(&mut self.redis.calls()).await?;
        Ok(Page {
            written,
            time: Duration::from_micros(time),
            version,
            text,
        })
    }

    async fn contents(&self) -> Result<Contents, RedisError> {
        let (time, instances): (u64, Vec<(i64, u64)>) = ALL
            .key(self.redis.names().budgets())
            .arg(self.time())
            .invoke_async(&mut self.redis.calls())
            .await?;
        let instances = instances.into_iter();
        Ok(Contents {
            time: Duration::from_micros(time),
            instances: instances
                .map(|(instance, until)| (InstanceId(instance), Duration::from_millis(until)))
                .collect(),
        })
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Shelf for RedisShelf {
    fn turn<'a>(
        &'a self,
        instance: InstanceId,
        known: &'a str,
        write: Option<Write<'a>>,
    ) -> BoxFuture<'a, Result<Page, RedisError>> {
        Box::pin(self.call(instance, known, write))
    }

    fn all(&self) -> BoxFuture<'_, Result<Contents, RedisError>> {
        Box::pin(self.contents())
    }
}
