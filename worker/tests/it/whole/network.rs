//! The way between the processes and the two GitLabs: what has left a process arrives even if the
//! process is no more, in whatever order, and on the way much may go wrong.

use super::{
    carried::{carried, copied},
    sabotage::Lie,
    time::{Actor, Time},
};
use axum::{Router, body::Body};
use bytes::Bytes;
use chrono::TimeDelta;
use gitlab_sim::{ConnectionLost, Fault, Sim};
use http::{Method, Request, Response, StatusCode};
use mirror_gitlab::{DirectTransport, Transport};
use mirror_worker::Side;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// What is missed for so long is gone.
const SECOND_LOOK: TimeDelta = TimeDelta::seconds(601);

/// What goes wrong with a request.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Wrong {
    /// In the GitLab, or between it and us.
    Struck(Fault),
    /// Nobody ever answers.
    Silence { effect: bool },
    /// It arrives after so many seconds.
    LateArrival(u64),
    /// The answer arrives after so many seconds.
    LateAnswer(u64),
    /// If it creates an issue or a comment, its effect comes later than is waited for.
    VeryLate(Duration),
}

/// All that is under way.
#[derive(Clone)]
pub(super) struct Network {
    lines: Arc<Mutex<Lines>>,
    time: Time,
    lie: Option<Lie>,
}

#[derive(Default)]
struct Lines {
    next: u64,
    letters: BTreeMap<u64, Letter>,
    /// For the next request that writes (or reads).
    wrongs: Vec<(bool, Wrong)>,
    /// What landed very late once. What is sent again is ended by its GitLab in time: against two
    /// requests in a row that outlive that nobody can wait long enough.
    outlived: BTreeSet<Bytes>,
}

struct Letter {
    from: Actor,
    to: Side,
    stage: Stage,
    wrong: Option<Wrong>,
    not_before: Duration,
    waker: Option<Waker>,
    /// Whether anybody waits for the answer.
    awaited: bool,
}

enum Stage {
    Sent(Box<Request<Bytes>>),
    Answered(Box<Response<Body>>),
    Arrived(Box<Response<Body>>),
    /// Nothing will come.
    Silent,
}

/// What may happen next on the network.
#[derive(Clone, Copy, Debug)]
pub(super) enum Post {
    Deliver(u64),
    Answer(u64),
}

/// A request that took effect, or could have.
pub(super) struct Delivered {
    pub(super) from: Actor,
    pub(super) to: Side,
    pub(super) writes: bool,
    /// The letter's number: who sends later has a higher one.
    pub(super) id: u64,
    /// The target's issue that it is about.
    pub(super) target_issue: Option<u64>,
    /// The issue of which it said that it is not to be seen.
    pub(super) missed: Option<u64>,
    /// In words.
    pub(super) told: String,
}

impl Network {
    pub(super) fn new(time: Time, lie: Option<Lie>) -> Self {
        Self {
            lines: Arc::default(),
            time,
            lie,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap()
    }

    /// The next request of this kind goes wrong so.
    pub(super) fn spoil(&self, writes: bool, wrong: Wrong) {
        self.lock().wrongs.push((writes, wrong));
    }

    /// All goes well from now on, but for what is under way.
    pub(super) fn calm(&self) {
        self.lock().wrongs.clear();
    }

    /// What could happen by now, and whose business it is.
    pub(super) fn ready(&self) -> Vec<(Post, Actor)> {
        let now = self.time.elapsed();
        let lines = self.lock();
        let due = lines
            .letters
            .iter()
            .filter(|(_, letter)| letter.not_before <= now);
        due.filter_map(|(id, letter)| match letter.stage {
            Stage::Sent(_) => Some((Post::Deliver(*id), letter.from)),
            Stage::Answered(_) if letter.awaited => Some((Post::Answer(*id), letter.from)),
            Stage::Answered(_) | Stage::Arrived(_) | Stage::Silent => None,
        })
        .collect()
    }

    /// When something that is late will be due.
    pub(super) fn next(&self) -> Option<Duration> {
        let now = self.time.elapsed();
        let lines = self.lock();
        let late = lines.letters.values().map(|letter| letter.not_before);
        late.filter(|at| *at > now).min()
    }

    /// Nothing is under way any more.
    pub(super) fn is_empty(&self) -> bool {
        let lines = self.lock();
        !lines
            .letters
            .values()
            .any(|letter| matches!(letter.stage, Stage::Sent(_)))
    }

    /// Whom a request that is under way goes to.
    pub(super) fn addressee(&self, id: u64) -> Side {
        self.lock().letters.get(&id).unwrap().to
    }

    /// A request reaches its GitLab.
    pub(super) fn deliver(&self, id: u64, sim: &Sim, router: &Router) -> Delivered {
        let (mut request, wrong, mut delivered) = {
            let mut lines = self.lock();
            let letter = lines.letters.get_mut(&id).unwrap();
            let stage = std::mem::replace(&mut letter.stage, Stage::Silent);
            let Stage::Sent(request) = stage else {
                panic!("delivered twice")
            };
            let delivered = Delivered {
                from: letter.from,
                to: letter.to,
                writes: request.method() != Method::GET,
                id,
                target_issue: number_in(request.uri().path()).filter(|_| letter.to == Side::Target),
                missed: None,
                told: told(letter, &request),
            };
            (request, letter.wrong.take(), delivered)
        };
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        if let Some(lie) = &self.lie {
            lie.alter_request(delivered.to, &mut request);
        }
        let times = self
            .lie
            .as_ref()
            .map_or(1, |lie| lie.times(delivered.to, &request, wrong.is_some()));
        let mut answer = None;
        for _ in 0..times {
            answer = carried(sim, router, copied(&request), wrong.as_ref());
        }
        let is_missed = |answer: &Response<Body>| answer.status() == StatusCode::NOT_FOUND;
        if answer.as_ref().is_some_and(is_missed) {
            delivered.missed = number_in(&path);
        }
        let missed = delivered.missed.is_some() && delivered.to == Side::Source;
        let writes = delivered.writes && delivered.to == Side::Target;
        if self
            .lie
            .as_ref()
            .is_some_and(|lie| lie.leaps(missed, writes))
        {
            self.time.jump(SECOND_LOOK);
        }
        let answer = answer.map(|answer| match &self.lie {
            Some(lie) => lie.alter_answer(delivered.to, &method, &path, answer),
            None => answer,
        });
        let mut lines = self.lock();
        let Some(letter) = lines.letters.get_mut(&id) else {
            return delivered;
        };
        if let Some(Wrong::LateAnswer(seconds)) = wrong {
            letter.not_before = self.time.elapsed() + Duration::from_secs(seconds);
        }
        match answer {
            Some(answer) => letter.stage = Stage::Answered(Box::new(answer)),
            None => letter.stage = Stage::Silent,
        }
        if !letter.awaited {
            lines.letters.remove(&id);
        }
        delivered
    }

    /// An answer reaches who waits for it.
    pub(super) fn answer(&self, id: u64) {
        let waker = {
            let mut lines = self.lock();
            let letter = lines.letters.get_mut(&id).unwrap();
            let stage = std::mem::replace(&mut letter.stage, Stage::Silent);
            let Stage::Answered(answer) = stage else {
                panic!("answered twice")
            };
            letter.stage = Stage::Arrived(answer);
            letter.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The way of one process to one GitLab.
    pub(super) fn way(&self, from: Actor, to: Side) -> Arc<dyn Transport> {
        let network = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let network = network.clone();
            async move {
                let (parts, body) = request.into_parts();
                // Large files are streamed; here they are small enough to be gathered.
                let body = axum::body::to_bytes(body, usize::MAX)
                    .await
                    .map_err(io::Error::other)?;
                let answer = network
                    .post(from, to, Request::from_parts(parts, body))
                    .await;
                match answer.extensions().get::<ConnectionLost>() {
                    Some(_) => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
                    None => Ok(answer),
                }
            }
        });
        Arc::new(DirectTransport::new(service, Body::from_stream))
    }

    fn post(&self, from: Actor, to: Side, request: Request<Bytes>) -> Answer {
        let mut lines = self.lock();
        let writes = request.method() != Method::GET;
        let place = lines.wrongs.iter().position(|(kind, _)| *kind == writes);
        let mut wrong = place.map(|place| lines.wrongs.remove(place).1);
        if matches!(wrong, Some(Wrong::VeryLate(_)))
            && !lines.outlived.insert(request.body().clone())
        {
            wrong = None;
        }
        let late = match wrong {
            Some(Wrong::LateArrival(seconds)) => seconds,
            Some(
                Wrong::Struck(_)
                | Wrong::Silence { .. }
                | Wrong::LateAnswer(_)
                | Wrong::VeryLate(_),
            )
            | None => 0,
        };
        self.time.waited_for();
        let id = lines.next;
        lines.next += 1;
        let letter = Letter {
            from,
            to,
            stage: Stage::Sent(Box::new(request)),
            wrong,
            not_before: self.time.elapsed() + Duration::from_secs(late),
            waker: None,
            awaited: true,
        };
        lines.letters.insert(id, letter);
        Answer {
            network: self.clone(),
            id,
        }
    }
}

/// The issue that a path leads to.
fn number_in(path: &str) -> Option<u64> {
    let (_, rest) = path.split_once("/issues/")?;
    rest.split('/').next()?.parse().ok()
}

fn told(letter: &Letter, request: &Request<Bytes>) -> String {
    let body = String::from_utf8_lossy(request.body());
    let body: String = body.chars().take(300).collect();
    let uri = request
        .uri()
        .path_and_query()
        .map_or("", |uri| uri.as_str());
    let Letter {
        from, to, wrong, ..
    } = letter;
    let wrong = wrong.as_ref().map(|wrong| format!(" {wrong:?}"));
    let wrong = wrong.unwrap_or_default();
    format!("{from:?} to {to}: {} {uri} {body}{wrong}", request.method())
}

struct Answer {
    network: Network,
    id: u64,
}

impl Future for Answer {
    type Output = Response<Body>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Response<Body>> {
        let mut lines = self.network.lock();
        let letter = lines.letters.get_mut(&self.id).unwrap();
        match std::mem::replace(&mut letter.stage, Stage::Silent) {
            Stage::Arrived(answer) => Poll::Ready(*answer),
            other @ (Stage::Sent(_) | Stage::Answered(_) | Stage::Silent) => {
                letter.stage = other;
                letter.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let mut lines = self.network.lock();
        let Some(letter) = lines.letters.get_mut(&self.id) else {
            return;
        };
        letter.awaited = false;
        if !matches!(letter.stage, Stage::Sent(_)) {
            lines.letters.remove(&self.id);
        }
    }
}
