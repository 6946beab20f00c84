//! Questions, ideas, things said in passing.

use crate::seed::script::Act::{Close, Internal, React, Rephrase, Reply, Say, Settle, Thread};
use crate::seed::script::{Step, Story, UNTOLD};

pub(super) const STORIES: &[Story] = &[
    Story {
        title: "Which currencies do we show?",
        by: "tom",
        day: 134.8,
        text: "A customer from Norway asks for NOK. We have CHF, EUR, GBP, SEK.",
        labels: &["Q&A?", "customer"],
        steps: &[
            Step(
                0.5,
                "mara",
                Say("NOK when Norway makes 2 % of the orders. Now it is 1.4 %."),
            ),
            Step(0.6, "tom", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Order numbers can be guessed",
        by: "jonas",
        day: 104.0,
        text: "`FW-20431`, `FW-20432`, … Nothing secret hangs on them today. **If** we ever show something by order \
number alone, this becomes a hole.",
        labels: &["security", "Q&A?"],
        steps: &[
            Step(
                0.7,
                "kofi",
                Thread("Random numbers then? Support will hate to spell them."),
            ),
            Step(
                0.9,
                "tom",
                Reply(
                    0,
                    "We would. Eleven letters on the phone in the Engadin, in the rain …",
                ),
            ),
            Step(
                1.0,
                "jonas",
                Reply(
                    0,
                    "Keep the number, add a secret part in the *address* only: \
`/status/FW-20431#d41d8cd98f00b204`.",
                ),
            ),
            Step(1.4, "tom", Reply(0, "Perfect, nobody spells that.")),
            Step(1.5, "jonas", Settle(0)),
            Step(1.6, "jonas", React("lock")),
        ],
        ..UNTOLD
    },
    Story {
        title: "Retro of sprint 40",
        by: "mara",
        day: 88.0,
        text: "**Went well**\n\n* wallets were ready three days early\n* nobody worked on a weekend\n\n**Went less \
well**\n\n* two incidents with the same cause\n* reviews take 2 days\n\n**We try**\n\n- [x] reviews before lunch\n- [x] \
one person on duty who does *nothing else*\n- [ ] cake 🍰",
        labels: &[],
        assignees: &["mara", "jonas", "aiko", "samir", "priya", "kofi"],
        iteration: Some(0),
        steps: &[
            Step(0.1, "aiko", Say("I volunteer for the cake.")),
            Step(0.2, "samir", React("cake")),
            Step(
                0.3,
                "kofi",
                Say(
                    "> one person on duty who does *nothing else*\n\nstarting with me, from Monday.",
                ),
            ),
            Step(14.0, "mara", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "How do you write prices?",
        by: "elena",
        day: 66.1,
        text: "We have `59.–`, `59.00`, `CHF 59`, `59,00 €` and `€59`. I propose:\n\n| | |\n|---|---|\n| CHF | 59.– |\n| \
EUR (de, fr, it) | 59,00 € |\n| EUR (nl) | € 59,00 |\n| GBP | £59.00 |\n| SEK | 59 kr |\n\nThin spaces (U+202F) between \
number and sign.",
        labels: &["ux", "docs"],
        steps: &[
            Step(
                0.5,
                "aiko",
                Say("`Intl.NumberFormat` does all of these but `59.–`."),
            ),
            Step(
                0.7,
                "elena",
                Say("Then `59.–` by hand. It is how people write it here."),
            ),
            Step(
                0.8,
                "aiko",
                Rephrase(
                    0,
                    "`Intl.NumberFormat` does all of these except for `59.–`, see \
[its table](https://example.org/intl?style=currency&digits=0).",
                ),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Ideas for after the season",
        by: "mara",
        day: 40.0,
        text: "A list to throw things on.\n\n* repair service in the checkout (\"also mend my old tent\")\n* rent instead \
of buy\n* carry to the mountain hut 🏔️\n* ~~drones~~",
        labels: &["feature", "priority::low"],
        steps: &[
            Step(0.2, "tom", Say("Repairs! Asked for every single day.")),
            Step(
                0.9,
                "elena",
                Say("Rent: [study by Lena's class]({upload:renting-study.txt})."),
            ),
            Step(2.0, "samir", Say("Please no drones.")),
            Step(2.1, "kofi", Say("**Please** no drones.")),
        ],
        ..UNTOLD
    },
    Story {
        title: "Contract with the second payment provider",
        by: "mara",
        day: 28.0,
        text: "Terms are agreed: 1.1 % + 0.15. Signature next week. Not public until then.",
        labels: &["team::payments"],
        assignees: &["mara"],
        epic: "Fit for peak season",
        confidential: true,
        steps: &[
            Step(1.0, "jonas", Say("Notice period?")),
            Step(1.1, "mara", Say("Three months to the end of a quarter.")),
            Step(6.0, "mara", Internal("Signed. Copy in the safe.")),
        ],
        ..UNTOLD
    },
    Story {
        title: "Do we need cookies at all?",
        by: "lucia",
        day: 21.7,
        text: "The banner asks me on **every** visit. Do you need any but the cart's?",
        labels: &["Q&A?", "customer", "ux"],
        steps: &[
            Step(0.4, "tom", Say("Honest answer: the statistics want one.")),
            Step(
                0.9,
                "mara",
                Say("And nobody has looked at those statistics since May. They go."),
            ),
            Step(1.0, "lucia", Say("🎉")),
            Step(1.5, "mara", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Names of the test customers",
        by: "priya",
        day: 15.5,
        text: "Everybody is called `test test`. Half of our bugs with names hide behind that. From now on:\n\n- Zoë \
Núñez-O'Dowd\n- 李小龍\n- Ó\n- Wolfeschlegelsteinhausenbergerdorff\n- Null\n- `<script>alert(1)</script>`\n- Robert'); \
DROP TABLE orders;--\n- @all",
        labels: &["good first issue"],
        steps: &[
            Step(0.3, "aiko", React("joy")),
            Step(0.4, "aiko", Say("`Null` found two bugs within the hour.")),
        ],
        ..UNTOLD
    },
    Story {
        title: "Question about <code>X-Request-Id</code> & friends: `a < b`, 100 % #hashtag",
        by: "samir",
        day: 10.1,
        text: "Do we pass it on to the provider? I see it in `checkout` but not in `payments`.\n\n```http\nPOST /charge \
HTTP/1.1\nX-Request-Id: 5f2b…\n```",
        labels: &["Q&A?"],
        steps: &[
            Step(
                0.2,
                "kofi",
                Thread("We should. It is one line in the client."),
            ),
            Step(
                0.3,
                "samir",
                Reply(0, "Then I do it with the next release."),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Welcome, Priscilla!",
        by: "mara",
        day: 1.3,
        text: "Priscilla starts on Monday in the team of @jonas. Her first two weeks:\n\n- [ ] laptop, badge, a plant\n- \
[ ] read #21 and #26\n- [ ] ship something small: anything ~\"good first issue\"",
        labels: &[],
        assignees: &["jonas"],
        due: Some(14),
        steps: &[Step(
            0.2,
            "priya",
            Say("A plant is on her desk already. 🌱"),
        )],
        ..UNTOLD
    },
];
