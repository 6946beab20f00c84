//! A pair inside of a ring: A⇄B are a pair, and B→C and C→A close the ring (law 3).

use super::{Pair, weighing};
use crate::support::{copies, issue, note};
use gitlab_sim::{IssueEdit, IssueState, Sim, UserId, UserSpec, seed, seed::SeededProject};
use mirror_core::{
    ids::MirrorId,
    job::{Job, Priority},
};
use mirror_store::{MirrorEnd, NewMirror, Owe};
use mirror_worker::{End, Link, Settings};

struct Ring {
    pair: Pair,
    third: Sim,
    c: SeededProject,
    carol: UserId,
    mirrors: [MirrorId; 4],
}

impl Ring {
    async fn new() -> Self {
        let pair = Pair::new().await;
        let there = &pair.there;
        let third = Sim::builder()
            .clock(there.clock.source.clone())
            .external_url("https://gitlab.c")
            .ids_from(900_000)
            .build();
        let c = seed::empty_target(&third, "far/away");
        let carol = third.add_user(UserSpec::new("carol", "Carol"));
        let b = (&there.target, &pair.back.from);
        let a = (&there.source, &pair.back.to);
        let onwards = pair.join(b, (&third, &c)).await;
        let home = pair.join((&third, &c), a).await;
        Self {
            mirrors: [there.mirror, pair.reverse, onwards, home],
            third,
            c,
            carol,
            pair,
        }
    }

    /// All four are scanned and worked on until nothing is due.
    async fn run(&self) {
        let there = &self.pair.there;
        for mirror in self.mirrors {
            let scan = Owe::changed(Job::ScanMirror { mirror }, Priority::ByHand);
            there.cx.store.owe(&[scan]).await.unwrap();
        }
        for _ in 0..500 {
            let mut busy = false;
            for mirror in self.mirrors {
                busy |= there.round_of(mirror, 1).await;
            }
            if !busy {
                return;
            }
        }
        panic!("still at work: {:#?}", there.failures());
    }

    async fn later_run(&self) {
        self.pair.there.later(600);
        self.run().await;
    }

    /// What a run writes in all three.
    async fn writes_of_next_run(&self) -> Vec<String> {
        self.pair.there.later(600);
        let sims = [
            &self.pair.there.source,
            &self.pair.there.target,
            &self.third,
        ];
        for sim in sims {
            sim.clear_requests();
        }
        self.run().await;
        let requests = sims.into_iter().flat_map(Sim::requests);
        let writes = requests.filter(|request| request.method != "GET");
        writes
            .map(|request| format!("{} {}", request.method, request.path))
            .collect()
    }

    /// Edits have stopped: two rounds, and no write after them.
    async fn is_quiet(&self) {
        for _ in 0..2 {
            self.later_run().await;
        }
        for _ in 0..2 {
            assert_eq!(self.writes_of_next_run().await, Vec::<String>::new());
        }
        assert_eq!(self.pair.there.failures(), Vec::<String>::new());
    }

    fn projects(&self) -> [(&Sim, u64); 3] {
        let there = &self.pair.there;
        [
            (&there.source, there.from.project),
            (&there.target, there.to.project),
            (&self.third, self.c.project),
        ]
    }

    /// The titles in A, B and C, in alphabetical order.
    fn titles(&self) -> [Vec<String>; 3] {
        self.projects().map(|(sim, project)| {
            let mut titles: Vec<String> = sim.world(|world| {
                let issues = world.issues(project);
                issues.map(|issue| issue.title.clone()).collect()
            });
            titles.sort();
            titles
        })
    }
}

impl Pair {
    /// Another mirror on the same record.
    async fn join(&self, from: (&Sim, &SeededProject), to: (&Sim, &SeededProject)) -> MirrorId {
        let there = &self.there;
        let source = there.end(from.0, from.1).await;
        let target = there.end(to.0, to.1).await;
        let end = |end: &End| MirrorEnd {
            instance: end.instance,
            project: end.project.id,
            path: end.project.path.clone(),
        };
        let new = NewMirror {
            source: end(&source),
            target: end(&target),
        };
        let mirror = there.cx.store.ensure_mirror(&new).await.unwrap().id;
        there.cx.links.insert(Link {
            mirror,
            source,
            target,
            settings: Settings::default(),
        });
        mirror
    }
}

#[tokio::test]
async fn a_pair_inside_a_ring_comes_to_rest_and_copies_no_copy() {
    let ring = Ring::new().await;
    let there = &ring.pair.there;
    let of_a = there.write(issue(there.alice, "Of A"));
    there.say(of_a, note(there.alice, "Said in A."));
    let of_b = ring.pair.back.write(issue(there.tom, "Of B"));
    let spec = issue(ring.carol, "Of C");
    let written = |world: &mut gitlab_sim::World| world.create_issue(ring.c.project, spec);
    ring.third.edit(written).unwrap();
    ring.run().await;
    ring.is_quiet().await;
    let first_hand = [
        vec!["Of A".to_owned(), "Of B".to_owned(), "Of C".to_owned()],
        vec!["Of A".to_owned(), "Of B".to_owned()],
        vec!["Of B".to_owned(), "Of C".to_owned()],
    ];
    assert_eq!(ring.titles(), first_hand);

    // What the people of copies do flows back within the pair, and on from there around the ring.
    let in_b = there.copy(of_a).issue.iid;
    there.edit_target(in_b, weighing(3));
    ring.pair.log_there(in_b, 60);
    there.say_on_target(in_b, note(there.tom, "Said in B."));
    // A's copies of B and of C may claim the same number.
    let in_a = there.source.world(|world| {
        let mut issues = world.issues(there.from.project);
        issues.find(|issue| issue.title == "Of B").unwrap().iid
    });
    let closed = IssueEdit {
        state: Some(IssueState::Closed),
        ..IssueEdit::default()
    };
    there.edit(in_a, closed);
    ring.pair.log_here(in_a, 90);
    ring.is_quiet().await;
    assert_eq!(ring.titles(), first_hand);
    let (here, copy) = (there.source_issue(of_a), there.target_issue(in_b));
    assert_eq!((here.weight, copy.weight), (Some(3), Some(3)));
    assert_eq!(ring.pair.spent(of_a, in_b), (60, 60));
    let said = |notes: &[gitlab_sim::Note]| notes.iter().filter(|note| !note.system).count();
    assert_eq!((said(&here.notes), said(&copy.notes)), (2, 2));
    let in_c = copies(&ring.third, ring.c.project);
    let in_c: Vec<_> = in_c.iter().filter(|copy| copy.of == of_b).collect();
    assert_eq!(in_c.len(), 1);
    assert_eq!(in_c[0].issue.state, IssueState::Closed);
    assert_eq!(in_c[0].issue.time_spent(), 90);
    let original = ring.pair.back.source_issue(of_b);
    assert_eq!(
        (original.state, original.time_spent()),
        (IssueState::Closed, 90)
    );
}
