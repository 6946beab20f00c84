use super::{TestClock, TestPace};
use mirror_core::{
    ids::{InstanceId, ProjectId},
    ports::{Account, Entropy},
};
use mirror_gitlab::{Client, HttpTransport, Options, Token, Transport};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use url::Url;

pub(crate) const TOKEN: &str = "glpat-a-very-secret-token";
pub(crate) const PROJECT: ProjectId = ProjectId(7);

/// Lengths that nothing but the time-outs has, so that the clock can tell them apart.
pub(crate) const READ_PATIENCE: Duration = Duration::from_secs(61);
pub(crate) const BODY_PATIENCE: Duration = Duration::from_secs(31);

/// Everything a client needs, under the test's hand.
pub(crate) struct Lab {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) pace: Arc<TestPace>,
    pub(crate) options: Options,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self {
            clock: Arc::new(TestClock::holding(&[READ_PATIENCE, BODY_PATIENCE])),
            pace: Arc::new(TestPace::default()),
            options: Options {
                read_timeout: READ_PATIENCE,
                body_timeout: BODY_PATIENCE,
                ..Options::default()
            },
        }
    }

    /// Over the network.
    pub(crate) fn client(&self, base: &str) -> Client {
        let transport = HttpTransport::new(&self.options).unwrap();
        self.client_over(base, Arc::new(transport))
    }

    /// Over anything.
    pub(crate) fn client_over(&self, base: &str, transport: Arc<dyn Transport>) -> Client {
        self.client_with(base, TOKEN, transport)
    }

    pub(crate) fn client_with(
        &self,
        base: &str,
        token: &str,
        transport: Arc<dyn Transport>,
    ) -> Client {
        Client::new(
            Url::parse(base).unwrap(),
            Token::new(token),
            Account {
                instance: InstanceId(1),
                user: "9".to_owned(),
            },
            transport,
            self.pace.clone(),
            self.clock.clone(),
            Arc::new(Counting(AtomicU64::new(1))),
            &self.options,
        )
    }
}

struct Counting(AtomicU64);

impl Entropy for Counting {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed)
    }
}

pub(crate) fn issue_json(iid: i64) -> String {
    format!(
        r#"{{"id":{},"iid":{iid},"project_id":7,"title":"Issue {iid}","state":"opened",
            "created_at":"2026-01-02T03:04:05.678Z","updated_at":"2026-01-02T03:04:05.678Z"}}"#,
        1000 + iid
    )
}

pub(crate) fn note_json(id: i64) -> String {
    format!(r#"{{"id":{id},"body":"Note {id}","created_at":"2026-01-02T03:04:05.678Z"}}"#)
}
