//! A book that many processes share can be lost, or go back to what it said a while ago. Then those
//! who still know what it said write it down again.
//!
//! Every process keeps the last book it has read. Whoever finds none begins a new one and keeps it
//! shut for a moment ([`SETTLING`]), longer than it takes all others to look. Each that finds a book
//! which is not the continuation of its own takes what it alone remembers over into it
//! ([`Book::recall`]). A time is noted up to which the lost book is known, so that what several
//! remember is counted once. What is counted twice all the same slows us down for a period; nothing
//! is forgotten as long as one process lives that read it.
//!
//! The book has a clock of its own: the server's, made to never go back. Where the server's is set
//! back, or another server with a slower clock takes over, the book's stands still for a moment.

use super::{
    book::Book,
    written::{self, Owner},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// How long a new book stays shut: a few times as long as [`LOOK`], as a process may be slow.
pub(super) const SETTLING: Duration = Duration::from_secs(3);

/// How often a process looks at the book of an instance that it has used of late.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// So many lost books are told apart; those before them are long over.
const GENERATIONS: usize = 8;

/// Which of an instance's books this is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Lineage {
    /// A random number.
    generation: u64,
    /// The book's time when it was last written.
    #[serde(with = "written::millis")]
    now: Duration,
    /// What the server's clock showed then, since the epoch.
    #[serde(with = "written::millis")]
    server: Duration,
    /// Shut before.
    #[serde(with = "written::millis")]
    opens: Duration,
    /// Earlier generations, and up to when all they said has been taken over.
    earlier: BTreeMap<u64, u64>,
}

impl Lineage {
    fn beginning(generation: u64, server: Duration) -> Self {
        Self {
            generation,
            now: server,
            server,
            opens: server.saturating_add(SETTLING),
            earlier: BTreeMap::new(),
        }
    }

    /// Nobody is let through before this time.
    pub(super) fn opens(&self) -> Duration {
        self.opens
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// What the server's clock will show at a time of the book.
    pub(super) fn server_time(&self, time: Duration) -> Duration {
        self.server.saturating_add(time.saturating_sub(self.now))
    }

    fn known_until(&self, generation: u64) -> Duration {
        let until = self.earlier.get(&generation).copied();
        Duration::from_millis(until.unwrap_or(0))
    }

    fn knows(&mut self, generation: u64, until: Duration) {
        let until = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        let known = self.earlier.entry(generation).or_insert(0);
        *known = until.max(*known);
        while self.earlier.len() > GENERATIONS {
            let oldest = self.earlier.iter().min_by_key(|(_, until)| **until);
            let Some((oldest, _)) = oldest.map(|(generation, until)| (*generation, *until)) else {
                return;
            };
            self.earlier.remove(&oldest);
        }
    }
}

impl Book {
    /// A new one, of which nothing is known.
    pub(super) fn beginning(generation: u64, server: Duration) -> Self {
        let mut book = Self::default();
        book.lineage = Lineage::beginning(generation, server);
        book
    }

    /// The book's time when it was advanced last.
    pub(super) fn now(&self) -> Duration {
        self.lineage.now
    }

    /// The server's clock shows this; returns the book's time.
    pub(super) fn advance(&mut self, server: Duration) -> Duration {
        let lineage = &mut self.lineage;
        let passed = server.saturating_sub(lineage.server);
        lineage.now = lineage.now.saturating_add(passed);
        lineage.server = server;
        lineage.now
    }

    /// It has gone back to what it said when the owner knew this much less: a new generation.
    pub(super) fn went_back(&mut self, generation: u64, owner: Owner) {
        let lineage = &mut self.lineage;
        let before = lineage.generation;
        lineage.generation = generation;
        lineage.opens = lineage.now.saturating_add(SETTLING);
        let known = self.owners.get(&owner).map(|sign| sign.seen);
        lineage.knows(before, known.unwrap_or_default());
        for sign in self.owners.values_mut() {
            // None of them has come to this generation yet.
            sign.round = 0;
        }
    }

    /// Takes over what the owner remembers of a lost book.
    pub(super) fn recall(&mut self, lost: &Self, owner: Owner) {
        let now = self.lineage.now;
        let generation = lost.lineage.generation;
        let recall = Recall {
            after: self.lineage.known_until(generation),
            now,
            owner,
            came: self
                .owners
                .iter()
                .filter(|(_, sign)| sign.round > 0)
                .map(|(owner, _)| *owner)
                .collect(),
        };
        self.circuit.recall(&lost.circuit, &recall);
        self.skew.recall(&lost.skew);
        for (user, buckets) in &lost.accounts {
            for theirs in buckets.values() {
                self.bucket_of(user, theirs.class).recall(theirs, &recall);
            }
        }
        for (owner, sign) in &lost.owners {
            let sign = sign.of_one_yet_to_come(now);
            self.owners.entry(*owner).or_insert(sign);
        }
        self.lineage.knows(generation, lost.lineage.now);
        for (generation, until) in &lost.lineage.earlier {
            self.lineage
                .knows(*generation, Duration::from_millis(*until));
        }
    }
}

/// What is to be taken over from a lost book.
#[derive(Debug)]
pub(super) struct Recall {
    /// What happened later.
    pub(super) after: Duration,
    /// Nothing happened later than that.
    pub(super) now: Duration,
    /// Who remembers; of its own requests it knows best.
    pub(super) owner: Owner,
    /// Those who have told of their own requests.
    came: Vec<Owner>,
}

impl Recall {
    /// Whether a request on its way is to be taken over.
    pub(super) fn takes(&self, owner: Owner, since: Duration) -> bool {
        owner == self.owner || (since > self.after && !self.came.contains(&owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let book = Book::beginning(7, Duration::from_secs(1));
        let text = serde_json::to_string(&book).unwrap();
        println!("{text}");
        let read: Book = serde_json::from_str(&text).unwrap();
        assert_eq!(read.lineage.generation(), 7);
    }
}
