//! What cannot wait, and what nobody should see yet.

use crate::IssueType;
use crate::seed::script::Act::{
    Close, Describe, Hide, Internal, Labels, Log, Rephrase, Reply, Retitle, Say, Thread,
};
use crate::seed::script::{Step, Story, UNTOLD};

pub(super) const STORIES: &[Story] = &[
    Story {
        title: "Checkout is down: payment provider answers 503",
        by: "kofi",
        day: 61.15,
        text: "**Start** 21:04 UTC · **End** 21:47 UTC · affected: all card payments\n\n### Timeline\n\n- 21:04 \
first alert, 503 from the provider\n- 21:09 switched to the second region: no change\n- 21:20 banner in the shop \
\"cards come back soon, wallets work\"\n- 21:44 provider recovers\n- 21:47 banner gone\n\n\
![Orders per minute]({upload:orders-per-minute.svg}){width=80%}\n\n### To do\n\n- [x] write to the customers \
whose cart was lost\n- [x] alert on *our* error rate, not only on theirs\n- [ ] rehearse the second provider",
        labels: &["priority::high", "team::payments"],
        assignees: &["kofi", "jonas"],
        kind: IssueType::Incident,
        steps: &[
            Step(
                0.02,
                "jonas",
                Say("I take the customers, you take the provider."),
            ),
            Step(
                0.05,
                "kofi",
                Internal("Provider's on-call: ticket PX-88121. They do not want it public yet."),
            ),
            Step(0.6, "mara", Thread("What did it cost us?")),
            Step(
                0.7,
                "jonas",
                Reply(
                    2,
                    "About 140 orders; 96 came back within the hour. Numbers: \
[orders.csv]({absolute-upload:orders-incident.csv})",
                ),
            ),
            Step(1.2, "kofi", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Session token appears in the payment log",
        by: "kofi",
        day: 38.8,
        text: "With `LOG_LEVEL=debug` the whole request is written, `Authorization` included. On production since \
Monday; access to the logs is limited to four people.\n\n1. Redact the header\n2. Rotate the tokens\n3. Delete \
the lines",
        labels: &["security", "priority::high", "team::payments"],
        assignees: &["kofi"],
        milestone: "Peak season, phase 1",
        weight: Some(3),
        estimate: "4h",
        confidential: true,
        steps: &[
            Step(0.1, "mara", Say("Stop everything else for this, please.")),
            Step(0.3, "kofi", Log("3h", "redaction and rotation")),
            Step(
                0.35,
                "kofi",
                Say("1 and 2 are done. Nobody but us had read the lines."),
            ),
            Step(
                0.5,
                "samir",
                Internal(
                    "I also looked at the staging logs: same lines, older tokens, rotated too.",
                ),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Discount codes can be tried without limit",
        by: "priya",
        day: 24.0,
        text: "No limit on `POST /vouchers/check`: a script finds a valid ten-letter code in a night. I stopped after \
the first hit.",
        labels: &["bug"],
        weight: Some(2),
        steps: &[
            Step(0.1, "mara", Hide),
            Step(0.12, "mara", Labels(&["bug", "security", "priority::high"])),
            Step(
                0.2,
                "mara",
                Say("Good find, and thank you for stopping. Confidential until it is fixed."),
            ),
            Step(
                0.9,
                "samir",
                Say("Ten tries an hour per session and address, then a captcha."),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Focus jumps to the top after choosing a wallet",
        by: "elena",
        day: 9.6,
        text: "After choosing a wallet the focus is on `<body>`. With the keyboard you start again from the top, \
eleven tabs down to where you were.\n\nSee also #11, the same component.",
        labels: &["bug", "accessibility", "ux", "team::web"],
        milestone: "v2.5 \"Alpine\"",
        iteration: Some(1),
        epic: "One-page checkout",
        weight: Some(1),
        due: Some(6),
        steps: &[
            Step(
                0.6,
                "aiko",
                Say("Seen it. The sheet takes the focus and never gives it back."),
            ),
            Step(
                0.7,
                "aiko",
                Rephrase(
                    0,
                    "Seen it. The wallet's sheet takes the focus and never gives it back; \
[`returnFocus`](https://example.org/docs/focus#return) is off by default.",
                ),
            ),
            Step(
                1.5,
                "aiko",
                Labels(&[
                    "bug",
                    "accessibility",
                    "ux",
                    "team::web",
                    "workflow::in progress",
                ]),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Trace of the slow confirmation",
        by: "samir",
        day: 6.4,
        text: "Somebody please look at this with me, I paste it before I lose it:\n\n```\n08:31:02 confirm start\n\
08:31:02 stock reserved\n08:31:07 tax rates        <-- five seconds!\n08:31:07 mail queued\n/close the connection\n\
08:31:08 confirm end",
        labels: &["performance"],
        steps: &[
            Step(
                0.3,
                "kofi",
                Say(
                    "That fence never ends :) The five seconds are the tax service's own time-out; we \
wait for it although the rates are cached.",
                ),
            ),
            Step(
                0.6,
                "samir",
                Describe(
                    "Somebody please look at this with me, I paste it before I lose \
it:\n\n```\n08:31:02 confirm start\n08:31:02 stock reserved\n08:31:07 tax rates        <-- five seconds!\n08:31:07 \
mail queued\n/close the connection\n08:31:08 confirm end\n```\n\nThe whole trace: \
[trace.log]({upload:confirmation-trace.log})",
                ),
            ),
            Step(
                0.7,
                "samir",
                Retitle("Confirmation waits five seconds for tax rates that are cached"),
            ),
        ],
        ..UNTOLD
    },
];
