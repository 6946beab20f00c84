//! What customers shall be able to do.

use crate::IssueType;
use crate::seed::script::Act::{Close, Describe, Labels, Log, React, Reply, Say, Settle, Thread};
use crate::seed::script::{Step, Story, UNTOLD};

pub(super) const STORIES: &[Story] = &[
    Story {
        title: "One-page checkout",
        by: "mara",
        day: 144.0,
        text: "Five pages are four too many. Every page loses about a tenth of the people.\n\n\
![Where people leave]({upload:funnel.svg})\n\n## What it is\n\nAddress, delivery, payment and summary on **one** \
page, each folding up when it is done.\n\n```mermaid\ngraph LR\n  Cart --> Address --> Delivery --> Payment --> Done\n\
```\n\n## Steps\n\n- [x] sketch (#4)\n- [x] address form\n- [ ] delivery\n- [ ] payment, with wallets\n- [ ] switch \
it on for 5 %, 25 %, everybody\n\n## Not part of it\n\n* guest accounts\n* the app\n\nMilestones: v2.5 \
behind a switch, %v3.0 for everybody. Questions to @elena (design) and @aiko (code).",
        labels: &["feature", "priority::high", "team::web"],
        assignees: &["aiko", "elena"],
        milestone: "v3.0",
        epic: "One-page checkout",
        weight: Some(13),
        estimate: "1mo",
        due: Some(60),
        steps: &[
            Step(
                1.0,
                "jonas",
                Say(
                    "What about people who come back to change the address after choosing the \
delivery? Some deliveries are not possible everywhere.",
                ),
            ),
            Step(
                1.2,
                "mara",
                Say("Then delivery opens again and says why. Never silently."),
            ),
            Step(3.0, "elena", React("heart")),
            Step(20.0, "aiko", Log("1w 2d", "address form")),
            Step(52.0, "aiko", Log("3d 4h", "delivery, first half")),
            Step(
                90.0,
                "aiko",
                Say(
                    "Delivery is half done. The folding needs the new animation, see the thread \
in #11.",
                ),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Sketches for the one-page checkout",
        by: "elena",
        day: 140.5,
        text: "Three sketches; please look at them on your **phone**.\n\n| A | B | C |\n|---|---|---|\n\
| ![A]({upload:sketch-a.png}) | ![B]({upload:sketch-b.png}) | ![C]({upload:sketch-c.png}) |\n\n\
My favourite is B.",
        labels: &["ux", "feature"],
        assignees: &["elena"],
        milestone: "v2.4",
        epic: "One-page checkout",
        weight: Some(5),
        steps: &[
            Step(0.3, "mara", Thread("B, without a doubt.")),
            Step(
                0.5,
                "tom",
                Reply(
                    0,
                    "Our testers were fastest with C, though: 41 s against 48 s.",
                ),
            ),
            Step(0.8, "elena", Reply(0, "C with B's summary?")),
            Step(0.9, "mara", Reply(0, "Yes!")),
            Step(
                1.5,
                "elena",
                Say(
                    "Here it is: <img src=\"{upload:sketch-final.png}\" alt=\"the final sketch\" \
width=\"400\">",
                ),
            ),
            Step(2.0, "mara", Settle(0)),
            Step(2.1, "mara", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Apple Pay and Google Pay",
        by: "mara",
        day: 127.9,
        text: "One button per wallet, above the form. What a wallet tells us we do not ask again.\n\n- [x] contracts\n\
- [x] Apple Pay\n- [x] Google Pay\n- [x] refunds\n\n<details>\n<summary>Domains to register</summary>\n\n\
* checkout.fernweg.example\n* pay.fernweg.example\n\n</details>",
        labels: &["feature", "team::payments"],
        assignees: &["samir"],
        milestone: "v2.4",
        iteration: Some(0),
        epic: "Wallet payments: Apple & Google",
        weight: Some(8),
        estimate: "3w",
        steps: &[
            Step(14.0, "samir", Log("1w 3d", "Apple Pay")),
            Step(29.0, "samir", Log("1w", "Google Pay")),
            Step(
                30.0,
                "priya",
                Say(
                    "Refund to a wallet that was removed meanwhile: goes to the card behind it. \
Tested with both.",
                ),
            ),
            Step(31.0, "mara", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Folding sections need an animation that respects reduced motion",
        by: "elena",
        day: 110.3,
        text: "```css\n@media (prefers-reduced-motion: reduce) {\n  .section { transition: none }\n}\n```\n\n\
Otherwise 180 ms, ease-out. The [reference][motion] explains why.\n\n\
[motion]: https://example.org/motion \"Motion for everybody\"",
        labels: &["ux", "accessibility"],
        assignees: &["aiko"],
        milestone: "v2.5 \"Alpine\"",
        epic: "One-page checkout",
        weight: Some(2),
        kind: IssueType::Task,
        steps: &[
            Step(
                3.0,
                "aiko",
                Thread("180 ms feels slow on the third section. 120?"),
            ),
            Step(
                3.2,
                "elena",
                Reply(
                    0,
                    "120 for the second and third, 180 for the first. It is the one that \
explains itself.",
                ),
            ),
            Step(4.0, "aiko", Log("5h", "")),
            Step(4.1, "aiko", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Remember the delivery address of returning customers",
        by: "tom",
        day: 92.2,
        text: "Most asked for in the support inbox:\n\n> I have been a customer for six years and you ask me for my \
street every time.\n\nOnly with consent, and to be forgotten with one click.",
        labels: &["feature", "customer", "priority::medium"],
        milestone: "v3.0",
        weight: Some(5),
        steps: &[
            Step(
                0.4,
                "jonas",
                Say(
                    "Privacy: consent must be a choice of its own, not part of the terms. I wrote \
down what we need: [notes]({path-upload:consent-notes.txt})",
                ),
            ),
            Step(2.0, "tom", React("thumbsup")),
            Step(
                8.0,
                "mara",
                Labels(&["feature", "customer", "priority::medium", "workflow::ready"]),
            ),
        ],
        ..UNTOLD
    },
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
