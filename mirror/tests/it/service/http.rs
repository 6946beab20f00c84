//! A program that asks the API.

use super::{fleet::Fleet, servers::pause};
use crate::process::stage::within;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

/// How long nothing may come; a stream that is watched says every quarter of a minute that it is there.
const PATIENCE: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: Value,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let name = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&name))
    }
}

impl Fleet {
    /// What follows this in the log, up to the next blank, once it is there for the nth time.
    pub(super) async fn told(&self, what: &str, times: usize) -> String {
        within(async {
            loop {
                let log = self.log();
                let rest = log.split(what).nth(times);
                if let Some((word, _)) = rest.and_then(|rest| rest.split_once([' ', '\n'])) {
                    return word.to_owned();
                }
                pause(50).await;
            }
        })
        .await
    }
}

/// Sends a request, with more headers, each ended by a line's end.
pub(super) fn send(address: &str, head: &str, more: &str, body: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).unwrap();
    connection
}

/// Asks one of several processes after the other.
pub(super) struct Http {
    addresses: Vec<String>,
    token: String,
    turn: std::cell::Cell<usize>,
}

impl Http {
    /// Of processes that log where they listen, as many as are named.
    pub(super) async fn of(fleet: &Fleet, processes: usize) -> Self {
        let made = fleet
            .well(&["token", "create", "--name", "story", "--role", "admin"])
            .await;
        let mut words = made.out.split_whitespace();
        let token = words.rfind(|word| word.starts_with("imt_"));
        let mut addresses = Vec::new();
        for process in 1..=processes {
            addresses.push(fleet.told("address=", process).await);
        }
        Self {
            token: token.unwrap().to_owned(),
            addresses,
            turn: std::cell::Cell::new(0),
        }
    }

    fn connect(&self, head: &str, more: &str, body: &str) -> TcpStream {
        let turn = self.turn.get();
        self.turn.set(turn + 1);
        let address = &self.addresses[turn % self.addresses.len()];
        let more = format!("{more}Authorization: Bearer {}\r\n", self.token);
        send(address, head, &more, body)
    }

    /// With more headers, each ended by a line's end.
    pub(super) fn with(&self, head: &str, more: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut text = String::new();
        let mut connection = self.connect(head, more, &body);
        connection.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status,
            head: head.to_owned(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    pub(super) fn get(&self, path: &str) -> Value {
        let answer = self.with(&format!("GET {path}"), "", &Value::Null);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.body
    }

    #[track_caller]
    pub(super) fn post(&self, path: &str, body: &Value, status: u16) -> Answer {
        let answer = self.with(&format!("POST {path}"), "", body);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        answer
    }

    /// Until what is there is as it is wanted.
    pub(super) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        within(async {
            loop {
                let body = self.get(path);
                if wanted(&body) {
                    return body;
                }
                pause(100).await;
            }
        })
        .await
    }

    /// What came of an errand.
    pub(super) async fn errand(&self, asked: &Answer) -> Value {
        let path = asked.header("location").unwrap().to_owned();
        let ended = self
            .until(&path, |errand| errand["ended_at"].is_string())
            .await;
        assert_eq!(ended["state"], "done", "{ended}");
        ended["result"].clone()
    }

    /// What happens from now on, line by line.
    pub(super) fn watch(&self, more: &str) -> impl Iterator<Item = String> + use<> {
        let connection = self.connect("GET /api/events", more, "");
        let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
        let first = lines.next().unwrap();
        assert!(first.contains(" 200 "), "{first}");
        lines
    }
}
