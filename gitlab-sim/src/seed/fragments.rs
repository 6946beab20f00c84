//! Pieces of text that have broken mirrors before.

use super::dice::Dice;

/// Blocks of which texts are put together.
const BLOCKS: &[&str] = &[
    "Plain words.",
    "Two lines\nof one paragraph.",
    "# A heading",
    "- one\n- two\n  - deeper\n- [ ] task\n- [x] done",
    "1. first\n2. second",
    "| a | b |\n|---|:-:|\n| 1 | `\\|` |",
    "> quoted\n> more\nlazy line",
    ">>>\nquoted block\n/close\n>>>",
    "```\n/close\nplain fence\n```",
    "```rust\n/label ~bug\nlet x = 1;\n```",
    "~~~\n/reopen\n~~~",
    "````md\n```\n/close\n```\n````",
    "    /spend 1h\n    indented",
    "`/close` in a line, and `a span\n/close\nover lines`",
    "<details><summary>more</summary>\n\n/assign @alice\n\n</details>",
    "<details>\n<summary>more</summary>\n/assign @alice\n</details>",
    "<div>\n/close\n</div>",
    "<pre>\n/close\n  kept\n</pre>",
    "<!-- hidden\n/close\n-->",
    "<!-- never closed",
    "<b>never closed",
    "/close",
    "/weight 5\n/estimate 1d",
    "text\n/label ~\"a b\" ~c\nmore text",
    "/shrug",
    "/brand_new_word with arguments",
    "/CLOSE",
    "/etc/passwd is a path",
    "\\/close was escaped before",
    " /close is indented",
    "a line with a CR\r\nand another\r\n",
    "trailing space   \n\t",
    "hard  \nbreak and back\\\nslash",
    "@alice, @bob.smith and @group/sub-group, but not mail@example.com; @all",
    "\\@alice was escaped before, &#64;bob was hidden",
    "**@alice** and (@bob) and @alice's",
    "#1, #12, group/app#3, GL-4, !5, group/app!6, &7, group&8, $9, %1, %\"v 1.0\", %v2, ~bug, ~\"a b\", ~p::high",
    "[vulnerability:3] ^alert#4 [issue:5] *iteration:\"x\"",
    "fixed by 0a1b2c3d4e5f and 7654321, see 20261122",
    "[text](#12) [text](@alice) [ref][1] <https://example.com/?a=1&b=2> https://example.com/x_y_z.\n\n[1]: #3 \"title\"",
    "{upload}",
    "A picture ![alt @alice #1]({upload}){width=60% height=40} in a line",
    "![brackets \\[x\\]]({upload})",
    "[a file]({project-upload}) and [the same]({project-upload})",
    "[absolute]({absolute-upload}) [path]({path-upload}) ![id]({absolute-project-upload})",
    "<img src=\"{upload}\" alt=\"x\" width=\"200\">\n<video src='{upload}' controls></video>",
    "[named][file]\n\n[file]: {upload} \"a title\"",
    "`{upload}` in code is text",
    "~~struck~~ *it* __bold__ ***both*** a*b*c snake_case_word",
    "Emoji 🏔️ 👩‍👩‍👧 :tada:, accents é ü ñ, CJK 漢字かな, right-to-left שלום, combining e\u{301}, \u{200B}zero width",
    "Entities &amp; &lt; &copy; &#35;1 &nbsp; &unknown; AT&T",
    "$x^2$ and $`y`$ and\n\n```math\nz\n```",
    "Footnote[^1].\n\n[^1]: The note\n/close",
    "Term\n\n: Details\n/close",
    "***\n---\n___",
    "Setext\n======\n/close\n------",
    "<script>alert(1)</script><style>p{}</style>",
    "[x]: javascript:alert(1)\n[x] <a href=\"#1\">raw</a>",
    "{{braces}} {like: this} %{x} ${y} <%= z %>",
    "a\tb\tc",
    "```",
    "~~~~",
    "`",
    "\\",
    "<",
];

/// Where the texts join.
const SEAMS: &[&str] = &[
    "\n\n", "\n\n", "\n\n", "\n", "\n", " ", "\r\n", "\n\n\n", "",
];

/// A text of up to `most` blocks.
pub(super) fn text(dice: &mut Dice, most: u64) -> String {
    let mut text = String::new();
    for block in 0..dice.below(most + 1) {
        if block > 0 {
            text.push_str(dice.word(SEAMS));
        }
        text.push_str(dice.word(BLOCKS));
    }
    text
}

/// A title: never blank, at most 255 characters.
pub(super) fn title(dice: &mut Dice, number: u64) -> String {
    let said = dice.word(&[
        "Ordinary title",
        "Title with `code`, *stars* and <b>tags</b> & entities &amp;",
        "Title that mentions @alice and #1",
        "/close as a title",
        "Ünïcödé 漢字 🏔️ שלום",
        "Title with \"quotes\", 'more' and a comma, at least",
        "[brackets](https://example.com) ![x](y) ~label %milestone",
        "\\@escaped \\#1",
    ]);
    let long = if dice.chance(5) {
        " and on".repeat(30)
    } else {
        String::new()
    };
    format!("{said} {number}{long}").chars().take(255).collect()
}
