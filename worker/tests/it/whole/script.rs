//! What is to happen in a run: a list that a seed makes, and of which any part makes a run too.

use super::{dice::Dice, manner::Manner, network::Wrong};
use gitlab_sim::Fault;
use std::{fmt, time::Duration};

/// Something that happens once so many beats have passed.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Happening {
    pub(super) at: u64,
    pub(super) what: What,
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum What {
    /// The worker that acts dies, and comes back later.
    Crash,
    /// The scheduler dies, and comes back at once.
    SchedulerCrash,
    /// Somebody of the source does something; which, this number tells.
    Source(u64),
    /// Somebody of the target does.
    Target(u64),
    /// The next write (or read) goes wrong.
    Spoiled { writes: bool, wrong: Wrong },
    /// A worker stands still for so many seconds, just before its next write.
    Pause { worker: usize, seconds: u64 },
    /// The machine's clock is set, by so many seconds.
    Jump(i64),
    /// The clock of the source's (or the target's) GitLab is set.
    GitLabsJump { source: bool, seconds: i64 },
    /// The next ticket is delivered twice.
    Doubled,
    /// The next ticket is lost.
    Lost,
    /// The next request is not let go for so many seconds.
    Throttled(u64),
    /// For so many seconds the issues of one side cannot be read: lists are empty.
    Blind { source: bool, seconds: u64 },
}

/// A seed, and what is left of what it makes happen.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Script {
    pub(super) seed: u64,
    /// Numbers in the whole list, ascending.
    pub(super) kept: Vec<usize>,
}

impl Script {
    pub(super) fn whole(seed: u64) -> Self {
        let kept = (0..happenings(seed).len()).collect();
        Self { seed, kept }
    }

    pub(super) fn happenings(&self) -> Vec<Happening> {
        let all = happenings(self.seed);
        let kept = self.kept.iter().filter_map(|number| all.get(*number));
        kept.cloned().collect()
    }

    /// As [`fmt::Display`] writes it: `17` or `17:3,5-9`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let Some((seed, kept)) = text.trim().split_once(':') else {
            return Some(Self::whole(text.trim().parse().ok()?));
        };
        let mut numbers = Vec::new();
        for part in kept.split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            numbers.extend(first.parse::<usize>().ok()?..=last.parse::<usize>().ok()?);
        }
        Some(Self {
            seed: seed.parse().ok()?,
            kept: numbers,
        })
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        if *self == Self::whole(self.seed) {
            return Ok(());
        }
        let mut mark = ':';
        let mut numbers = self.kept.iter().copied().peekable();
        if self.kept.is_empty() {
            write!(f, "{mark}")?;
        }
        while let Some(first) = numbers.next() {
            let mut last = first;
            while let Some(next) = numbers.next_if_eq(&(last + 1)) {
                last = next;
            }
            write!(f, "{mark}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            mark = ',';
        }
        Ok(())
    }
}

impl Script {
    /// What the run is about beside.
    pub(super) fn manner(&self) -> Manner {
        Manner::of(self.seed)
    }

    /// Whether creates may land later than is waited for: then there may be two for a while.
    pub(super) fn lands_very_late(&self) -> bool {
        lands_very_late(self.seed)
    }
}

fn lands_very_late(seed: u64) -> bool {
    seed.is_multiple_of(4)
}

fn happenings(seed: u64) -> Vec<Happening> {
    let mut dice = Dice::new(seed, 1);
    let length = 60 + dice.below(100);
    let mut at = 0;
    (0..length)
        .map(|_| {
            at += match dice.below(4) {
                0 => dice.below(8),
                1 => dice.below(60),
                _ => dice.below(220),
            };
            let what = something(&mut dice, lands_very_late(seed));
            Happening { at, what }
        })
        .collect()
}

fn something(dice: &mut Dice, very_late: bool) -> What {
    match dice.below(100) {
        0..=49 => What::Crash,
        50 => What::SchedulerCrash,
        51..=64 => What::Source(dice.next()),
        65..=70 => What::Target(dice.next()),
        71..=82 => What::Spoiled {
            writes: true,
            wrong: wrong(dice, true, very_late),
        },
        83..=87 => What::Spoiled {
            writes: false,
            wrong: wrong(dice, false, false),
        },
        88..=91 => What::Pause {
            worker: usize::try_from(dice.below(2)).unwrap(),
            seconds: 1 + dice.below(200),
        },
        92 => What::Jump(jump(dice)),
        93 => What::GitLabsJump {
            source: dice.chance(50),
            seconds: jump(dice),
        },
        94 | 95 => What::Doubled,
        96 => What::Lost,
        97 => What::Blind {
            source: dice.chance(50),
            seconds: 1 + dice.below(400),
        },
        _ => What::Throttled(1 + dice.below(100)),
    }
}

fn jump(dice: &mut Dice) -> i64 {
    i64::try_from(dice.below(180)).unwrap() - 90
}

/// What lands late lands within a minute, unless it may land very late: then creates alone do,
/// since logged time has no marker by which a second landing could be told from somebody's own.
fn wrong(dice: &mut Dice, writes: bool, very_late: bool) -> Wrong {
    if very_late && dice.chance(30) {
        return Wrong::VeryLate(Duration::from_secs(60 + dice.below(60)));
    }
    let after = Duration::from_secs(1 + dice.below(54));
    let refusal = Fault::TooManyRequests {
        headers: dice.chance(50),
        retry_after: dice.chance(50).then_some(1 + dice.below(50)),
        application: dice.chance(30),
    };
    match dice.below(if writes { 14 } else { 8 }) {
        0 => Wrong::Struck(Fault::LoseResponse),
        1 => Wrong::Struck(Fault::Reset),
        2 => Wrong::Struck(Fault::ErrorBefore(
            *dice.pick(&[500, 502, 503, 504]).unwrap(),
        )),
        3 => Wrong::Struck(Fault::Truncate(usize::try_from(dice.below(60)).unwrap())),
        4 => Wrong::Struck(refusal),
        5 => Wrong::Silence {
            effect: dice.chance(50),
        },
        6 => Wrong::LateAnswer(1 + dice.below(70)),
        7 => Wrong::LateArrival(after.as_secs()),
        8 | 9 => Wrong::Struck(Fault::ErrorAfter(500)),
        10 => Wrong::Struck(Fault::ErrorAfter(502)),
        11 => Wrong::Struck(Fault::ResourceLock),
        12 => Wrong::Struck(Fault::Land { after }),
        _ => Wrong::Struck(Fault::LandBehindProxy { after }),
    }
}

#[test]
fn what_is_left_of_a_script_is_written_so_that_it_can_be_read() {
    let mut script = Script::whole(17);
    assert_eq!(script.to_string(), "17");
    for kept in [vec![], vec![3], vec![0, 1, 2, 7, 9, 10]] {
        script.kept = kept;
        assert_eq!(Script::read(&script.to_string()).unwrap(), script);
    }
    assert_eq!(script.to_string(), "17:0-2,7,9-10");
    assert_eq!(Script::read("17").unwrap(), Script::whole(17));
    assert_eq!(Script::read("x"), None);
}
