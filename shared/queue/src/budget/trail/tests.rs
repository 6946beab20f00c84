//! How the limit is used, and left to others.

use super::*;
use mirror_core::ports::Class;

const LIMIT: Limit = Limit {
    class: Class::Api,
    requests: 20,
    period: Duration::from_secs(60),
};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Sends as many as there is room for, answered at once.
fn send_all(trail: &mut Trail, now: Duration, by_hand: bool) -> u64 {
    let mut sent = 0;
    while trail.room(now, &LIMIT, by_hand) == Room::Free {
        trail.admit(now, Some(&LIMIT), by_hand, Owner::ME);
        trail.answered_now(now, LIMIT.period, by_hand, Owner::ME);
        sent += 1;
    }
    sent
}

#[test]
fn a_place_is_free_one_period_after_the_answer_not_after_the_question() {
    let mut trail = Trail::default();
    for _ in 0..20 {
        assert_eq!(trail.room(seconds(0), &LIMIT, true), Room::Free);
        trail.admit(seconds(0), Some(&LIMIT), true, Owner::ME);
    }
    assert_eq!(trail.room(seconds(30), &LIMIT, true), Room::AfterAnswer);
    trail.answered_now(seconds(30), LIMIT.period, true, Owner::ME);
    assert!(matches!(trail.room(seconds(61), &LIMIT, true), Room::In(_)));
    assert_eq!(trail.room(seconds(91), &LIMIT, true), Room::Free);
}

#[test]
fn a_person_finds_the_reserve_when_the_rest_is_used_up() {
    let mut trail = Trail::default();
    assert_eq!(send_all(&mut trail, seconds(0), false), 18 + 1);
    assert_eq!(trail.room(seconds(0), &LIMIT, true), Room::Free);
    assert_eq!(send_all(&mut trail, seconds(0), true), 1);
}

#[test]
fn the_reserve_does_not_lie_idle_when_nobody_asks_for_it() {
    let mut trail = Trail::default();
    let mut sent = 0;
    for second in 0..60 {
        sent += send_all(&mut trail, seconds(second), false);
    }
    assert_eq!(sent, 20);
}

#[test]
fn a_waiting_person_goes_before_the_trickle() {
    let mut trail = Trail::default();
    send_all(&mut trail, seconds(0), false);
    send_all(&mut trail, seconds(0), true);
    let Room::In(wait) = trail.room(seconds(50), &LIMIT, true) else {
        panic!("all is used");
    };
    let freed = seconds(50) + wait;
    let other = Trail::trickle_room(&trail, freed, &LIMIT);
    assert!(matches!(other, Room::In(_)), "{other:?}");
    assert_eq!(trail.room(freed, &LIMIT, true), Room::Free);
}

#[test]
fn a_request_whose_end_was_never_told_does_not_hold_its_place_for_ever() {
    let mut trail = Trail::default();
    for _ in 0..20 {
        trail.admit(seconds(0), Some(&LIMIT), true, Owner::ME);
    }
    trail.settle(LOST, LIMIT.period);
    assert_eq!(trail.on_their_way(), 0);
    assert_eq!(send_all(&mut trail, LOST + seconds(61), true), 20);
}

#[test]
fn a_tiny_limit_has_no_reserve_and_is_used_whole() {
    let tiny = Limit {
        requests: 1,
        ..LIMIT
    };
    let mut trail = Trail::default();
    assert_eq!(trail.room(seconds(0), &tiny, false), Room::Free);
    trail.admit(seconds(0), Some(&tiny), false, Owner::ME);
    assert_eq!(trail.room(seconds(0), &tiny, false), Room::AfterAnswer);
}

#[test]
fn many_answers_take_little_room_and_are_forgotten_late_not_early() {
    let mut trail = Trail::default();
    let limit = Limit {
        requests: 1_000_000,
        ..LIMIT
    };
    for millis in 0..30_000 {
        let now = Duration::from_millis(millis);
        trail.admit(now, Some(&limit), true, Owner::ME);
        trail.answered_now(now, LIMIT.period, true, Owner::ME);
    }
    assert_eq!(trail.counted(), 30_000);
    let slots = trail.common.answered.len() + trail.reserve.answered.len();
    assert!(slots < 1500, "{slots}");
    for millis in (60_100..90_000).step_by(1000) {
        trail.settle(Duration::from_millis(millis), LIMIT.period);
        // Of the answers at 0, 1, 2 … ms these are a period old; the care is 22 ms, and 0 is one of them.
        let old = millis - 60_000 - 22 + 1;
        let kept = trail.counted();
        assert!(kept >= 30_000 - old && kept <= 30_000 - old + 122, "{kept}");
    }
}

#[test]
fn a_dead_owners_requests_hold_their_places_one_more_period() {
    let (mut trail, dead) = (Trail::default(), Owner(7));
    for owner in [dead, Owner::ME, dead] {
        trail.admit(seconds(0), Some(&LIMIT), true, owner);
    }
    trail.bury(seconds(30), LIMIT.period, dead);
    assert_eq!((trail.on_their_way(), trail.counted()), (1, 3));
    // An answer that comes after all is not taken for another's.
    trail.answered_now(seconds(31), LIMIT.period, true, dead);
    assert_eq!((trail.on_their_way(), trail.counted()), (1, 3));
    trail.settle(seconds(91), LIMIT.period);
    assert_eq!(trail.counted(), 1);
}
