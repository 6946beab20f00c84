//! What keeps the lights on.

use crate::IssueType;
use crate::seed::script::Act::{Close, Labels, Log, Reply, Say, Thread};
use crate::seed::script::{Step, Story, UNTOLD};

pub(super) const STORIES: &[Story] = &[
    Story {
        title: "Move the cart from the session into the database",
        by: "jonas",
        day: 138.0,
        text: "A cart must survive a restart. Plan:\n\n1. write to both\n2. compare for a week\n3. read from the \
database\n4. stop writing the session\n\n<!-- remember the retention job, Kofi -->\n\nSize: about 41,000 carts, 9 KiB \
each.",
        labels: &["tech debt", "performance"],
        assignees: &["jonas"],
        milestone: "v2.4",
        weight: Some(5),
        estimate: "1w",
        steps: &[
            Step(5.0, "jonas", Log("2d", "write to both")),
            Step(
                12.0,
                "jonas",
                Say(
                    "A week without a difference except for two carts with an emoji in a note: \
the old session was not UTF-8. Fixed with 7f3a9c1 and 0b55d12e.",
                ),
            ),
            Step(13.0, "jonas", Log("1d 3h", "switch")),
            Step(19.0, "jonas", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Upgrade the tax client",
        by: "samir",
        day: 121.6,
        text: "2.x ends in December. The new one is asynchronous.\n\n```diff\n- let rate = client.rate(country)?;\n\
+ let rate = client.rate(country).await?;\n```",
        labels: &["tech debt"],
        assignees: &["samir"],
        milestone: "v2.4",
        weight: Some(2),
        kind: IssueType::Task,
        steps: &[Step(3.0, "samir", Log("7h", "")), Step(3.1, "samir", Close)],
        ..UNTOLD
    },
    Story {
        title: "Load test with three times last year's peak",
        by: "kofi",
        day: 84.0,
        text: "Last year: 310 orders a minute on the first Saturday. Goal: **930** for an hour, p95 below 800 \
ms.\n\n![Load]({absolute-project-upload:load-test-plan.svg})\n\n| step | orders/min | p50 | p95 |\n|---:|---:|---:|\
---:|\n| 1 | 300 | 120 ms | 310 ms |\n| 2 | 600 | 190 ms | 520 ms |\n| 3 | 930 | 410 ms | **1.9 s** |\n\nStep 3 \
fails on the tax service, see #9.",
        labels: &["performance", "priority::high"],
        assignees: &["kofi", "samir", "jonas"],
        milestone: "Peak season, phase 1",
        epic: "Fit for peak season",
        weight: Some(5),
        estimate: "1w",
        due: Some(10),
        steps: &[
            Step(3.0, "kofi", Log("2d 4h", "scripts and first runs")),
            Step(
                20.0,
                "kofi",
                Say(
                    "After caching the rates: step 3 at 720 ms. ![second run]({upload:load-second.svg})",
                ),
            ),
            Step(
                41.0,
                "kofi",
                Thread("With wallets the third step is at 840 ms. So close."),
            ),
            Step(
                41.5,
                "samir",
                Reply(
                    1,
                    "The wallet check can happen while the stock is reserved. 120 ms less.",
                ),
            ),
            Step(55.0, "samir", Log("1d", "in parallel")),
        ],
        ..UNTOLD
    },
    Story {
        title: "Delete carts that nobody touched for a year",
        by: "kofi",
        day: 79.4,
        text: "",
        labels: &["tech debt"],
        assignees: &["kofi"],
        weight: Some(1),
        kind: IssueType::Task,
        steps: &[
            Step(
                10.0,
                "kofi",
                Say("Runs on the first of each month, at 3 in the morning."),
            ),
            Step(10.1, "kofi", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Rehearse the switch to the second payment provider",
        by: "kofi",
        day: 59.0,
        text: "From the incident #21. Twice before the season, at noon on a Tuesday, with everybody watching.\n\n\
## Run book\n\n1. announce in the channel\n2. `provider use backup --percent 10`\n3. wait ten minutes, look at the \
[dashboard](https://metrics.fernweg.example/d/payments?from=now-1h)\n4. `--percent 100`\n5. back again\n\n\
If step 3 looks bad: `provider use main` and have a tea.",
        labels: &["team::payments"],
        assignees: &["kofi", "samir"],
        milestone: "Peak season, phase 1",
        epic: "Fit for peak season",
        weight: Some(3),
        due: Some(-4),
        steps: &[
            Step(
                21.0,
                "kofi",
                Say(
                    "First rehearsal: 14 minutes, one alarm that should not have rung, no lost \
order.",
                ),
            ),
            Step(21.2, "kofi", Log("3h", "rehearsal 1")),
            Step(50.0, "mara", Say("When is the second one?")),
        ],
        ..UNTOLD
    },
    Story {
        title: "Release notes for v2.4",
        by: "mara",
        day: 50.2,
        text: "# v2.4\n\n**Wallets.** Apple Pay and Google Pay, with refunds.\n\n**Address form.** Irish postcodes, \
#7; suggestions while typing.\n\n**Fixed.** The total no longer flickers (#1), no second mail (#2).\n\n---\n\nThanks \
to @aiko, @samir, @priya and to everybody in @shop who tested.",
        labels: &["docs"],
        assignees: &["mara"],
        milestone: "v2.4",
        steps: &[
            Step(1.0, "elena", Say("Typo: \"Adress\" in the German one.")),
            Step(1.2, "mara", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Describe the states of an order",
        by: "priya",
        day: 42.0,
        text: "New colleagues ask every time. Draft:\n\n```mermaid\nstateDiagram-v2\n  [*] --> open\n  open --> paid\n  \
paid --> packed\n  packed --> sent\n  open --> cancelled\n```\n\n- *open*: we know it, nobody has paid\n- *paid*: \
the provider says so **and** we have asked again\n- *packed*, *sent*: the warehouse says so\n\n~~returned~~ is not a \
state but an order of its own.",
        labels: &["docs", "good first issue"],
        assignees: &["priya"],
        weight: Some(1),
        steps: &[
            Step(
                2.0,
                "jonas",
                Say("Very good. Please add *expired* (open for 30 days)."),
            ),
            Step(9.0, "priya", Log("1h 30m", "")),
        ],
        ..UNTOLD
    },
    Story {
        title: "Test with the accountants' real export",
        by: "samir",
        day: 30.5,
        text: "The export of September, anonymised: [export]({upload:export-september.csv}). Compare with ours, line \
by line.\n\n/label ~\"team::payments\" was not accepted by the old instance, hence by hand.",
        labels: &["team::payments"],
        assignees: &["priya"],
        milestone: "v2.5 \"Alpine\"",
        weight: Some(2),
        steps: &[
            Step(4.0, "priya", Log("5h", "")),
            Step(
                4.2,
                "priya",
                Say("Equal but for two lines with a discount \
of 100 %.\n\n/weight 3 was a joke of the old importer, please ignore it."),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Freeze changes from 20 November to 6 January",
        by: "mara",
        day: 18.0,
        text: "As every year. Exceptions: @kofi and me, together.\n\n**What may go out:** texts, prices, fixes of \
things that stop people from buying.",
        labels: &["launch::blocker"],
        milestone: "Peak season, phase 1",
        epic: "Fit for peak season",
        due: Some(30),
        steps: &[
            Step(
                0.2,
                "jonas",
                Say("The pipeline asks for two approvals from then on."),
            ),
            Step(5.0, "kofi", Say("Noted.")),
        ],
        ..UNTOLD
    },
    Story {
        title: "Certificates of the staging wallets expire",
        by: "kofi",
        day: 3.2,
        text: "In 12 days. Renewal takes the partner five working days.",
        labels: &["team::payments", "priority::high"],
        assignees: &["kofi"],
        due: Some(9),
        kind: IssueType::Task,
        steps: &[
            Step(0.4, "kofi", Say("Asked for it today.")),
            Step(
                0.5,
                "kofi",
                Labels(&["team::payments", "workflow::in progress"]),
            ),
        ],
        ..UNTOLD
    },
];
