//! The requests that a try at a job sent, as they are kept for people: who was asked for what, and
//! how it went. Never what was written, nor an address that opens anything.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::{collections::VecDeque, time::Duration};

/// So many requests of one try are kept, the latest ones.
const KEPT: usize = 500;

/// One request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SentRequest {
    /// When it left, by the sender's clock.
    pub at: DateTime<Utc>,
    /// Which GitLab was asked.
    pub instance: String,
    /// `GET`.
    pub method: String,
    /// Without query, and shortened where it would tell a secret or a file's name.
    pub path: String,
    /// The status of the answer; none: there was no answer.
    pub status: Option<u16>,
    /// Until the head of the answer, or until none was waited for any more.
    pub took: Duration,
}

/// The requests of one try, in the order of their ends.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct SentRequests {
    /// Earlier ones, which are not kept any more.
    #[serde(default, skip_serializing_if = "is_none")]
    left_out: u64,
    /// Each once, because they are few and the requests many.
    instances: Vec<String>,
    sent: VecDeque<Row>,
}

/// When, the instance's place among them, method, path, status (0: none), milliseconds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Row(i64, usize, String, String, u16, u64);

fn is_none(number: &u64) -> bool {
    *number == 0
}

impl SentRequests {
    /// One more.
    pub fn push(&mut self, request: SentRequest) {
        let place = self.place(request.instance);
        let took = u64::try_from(request.took.as_millis()).unwrap_or(u64::MAX);
        self.sent.push_back(Row(
            request.at.timestamp_millis(),
            place,
            request.method,
            request.path,
            request.status.unwrap_or(0),
            took,
        ));
        if self.sent.len() > KEPT {
            self.sent.pop_front();
            self.left_out += 1;
        }
    }

    fn place(&mut self, instance: String) -> usize {
        let known = self.instances.iter().position(|known| *known == instance);
        known.unwrap_or_else(|| {
            self.instances.push(instance);
            self.instances.len() - 1
        })
    }

    /// Those that are kept.
    pub fn iter(&self) -> impl Iterator<Item = SentRequest> {
        self.sent
            .iter()
            .map(|Row(at, place, method, path, status, took)| SentRequest {
                at: DateTime::from_timestamp_millis(*at).unwrap_or_default(),
                instance: self.instances.get(*place).cloned().unwrap_or_default(),
                method: method.clone(),
                path: path.clone(),
                status: (*status != 0).then_some(*status),
                took: Duration::from_millis(*took),
            })
    }

    /// Earlier ones that are not kept any more.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, SentRequest, SentRequests};
    use chrono::DateTime;
    use std::time::Duration;

    fn request(number: i64, status: Option<u16>) -> SentRequest {
        SentRequest {
            at: DateTime::from_timestamp_millis(1_764_309_600_000 + number).unwrap(),
            instance: ["one.example", "two.example"][usize::from(number % 2 == 1)].to_owned(),
            method: "GET".to_owned(),
            path: format!("/projects/1/issues/{number}"),
            status,
            took: Duration::from_millis(35),
        }
    }

    #[test]
    fn what_is_kept_is_read_as_it_was() {
        let requests = [
            request(1, Some(200)),
            request(2, None),
            request(3, Some(404)),
        ];
        let mut kept = SentRequests::default();
        assert!(kept.is_empty());
        requests.clone().into_iter().for_each(|one| kept.push(one));
        let text = serde_json::to_string(&kept).unwrap();
        let read: SentRequests = serde_json::from_str(&text).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), requests);
        assert_eq!(read.left_out(), 0);
        assert!(text.len() < 3 * 80, "{text}");
    }

    #[test]
    fn of_too_many_the_latest_are_kept_and_the_others_counted() {
        let mut kept = SentRequests::default();
        let many = i64::try_from(KEPT).unwrap() + 3;
        (0..many).for_each(|number| kept.push(request(number, Some(200))));
        assert_eq!(kept.left_out(), 3);
        assert_eq!(kept.iter().count(), KEPT);
        assert_eq!(kept.iter().next().unwrap(), request(3, Some(200)));
        assert_eq!(kept.iter().last().unwrap(), request(many - 1, Some(200)));
    }
}
