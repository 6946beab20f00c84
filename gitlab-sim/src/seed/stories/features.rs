//! What customers shall be able to do.

use crate::IssueType;
use crate::seed::script::Act::{Close, Labels, Log, React, Reply, Say, Settle, Thread};
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
];
