//! What does not work.

use crate::seed::script::Act::{
    Close, Internal, InternalReply, Labels, Log, React, Reopen, Reply, Say, Settle, Thread,
};
use crate::seed::script::{Step, Story, UNTOLD};

pub(super) const STORIES: &[Story] = &[
    Story {
        title: "Cart total flickers when a voucher is removed",
        by: "tom",
        day: 151.2,
        text: "Remove a voucher from a cart with more than three items: for half a second the total shows the \
price *without* any discount, then settles.\n\n![The total while it flickers]({upload:cart-flicker.png})\n\n\
## To reproduce\n\n1. Put four items into the cart\n2. Enter `ALPINE10`\n3. Remove it again\n\n\
| Browser | Seen |\n|---|:---:|\n| Firefox 142 | yes |\n| Chrome 140 | yes |\n| Safari 26 | no |\n\n\
Customers write to us because they think we *charge* that amount. cc @mara",
        labels: &["bug", "customer", "priority::medium", "team::web"],
        assignees: &["aiko"],
        milestone: "v2.4",
        weight: Some(2),
        estimate: "6h",
        steps: &[
            Step(
                0.3,
                "aiko",
                Say(
                    "Two renders: the optimistic one does not know the shop's standing discount. \
I'll let the reducer keep the last confirmed total until the new one is there.",
                ),
            ),
            Step(0.9, "aiko", Log("2h 30m", "reducer")),
            Step(
                1.1,
                "aiko",
                Say(
                    "```ts\n-  total: sum(cart.lines),\n+  total: cart.pending ? cart.confirmedTotal : \
sum(cart.lines),\n```\n\nOn staging now.",
                ),
            ),
            Step(
                1.6,
                "priya",
                Say("Works in all three, on a slow line too. :+1:"),
            ),
            Step(1.7, "aiko", Log("1h 15m", "tests")),
            Step(2.0, "aiko", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Confirmation mail arrives twice after a timeout of the payment provider",
        by: "lucia",
        day: 148.7,
        text: "I ordered a tent and got **two** confirmation mails with two different order numbers. My bank shows \
one payment. Which number is right?\n\n> Order FW-20431 … thank you\n> Order FW-20432 … thank you",
        labels: &["bug", "customer", "priority::high", "team::payments"],
        assignees: &["samir", "kofi"],
        milestone: "v2.4",
        weight: Some(5),
        estimate: "2d",
        steps: &[
            Step(
                0.1,
                "tom",
                Say(
                    "Thank you for telling us! FW-20431 is the right one, the other will not be sent \
or charged. I am sorry for the confusion.",
                ),
            ),
            Step(
                0.2,
                "tom",
                Internal(
                    "Customer is friendly, no refund needed. Third report this week, see #1 for \
the other kind of double.",
                ),
            ),
            Step(
                0.4,
                "kofi",
                InternalReply(
                    1,
                    "All three within the provider's slow minutes on Tuesday.",
                ),
            ),
            Step(
                0.8,
                "samir",
                Thread(
                    "The retry after a time-out makes a **new** order instead of asking whether the \
first one went through. Law of payments: *a lost answer is not a no*.",
                ),
            ),
            Step(
                1.0,
                "kofi",
                Reply(
                    3,
                    "So: look up by our own key first, then create. I can provoke the time-out \
on staging with the proxy.",
                ),
            ),
            Step(
                1.3,
                "samir",
                Reply(3, "Exactly. And the key must be stored **before** we send."),
            ),
            Step(1.9, "samir", Log("1d", "idempotency key, stored first")),
            Step(2.6, "samir", Log("5h 30m", "look-up before create")),
            Step(
                3.4,
                "kofi",
                Reply(3, "300 provoked time-outs, 300 single orders."),
            ),
            Step(3.5, "samir", Settle(3)),
            Step(3.6, "samir", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Postcode field refuses Irish Eircodes",
        by: "tom",
        day: 131.0,
        text: "`D02 AF30` is refused with \"please enter five digits\".\n\nThe rule is in \
`address/rules.json`:\n\n```json\n{ \"IE\": { \"postcode\": \"^[0-9]{5}$\" } }\n```\n\nShould be \
`^[A-Z][0-9]{2} ?[A-Z0-9]{4}$`, upper and lower case.",
        labels: &["bug", "good first issue", "priority::low"],
        assignees: &["priya"],
        milestone: "v2.4",
        weight: Some(1),
        estimate: "1h",
        steps: &[
            Step(2.0, "priya", Log("45m", "")),
            Step(2.1, "priya", Close),
            Step(6.0, "tom", Reopen),
            Step(6.01, "tom", Say("Lower case is still refused: `d02 af30`.")),
            Step(6.3, "priya", Log("20m", "case")),
            Step(6.4, "priya", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Quick actions in a pasted log are executed",
        by: "kofi",
        day: 117.4,
        text: "Careful with logs from the chat bot: it prints its commands at the start of a line.\n\n\
```text\n2026-07-29 10:12 bot> understood:\n/close\n/label ~bug\n2026-07-29 10:12 bot> done\n```\n\n\
Pasted *without* a fence, GitLab closes the issue. In a fence of tildes older versions do it too:\n\n\
~~~\n/reopen\n/assign @jonas\n~~~\n\nAnd in a quote it is only text:\n\n> /close\n\n\
So please indent or quote what the bot says. \\/thanks",
        labels: &["docs", "tech debt"],
        assignees: &["kofi"],
        steps: &[
            Step(
                0.2,
                "mara",
                Say(
                    "Did that twice last week. Inline it is harmless: `/close`, and in the middle of a \
line as well: write /close to close.",
                ),
            ),
            Step(0.5, "jonas", React("thumbsup")),
            Step(
                0.6,
                "jonas",
                Say("    /spend 3h\n    /estimate 1d\n\nindented code is fine as well."),
            ),
        ],
        ..UNTOLD
    },
    Story {
        title: "Rounding differs by one cent between cart and invoice",
        by: "priya",
        day: 96.5,
        text: "Three items at 19.99 with 7.7 % VAT:\n\n| | cart | invoice |\n|---|---:|---:|\n| net | 55.68 | 55.68 |\n\
| VAT | 4.29 | 4.28 |\n| **gross** | **59.97** | **59.96** |\n\nThe cart rounds each line, the invoice rounds the \
sum.[^1] Orders of the last month: [the affected ones]({project-upload:rounding-orders.csv}).\n\n\
[^1]: Both are allowed, but only one at a time.",
        labels: &["bug", "priority::high", "team::payments", "launch::blocker"],
        assignees: &["samir"],
        milestone: "v2.5 \"Alpine\"",
        iteration: Some(0),
        weight: Some(3),
        estimate: "1d 4h",
        due: Some(-50),
        steps: &[
            Step(
                0.4,
                "jonas",
                Thread("Per line is what the law wants in CH, per sum what the accountants have."),
            ),
            Step(
                0.7,
                "samir",
                Reply(
                    0,
                    "Then per line everywhere, and the invoice shows the lines' VAT.",
                ),
            ),
            Step(
                1.2,
                "mara",
                Reply(0, "Agreed with the accountants: **per line**."),
            ),
            Step(2.0, "samir", Log("1d 2h", "")),
            Step(
                2.5,
                "samir",
                Labels(&[
                    "bug",
                    "priority::high",
                    "team::payments",
                    "workflow::review",
                ]),
            ),
            Step(
                3.2,
                "priya",
                Say("Checked against 12,000 old orders: [report]({upload:rounding-check.log})."),
            ),
            Step(3.5, "mara", Settle(0)),
            Step(3.6, "samir", Close),
        ],
        ..UNTOLD
    },
    Story {
        title: "Screen reader announces the price twice",
        by: "elena",
        day: 74.3,
        text: "VoiceOver reads \"fifty-nine francs, fifty-nine francs\". The visible price and the hidden one for \
machines are both in the tree.\n\n```html\n<span aria-hidden=\"false\">59.–</span>\n<meta itemprop=\"price\" \
content=\"59.00\">\n<span class=\"sr-only\">59 francs</span>\n```",
        labels: &["bug", "accessibility", "team::web"],
        milestone: "v2.5 \"Alpine\"",
        weight: Some(1),
        steps: &[
            Step(
                1.0,
                "aiko",
                Say(
                    "Easy: `aria-hidden=\"true\"` on the first. @elena do you have the device to try?",
                ),
            ),
            Step(1.4, "elena", Say("Yes, tomorrow.")),
            Step(
                2.3,
                "elena",
                Say("Reads it once now, and in the right language. Thank you!"),
            ),
            Step(2.4, "elena", Close),
        ],
        ..UNTOLD
    },
];
