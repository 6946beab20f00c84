//! Looks into the book that all processes share, on behalf of all requests of this process to one
//! instance.
//!
//! A round takes everybody who waits, reads the book, decides, and writes the book if it is still
//! the one that was read; else somebody else was faster, and the round is repeated on what they
//! wrote. So somebody always gets on. What was answered is noted at the time that the server showed
//! after the answer, and who may go was let go at a time that the server had already shown: both
//! are what the proof in `trail.rs` needs, and no clock but the server's has a say.
//!
//! Where the answer to a write is lost nobody knows whether the book was written. The round has a
//! number, which stands in the book beside the name of who wrote it last; nothing new is begun
//! before a look at the book has shown it, or a later write has made sure that it never will.

use super::{
    book::{Book, LEASE, Moment},
    desk::{Ask, Desk, News, Seen},
    lineage::LOOK,
    room::Room,
    shared::time_of_day,
    shelf::{Page, Shelf, Write},
    written::Owner,
};
use crate::connection::RedisError;
use mirror_core::{
    ids::InstanceId,
    ports::{Clock, Entropy},
};
use redis::ErrorKind;
use std::{sync::Arc, time::Duration};

/// Who waits for the answer to another process' request looks again so often.
const LOOK_FOR_ANSWER: Duration = Duration::from_millis(50);

/// After a failure the book is looked for after this time, then twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Clerk {
    pub(super) instance: InstanceId,
    pub(super) desk: Arc<Desk>,
    pub(super) shelf: Arc<dyn Shelf>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) me: Owner,
    pub(super) state: State,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Waiting for somebody's answer.
    parked: Vec<Ask>,
    asks: Vec<Ask>,
    news: Vec<News>,
    /// Rounds for these that may have been written.
    attempts: Vec<Attempt>,
    /// The book that was seen last.
    version: String,
    text: Option<String>,
    generation: Option<u64>,
    /// What was seen before the book was lost, until it has been taken over.
    memory: Option<String>,
    /// The number of the last round, and of the last that was surely written, and when.
    round: u64,
    written: u64,
    signed: Duration,
    /// Admitted, and not told of since.
    outstanding: usize,
    /// The book says something that must not be lost.
    lively: bool,
    /// Somebody else wrote the book since the last round.
    crowded: bool,
}

#[derive(Debug)]
struct Attempt {
    round: u64,
    rooms: Vec<Room>,
    now: Duration,
}

struct Draft {
    version: String,
    text: String,
    generation: u64,
    closed_until: Duration,
}

impl Clerk {
    /// Never ends.
    pub(super) async fn run(mut self) {
        let mut pause = PAUSE;
        loop {
            match self.round().await {
                Ok(()) => {
                    if pause > PAUSE {
                        tracing::info!(instance = self.instance.0, "the budget goes on");
                        pause = PAUSE;
                    }
                    self.give_way().await;
                    self.rest().await;
                }
                Err(error) => {
                    if pause == PAUSE {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            instance = self.instance.0,
                            "requests wait for the budget; trying again"
                        );
                    }
                    self.turn_away(pause).await;
                    pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Whoever has had a turn lets others have theirs: meanwhile more of its own line up, and are
    /// decided upon together. Else most rounds would be in vain, and some process always the last.
    async fn give_way(&mut self) {
        if std::mem::take(&mut self.state.crowded) {
            let pause = Duration::from_millis(2 + self.entropy.next_u64() % 8);
            self.clock.sleep(pause).await;
        }
    }

    /// Until there is something to do.
    async fn rest(&self) {
        if !self.desk.is_empty() {
            return;
        }
        let state = &self.state;
        let wait = if !state.parked.is_empty() {
            // Not all at the same moment.
            LOOK_FOR_ANSWER + Duration::from_millis(self.entropy.next_u64() % 16)
        } else if state.lively || state.outstanding > 0 {
            LOOK
        } else {
            return self.desk.wake.notified().await;
        };
        tokio::select! {
            () = self.desk.wake.notified() => {}
            () = self.clock.sleep(wait) => {}
        }
    }

    /// Nobody can be let through for now, and nobody waits here for it.
    async fn turn_away(&mut self, pause: Duration) {
        for ask in self.state.asks.iter_mut().chain(&mut self.state.parked) {
            ask.turn_away();
        }
        self.state.parked.clear();
        let mut pause = self.clock.sleep(pause);
        loop {
            self.desk.turn_away();
            tokio::select! {
                () = &mut pause => return,
                () = self.desk.wake.notified() => {}
            }
        }
    }

    async fn round(&mut self) -> Result<(), RedisError> {
        if self.state.attempts.is_empty() {
            self.take();
        }
        let mut page = self.turn(None).await?;
        loop {
            self.adopt(&mut page);
            let Some(draft) = self.draft(page.time)? else {
                self.show(page.time);
                return Ok(());
            };
            page = self.turn(Some(&draft)).await?;
            if page.written {
                self.keep(draft);
                self.show(page.time);
                return Ok(());
            }
            self.state.attempts.pop();
        }
    }

    /// Everybody who waits now.
    fn take(&mut self) {
        let (asks, news) = self.desk.take();
        let state = &mut self.state;
        state.asks.append(&mut state.parked);
        state.asks.extend(asks);
        state.asks.retain(|ask| !ask.is_idle());
        state.asks.sort_by_key(|ask| !ask.charge.by_hand);
        state.news.extend(news);
    }

    async fn turn(&self, draft: Option<&Draft>) -> Result<Page, RedisError> {
        let write = draft.map(|draft| Write {
            version: &draft.version,
            text: &draft.text,
            closed_until: draft.closed_until,
        });
        let known = &self.state.version;
        self.shelf.turn(self.instance, known, write).await
    }

    fn show(&self, time: Duration) {
        if let Some(text) = &self.state.text {
            self.desk.show(Seen {
                text: text.clone(),
                time,
                at: self.clock.monotonic(),
            });
        }
    }

    fn adopt(&mut self, page: &mut Page) {
        let state = &mut self.state;
        if page.version != state.version {
            state.crowded = true;
            state.version = std::mem::take(&mut page.version);
            let before = std::mem::replace(&mut state.text, page.text.take());
            // Whether it is needed is seen when the new one is read.
            if state.memory.is_none() {
                state.memory = before;
            }
        }
    }

    /// What is to be written, if anything is. Whoever needs nothing written has been answered then.
    fn draft(&mut self, time: Duration) -> Result<Option<Draft>, RedisError> {
        let mut book = self.open(time);
        let recalled = self.recall(&mut book);
        let last = book.last_round(self.me);
        let state = &mut self.state;
        if let Some(position) = state.attempts.iter().position(|it| Some(it.round) == last) {
            let attempt = state.attempts.swap_remove(position);
            self.settle(attempt);
            return Ok(None);
        }
        let now = book.now();
        // A new book opens a while after it was written.
        let begun = state.text.is_none();
        let unsettled = !state.attempts.is_empty();
        let lessons = book.lessons();
        let rooms = self.decide(&mut book, now, time);
        let state = &mut self.state;
        state.lively = !book.is_blank(now);
        let due = now.saturating_sub(state.signed) >= LEASE / 4 && state.outstanding > 0;
        state.round = state.round.saturating_add(1);
        let attempt = Attempt {
            round: state.round,
            rooms,
            now,
        };
        let matters = attempt
            .rooms
            .iter()
            .zip(&state.asks)
            .any(|(room, ask)| *room == Room::Free || (ask.charge.by_hand && !ask.is_idle()));
        let news = !state.news.is_empty() || book.lessons() != lessons;
        if !(begun || recalled || unsettled || due || matters || news) {
            self.settle_unwritten(attempt);
            return Ok(None);
        }
        book.tidy(now);
        book.sign(now, self.me, state.round);
        let text = serde_json::to_string(&book)
            .map_err(|_| redis::RedisError::from((ErrorKind::Client, "unwritable budget")))?;
        let closed_until = book.closed_until(now);
        let draft = Draft {
            version: format!("{:x}.{:x}", self.me.0, state.round),
            text,
            generation: book.lineage.generation(),
            closed_until: closed_until.map_or(Duration::ZERO, |at| book.lineage.server_time(at)),
        };
        state.attempts.push(attempt);
        Ok(Some(draft))
    }

    /// The book that was seen last, or a new one.
    fn open(&self, time: Duration) -> Book {
        let text = self.state.text.as_deref();
        let read = text.and_then(|text| match serde_json::from_str(text) {
            Ok(book) => Some(book),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    instance = self.instance.0,
                    "the budget in redis cannot be read; beginning anew"
                );
                None
            }
        });
        let mut book = read.unwrap_or_else(|| Book::beginning(self.entropy.next_u64(), time));
        book.configure(self.desk.limits());
        book.advance(time);
        book
    }

    /// Takes over what was seen before the book was lost, if it was.
    fn recall(&mut self, book: &mut Book) -> bool {
        let now = book.now();
        let state = &mut self.state;
        let Some(memory) = &state.memory else {
            if state.text.is_some() {
                state.generation = Some(book.lineage.generation());
            }
            return false;
        };
        let same = state.generation == Some(book.lineage.generation());
        let here = match book.last_round(self.me) {
            Some(round) => round >= state.written,
            // Nobody says that of one who was here within the lease.
            None => state.written == 0 || now.saturating_sub(state.signed) >= LEASE,
        };
        if same && here {
            state.memory = None;
            return false;
        }
        let Ok(mut lost) = serde_json::from_str::<Book>(memory) else {
            state.memory = None;
            return false;
        };
        lost.configure(self.desk.limits());
        if lost.lineage.generation() == book.lineage.generation() {
            book.went_back(self.entropy.next_u64(), self.me);
        }
        book.recall(&lost, self.me);
        true
    }

    fn decide(&mut self, book: &mut Book, now: Duration, time: Duration) -> Vec<Room> {
        let moment = Moment {
            monotonic: now,
            time_of_day: time_of_day(time),
        };
        for news in &self.state.news {
            match news {
                News::Answered(charge, told) => book.learn(moment, charge, told, self.me),
                News::Withdrawn(charge) => book.withdraw(now, charge, self.me),
            }
        }
        let asks = self.state.asks.iter();
        asks.map(|ask| match ask.is_idle() {
            true => Room::AfterAnswer,
            false => book.decide(now, &ask.charge, self.me),
        })
        .collect()
    }

    /// The draft was written.
    fn keep(&mut self, draft: Draft) {
        let state = &mut self.state;
        state.version = draft.version;
        state.text = Some(draft.text);
        state.generation = Some(draft.generation);
        state.memory = None;
        if let Some(attempt) = state.attempts.pop() {
            self.settle(attempt);
        }
    }

    /// This attempt was written, and no other.
    fn settle(&mut self, attempt: Attempt) {
        let state = &mut self.state;
        state.attempts.clear();
        state.written = attempt.round;
        state.signed = attempt.now;
        state.outstanding = state.outstanding.saturating_sub(state.news.len());
        state.news.clear();
        self.settle_unwritten(attempt);
    }

    fn settle_unwritten(&mut self, attempt: Attempt) {
        let state = &mut self.state;
        for (mut ask, room) in state.asks.drain(..).zip(attempt.rooms) {
            match room {
                Room::Free => {
                    state.outstanding = state.outstanding.saturating_add(1);
                    if !ask.answer(room) {
                        self.desk.tell(News::Withdrawn(ask.charge));
                    }
                }
                Room::In(_) => {
                    ask.answer(room);
                }
                Room::AfterAnswer => state.parked.push(ask),
            }
        }
    }
}
