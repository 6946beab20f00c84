//! Many clients that always want more: the limit is used, and never exceeded.

use crate::{
    crowd::{Crowd, charge, in_paused_time},
    limiter::{Headers, Limiter, Window},
};
use mirror_core::ports::{Class, Clock};
use mirror_queue::budget::Limit;
use proptest::prelude::*;
use std::{sync::Arc, time::Duration};

#[derive(Clone, Debug)]
struct World {
    window: Window,
    headers: Headers,
    configured: bool,
    requests: usize,
    period: u64,
    clients: usize,
    /// The longest way in each direction.
    way: Duration,
    /// What the server's clock shows at the start, beyond our epoch.
    server_ahead: i64,
    seed: u64,
    periods: u32,
}

#[derive(Debug)]
struct Outcome {
    /// Accepted, of what the limit allows.
    used: f64,
    refused: usize,
}

impl World {
    fn outcome(&self, crowd: &Crowd) -> Outcome {
        let (accepted, refused) = crowd.tally();
        let allowed = self.requests * self.periods as usize;
        Outcome {
            used: accepted as f64 / allowed as f64,
            refused,
        }
    }
}

/// The clients, and how long they run.
fn start(world: &World) -> (Arc<Crowd>, Duration) {
    let period = Duration::from_secs(world.period);
    let limit = Limit {
        class: Class::Api,
        requests: world.requests as u64,
        period,
    };
    let server = Limiter::new(world.window, world.headers, world.requests, period);
    let crowd = Crowd {
        way: world.way,
        server_ahead: world.server_ahead,
        ..Crowd::new(
            Box::new(server),
            world.configured.then_some(limit),
            world.seed,
        )
    };
    (Arc::new(crowd), period * world.periods)
}

fn run(world: World) -> Outcome {
    in_paused_time(async move {
        let (crowd, length) = start(&world);
        crowd.saturate(world.clients, length).await;
        world.outcome(&crowd)
    })
}

fn six_hundred_a_minute() -> World {
    World {
        window: Window::Fixed,
        headers: Headers::Never,
        configured: true,
        requests: 600,
        period: 60,
        clients: 32,
        way: Duration::from_millis(300),
        server_ahead: 17_350,
        seed: 1,
        periods: 10,
    }
}

#[test]
fn six_hundred_a_minute_are_used_and_none_refused() {
    for window in [Window::Fixed, Window::Sliding] {
        let outcome = run(World {
            window,
            ..six_hundred_a_minute()
        });
        assert_eq!(outcome.refused, 0, "{window:?}");
        assert!(outcome.used >= 0.97, "{window:?}: {outcome:?}");
    }
}

#[test]
fn a_limit_that_only_the_headers_tell_is_used_and_not_exceeded() {
    let outcome = run(World {
        headers: Headers::Always,
        configured: false,
        // The window must begin with the run for the figure to be comparable.
        server_ahead: 0,
        ..six_hundred_a_minute()
    });
    assert_eq!(outcome.refused, 0);
    assert!(outcome.used >= 0.97, "{outcome:?}");
}

#[test]
fn a_limit_that_only_refusals_tell_is_learnt_and_used() {
    for headers in [Headers::OnRefusal, Headers::Never] {
        let outcome = run(World {
            headers,
            configured: false,
            server_ahead: 0,
            periods: 60,
            ..six_hundred_a_minute()
        });
        assert!(outcome.used >= 0.93, "{headers:?}: {outcome:?}");
        let sent = outcome.used * 36_000.0;
        assert!((outcome.refused as f64) < sent / 500.0, "{outcome:?}");
    }
}

#[test]
fn a_person_does_not_wait_for_a_saturated_minute() {
    in_paused_time(async {
        let world = six_hundred_a_minute();
        let (crowd, length) = start(&world);
        let busy = Arc::clone(&crowd);
        let busy = tokio::spawn(async move { busy.saturate(world.clients, length).await });
        let mut longest = Duration::ZERO;
        for minute in 2..9 {
            // Deep in the part of each minute in which the common share is used up.
            let asks = Duration::from_secs(minute * 60 + 40);
            crowd.clock.sleep(asks - crowd.clock.monotonic()).await;
            longest = longest.max(crowd.request(&charge(true)).await);
        }
        busy.await.unwrap();
        assert!(longest <= Duration::from_secs(3), "{longest:?}");
        let outcome = six_hundred_a_minute().outcome(&crowd);
        assert_eq!(outcome.refused, 0);
        assert!(outcome.used >= 0.97, "{outcome:?}");
    });
}

prop_compose! {
    fn worlds()(
        window in prop_oneof![Just(Window::Fixed), Just(Window::Sliding)],
        headers in prop_oneof![Just(Headers::Always), Just(Headers::OnRefusal), Just(Headers::Never)],
        requests in 1_usize..400,
        period in 30_u64..150,
        clients in 1_usize..48,
        way in 0_u64..400,
        server_ahead in -7_200_000_i64..7_200_000,
        seed: u64,
    ) -> World {
        World {
            window,
            headers,
            configured: true,
            requests,
            period,
            clients,
            way: Duration::from_millis(way),
            server_ahead,
            seed,
            periods: 5,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_of_any_server_is_ever_overdrawn(world in worlds()) {
        let outcome = run(world);
        prop_assert_eq!(outcome.refused, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_known_limit_is_used_by_those_who_can(world in worlds()) {
        let world = World {
            headers: Headers::Never,
            clients: 48,
            periods: 10,
            ..world
        };
        let outcome = run(world);
        prop_assert!(outcome.used >= 0.97, "{:?}", outcome);
    }
}
