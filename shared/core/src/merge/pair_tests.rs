//! The laws of what flows back.

use super::{
    tests::{desired, in_line, obey, observed},
    *,
};
use proptest::prelude::*;

const PAIR: Ways = Ways {
    on_edit: EditPolicy::Overwrite,
    flows_back: true,
};

proptest! {
    #[test]
    fn in_a_pair_a_field_moves_only_if_exactly_one_side_left_the_base(
        then in observed(), source in observed(), target in observed(),
    ) {
        let base = in_line(&then);
        let back = flows_back(Some(&base), &source, &target);
        let merge = Merge::issue(
            PAIR, Some(&base), &Decisions::new(), (&desired(&source), &target),
        );
        for field in [Field::State, Field::Weight, Field::Estimate] {
            let [was, here, there] = [&then, &source, &target].map(|issue| field.value(issue));
            let to = field.value(&field::as_shown(&merge.desired, true));
            prop_assert_eq!(back.contains(&field), here == was && there != was);
            // What flows back is left; in everything else the original holds.
            prop_assert_eq!(&to, if back.contains(&field) { &there } else { &here });
            let both = here != was && there != was && here != there;
            prop_assert_eq!(merge.lost.contains(&field), both);
        }
        prop_assert_eq!(&merge.desired.title, &source.title);
        prop_assert!(merge.edits.is_empty());
    }

    #[test]
    fn a_pair_agrees_after_one_round_and_moves_no_more(
        then in observed(), mut source in observed(), mut target in observed(),
    ) {
        let mut base = in_line(&then);
        for round in 0..2 {
            let (before, there) = (source.clone(), target.clone());
            let flows = flows_back(Some(&base), &source, &target);
            source = field::as_shown(&going_back(
                &desired(&target), &source, &target, &flows, source.spent,
            ), true);
            source.labels.clone_from(&before.labels);
            let wanted = desired(&source);
            let merge = Merge::issue(PAIR, Some(&base), &Decisions::new(), (&wanted, &target));
            target = obey(&merge, &target, &then.labels);
            base = merge.base.clone();
            base.settle(Some(&merge), &wanted, &target);
            for field in [Field::State, Field::Weight, Field::Estimate] {
                prop_assert_eq!(field.value(&source), field.value(&target));
            }
            if round == 1 {
                prop_assert_eq!(&source, &before);
                prop_assert_eq!(&target, &there);
            }
        }
    }

    #[test]
    fn what_was_sent_back_and_arrived_unheard_of_is_no_change_of_the_source(
        then in observed(), target in observed(), later in observed(),
    ) {
        let mut base = in_line(&then);
        let flows = flows_back(Some(&base), &then, &target);
        base.about_to_send_back(&flows, &target);
        let source = field::as_shown(
            &going_back(&desired(&target), &then, &target, &flows, 0), true,
        );
        // Its answer was lost; then the copy was changed once more.
        let again = flows_back(Some(&base), &source, &later);
        for field in flows {
            let moved = field.value(&later) != field.value(&source);
            prop_assert_eq!(again.contains(&field), moved);
        }
    }

    #[test]
    fn logged_time_is_conserved(
        logs in proptest::collection::vec((any::<bool>(), -50i64..100, any::<bool>()), 0..12),
    ) {
        let (mut here, mut there) = (0i64, 0i64);
        let (mut out, mut back) = (0i64, 0i64);
        let mut logged = 0i64;
        let carry = |here: &mut i64, there: &mut i64, out: &mut i64, back: &mut i64| {
            let step = own_time(*there, *out) - *back;
            *back += step;
            *here += step;
            let step = own_time(*here, *back) - *out;
            *out += step;
            *there += step;
        };
        for (at_source, seconds, synced) in logs {
            let total = if at_source { &mut here } else { &mut there };
            // Nobody can take off more than there is.
            let seconds = seconds.max(-*total);
            *total += seconds;
            logged += seconds;
            if synced {
                carry(&mut here, &mut there, &mut out, &mut back);
                prop_assert_eq!(here, logged);
            }
        }
        carry(&mut here, &mut there, &mut out, &mut back);
        prop_assert_eq!((here, there), (logged, logged));
        let before = (here, there, out, back);
        carry(&mut here, &mut there, &mut out, &mut back);
        prop_assert_eq!((here, there, out, back), before);
    }
}
