//! The shared budget on a real Redis in the time of a story, with all the trouble that a network
//! makes: each call is made while the story's time stands still.

use crate::redis_server::connect;
use chrono::{DateTime, TimeDelta, Utc};
use mirror_core::{
    ids::InstanceId,
    ports::{BoxFuture, Clock, Entropy},
};
use mirror_queue::{
    budget::{Budget, Contents, Page, RedisShelf, Shelf, Write},
    connection::RedisError,
};
use mirror_runtime::{SeededEntropy, testing::TokioClock};
use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};
use tokio::runtime::Runtime;

pub(crate) struct DrivenShelf {
    shelf: RedisShelf,
    /// Where the calls are made, in real time.
    calls: Option<Runtime>,
    clock: TokioClock,
    shown: Arc<Shown>,
    entropy: SeededEntropy,
    pub(crate) trouble: Trouble,
}

#[derive(Default)]
pub(crate) struct Trouble {
    /// Nobody gets through.
    pub(crate) away: AtomicBool,
    /// The answers to so many of the next writes are lost.
    pub(crate) lost_answers: AtomicUsize,
    /// So many of the next writes fail, and take place a good second later.
    pub(crate) late_writes: AtomicUsize,
    late: Mutex<Vec<(DateTime<Utc>, Owned)>>,
}

/// The server's time.
struct Shown {
    time: Mutex<DateTime<Utc>>,
    /// Its clock was set by so much.
    set: Mutex<TimeDelta>,
}

type Owned = (InstanceId, String, Option<(String, String, Duration)>);

impl Clock for Shown {
    fn now(&self) -> DateTime<Utc> {
        *self.time.lock().unwrap() + *self.set.lock().unwrap()
    }

    fn monotonic(&self) -> Duration {
        unreachable!("the shelf's time is a time of day")
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        unreachable!("a shelf does not wait")
    }
}

fn broken() -> RedisError {
    redis::RedisError::from(io::Error::from(io::ErrorKind::ConnectionReset)).into()
}

fn one_of(counter: &AtomicUsize) -> bool {
    let less = |left: usize| left.checked_sub(1);
    counter
        .try_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
}

impl DrivenShelf {
    pub(crate) fn new(url: &str, clock: TokioClock, seed: u64) -> Arc<Self> {
        let calls = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let redis = {
            let _inside = calls.enter();
            connect(url)
        };
        let shown = Arc::new(Shown {
            time: Mutex::new(clock.now()),
            set: Mutex::default(),
        });
        Arc::new(Self {
            shelf: RedisShelf::new(redis).with_time(Arc::clone(&shown) as Arc<dyn Clock>),
            calls: Some(calls),
            clock,
            shown,
            entropy: SeededEntropy::new(seed),
            trouble: Trouble::default(),
        })
    }

    /// One process more.
    pub(crate) fn process(self: &Arc<Self>) -> Budget {
        let entropy = SeededEntropy::new(self.entropy.next_u64());
        let shelf = Arc::clone(self) as Arc<dyn Shelf>;
        Budget::shared(shelf, Arc::new(self.clock), Arc::new(entropy))
    }

    /// Sets the server's clock.
    pub(crate) fn set_clock(&self, by: TimeDelta) {
        *self.shown.set.lock().unwrap() += by;
    }

    /// Up to two milliseconds.
    async fn way(&self) {
        let way = Duration::from_millis(self.entropy.next_u64() % 3);
        self.clock.sleep(way).await;
    }

    fn wait<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> T {
        *self.shown.time.lock().unwrap() = self.clock.now();
        let (answer, answered) = mpsc::channel();
        self.calls.as_ref().unwrap().spawn(async move {
            drop(answer.send(call.await));
        });
        answered.recv().unwrap()
    }

    fn turn_now(&self, (instance, known, write): Owned) -> Result<Page, RedisError> {
        let shelf = self.shelf.clone();
        self.wait(async move {
            let write = write.as_ref();
            let write = write.map(|(version, text, closed_until)| Write {
                version,
                text,
                closed_until: *closed_until,
            });
            shelf.turn(instance, &known, write).await
        })
    }

    /// What arrives late arrives now.
    fn overdue(&self) {
        let now = self.clock.now();
        let mut late = self.trouble.late.lock().unwrap();
        let (due, left) = late.drain(..).partition(|(at, _)| *at <= now);
        *late = left;
        drop(late);
        let due: Vec<(DateTime<Utc>, Owned)> = due;
        for (_, call) in due {
            drop(self.turn_now(call));
        }
    }

    async fn turn_in_time(&self, call: Owned) -> Result<Page, RedisError> {
        self.way().await;
        self.overdue();
        if self.trouble.away.load(Ordering::Relaxed) {
            return Err(broken());
        }
        let writes = call.2.is_some();
        if writes && one_of(&self.trouble.late_writes) {
            let at = self.clock.now() + TimeDelta::milliseconds(1_100);
            self.trouble.late.lock().unwrap().push((at, call));
            return Err(broken());
        }
        let page = self.turn_now(call);
        self.way().await;
        if writes && one_of(&self.trouble.lost_answers) {
            return Err(broken());
        }
        page
    }
}

impl Shelf for DrivenShelf {
    fn turn<'a>(
        &'a self,
        instance: InstanceId,
        known: &'a str,
        write: Option<Write<'a>>,
    ) -> BoxFuture<'a, Result<Page, RedisError>> {
        let owned = |write: Write<'_>| {
            let (version, text) = (write.version.to_owned(), write.text.to_owned());
            (version, text, write.closed_until)
        };
        Box::pin(self.turn_in_time((instance, known.to_owned(), write.map(owned))))
    }

    fn all(&self) -> BoxFuture<'_, Result<Contents, RedisError>> {
        let shelf = self.shelf.clone();
        Box::pin(async move {
            if self.trouble.away.load(Ordering::Relaxed) {
                return Err(broken());
            }
            self.wait(async move { shelf.all().await })
        })
    }
}

impl Drop for DrivenShelf {
    fn drop(&mut self) {
        if let Some(calls) = self.calls.take() {
            // Within another runtime nothing may be waited for.
            calls.shutdown_background();
        }
    }
}
