//! What customers would like to have.

use crate::seed::script::Act::{Close, Describe, Labels, Log, React, Reply, Say, Thread};
use crate::seed::script::{Step, Story, UNTOLD};

pub(super) const STORIES: &[Story] = &[
    Story {
        title: "Show delivery dates instead of delivery times",
        by: "tom",
        day: 70.0,
        text: "\"2–4 working days\" → \"Thursday 12 or Friday 13\". People plan their weekend around a tent.",
        labels: &["feature", "ux"],
        assignees: &["priya", "aiko"],
        milestone: "v2.5 \"Alpine\"",
        iteration: Some(1),
        epic: "One-page checkout",
        weight: Some(3),
        estimate: "3d",
        due: Some(12),
        steps: &[
            Step(
                5.0,
                "priya",
                Say(
                    "Holidays per country are in the carrier's calendar. For CH also per canton, \
sigh: [calendar.csv]({upload:calendar.csv})",
                ),
            ),
            Step(12.0, "priya", Log("1d 6h", "calendar")),
            Step(20.0, "aiko", Log("4h", "formatting, all seven languages")),
            Step(
                40.0,
                "tom",
                Say("Can it say *until when* to order for that date?"),
            ),
            Step(
                40.3,
                "priya",
                Say("Yes, we know it anyway: \"order within 3 h 20 min\"."),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Gift wrapping",
        by: "mara",
        day: 57.7,
        text: "A checkbox, 4.90, and a card with up to 200 characters.",
        labels: &["feature", "priority::low"],
        steps: &[
            Step(
                1.0,
                "elena",
                Say("Emoji on the card? The printer in the warehouse says no: 🎁 → ▯"),
            ),
            Step(
                1.1,
                "mara",
                Say("Then we say it before they type: *plain letters only*."),
            ),
            Step(
                30.0,
                "mara",
                Say("Not this year. The warehouse has no room for paper."),
            ),
            Step(30.01, "mara", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Pay by invoice for companies",
        by: "jonas",
        day: 45.1,
        text: "Clubs and schools cannot pay by card. Needs:\n\n1. a check of the register number\n   - CH: UID\n   - \
EU: VAT id\n2. a limit per company\n3. reminders after 30, 45 and 60 days\n\nThe formula for the limit:\n\n\
```math\nL = \\min(5000, 3 \\cdot \\overline{o})\n```\n\nwith $`\\overline{o}`$ the mean of the last orders.",
        labels: &["feature", "team::payments", "priority::medium"],
        milestone: "v3.0",
        weight: Some(8),
        estimate: "2w",
        steps: &[
            Step(2.0, "samir", Thread("Who does the dunning? We should not.")),
            Step(
                2.5,
                "jonas",
                Reply(
                    0,
                    "A partner. Three offers, see shop/contracts#12 and shop/contracts!4.",
                ),
            ),
            Step(
                3.0,
                "samir",
                Reply(
                    0,
                    "I cannot read that project, could you paste the numbers?",
                ),
            ),
            Step(
                3.1,
                "jonas",
                Reply(
                    0,
                    "| partner | fee | days |\n|---|---|---|\n| A | 2.9 % | 14 |\n| B | 3.4 % | 7 \
|\n| C | $1 + 2 % | 30 |",
                ),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Translate the checkout into Romansh",
        by: "lucia",
        day: 33.3,
        text: "Bun di! I would gladly help with the translation. *Grazia fitg!*",
        labels: &["feature", "good first issue", "customer"],
        steps: &[
            Step(
                0.5,
                "tom",
                Say(
                    "What a nice offer! The texts are in one file of 412 lines: \
[texts.csv]({upload:texts-en.csv})",
                ),
            ),
            Step(
                6.0,
                "lucia",
                Say("Qua è la translaziun: [übersetzung.csv]({upload:rumantsch-grischun.csv}) 🏔️"),
            ),
            Step(6.5, "tom", React("tada")),
        ],
        ..UNTOLD
    },
    Story {
        title: "Order status without an account",
        by: "tom",
        day: 12.9,
        text: "Half of the questions to support are \"where is my parcel?\". A page that needs order number and \
e-mail only.\n\nShape of the address: `/status/FW-20431#d41d8cd98f00b204` — and **not** the plain number, see \
the discussion in #12.",
        labels: &["feature", "customer", "priority::high"],
        assignees: &["priya"],
        milestone: "v2.5 \"Alpine\"",
        iteration: Some(2),
        weight: Some(3),
        estimate: "4d",
        due: Some(3),
        steps: &[
            Step(1.0, "priya", Log("1d", "page")),
            Step(3.0, "priya", Log("6h", "")),
            Step(
                3.1,
                "priya",
                Describe(
                    "Half of the questions to support are \"where is my parcel?\". A page that \
needs order number and e-mail only.\n\nShape of the address: `/status/FW-20431#d41d8cd98f00b204` — and **not** the \
plain number, see the discussion in #12.\n\n- [x] page\n- [x] mail with the link\n- [ ] texts in seven languages\n\
- [ ] limit of tries",
                ),
            ),
            Step(
                3.2,
                "priya",
                Labels(&[
                    "feature",
                    "customer",
                    "priority::high",
                    "workflow::in progress",
                ]),
            ),
        ],
        ..UNTOLD
    },
];
