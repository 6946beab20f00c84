//! What nasty texts are made of.

/// Pieces that begin, end and confuse blocks, and everything that GitLab would execute or link.
pub(crate) const FRAGMENTS: &[&str] = &[
    // Line ends, white space of every kind.
    "\n", "\n", "\n", "\n\n", "\n\n", "\n\n", " ", " ", "  ", "   ", "    ", "\t", "  \n", "\\\n", "\r\n", "\r",
    "\u{A0}", "\u{2028}", "\u{85}", "\u{B}", "\u{C}", "\u{200B}", "\u{3000}", "\0", "\u{FEFF}",
    // Commands.
    "/close", "/close\n", "\n/close\n", "\n/label ~bug\n", "/assign @alice", "/shrug", "/shrug hi", "\n/tableflip\n",
    "/", "//", "/1", "\\/close", " /close", "\t/close", "/CLOSE", "/close  ", "/spend 1h\n",
    // Fences and code.
    "```", "```\n", "\n```\n", "```rust\n", "~~~", "~~~\n", "\n~~~\n", "~~~~\n", "````\n", " ```\n", "   ~~~\n", "```a`b\n",
    "`", "``", "`a`", "` /close `", "`@alice`", "    code\n", "\tcode\n", "     @alice\n",
    // Containers.
    "> ", ">", ">> ", ">>>\n", "\n>>>\n", ">>>>\n", "- ", "* ", "+ ", "1. ", "1) ", "10. ", "-\n", "  - ", "    - ",
    "- [ ] ", "- [x] ", "> [!NOTE]\n", "> [!warning] ", "[^1]", "[^1]: ", "[^a]: ", "[^a]", ": ", "\n: ",
    // Headings, rules, tables.
    "# ", "## ", "\n===\n", "\n---\n", "---\n", "***\n", "| ", "|", " | ", "|---|---|\n", "\n|-|-|\n", "a|b\n-|-\n", "\\|",
    // Raw HTML.
    "<div>", "<div>\n", "\n</div>\n", "<p>", "</p>", "<details>\n", "<details><summary>", "</summary>", "</details>\n",
    "<pre>", "<pre>\n", "</pre>", "</pre>\n", "<b>", "</b>", "<i ", "<span>", "</span>", "<code>", "</code>", "<br>", "<br/>",
    "<a href=\"#12\">", "<a href='@alice'>", "<a href=#1>", "</a>", "<a href=\"https://gl.example/g/p/-/issues/1\">",
    "<img src=\"/uploads/x\" alt=\"@alice\">", "<table><tr><td>", "</td></tr></table>", "<custom-x>", "<div\n", "<div ",
    "<!-- ", "-->", "-->\n", "<!--\n", "<!-- -->", "<!DOCTYPE", "<!x ", "<?", "?>", "\n<![CDATA[\n", "]]>", "<", ">",
    "</", "\"", "'", "=", "<div title=\"", "<div title='x'>\n", "<style>", "</style>", "<script>\n", "</script>\n",
    // Links and pictures.
    "[", "]", "(", ")", "](", "![", "[x](#12)", "[@alice](u)", "[x](@alice)", "[x](<#12>)", "[x](%2312)", "![#12](y)", "[#12]",
    "[#12]: ", "[ref]: #12\n", "\n[ref]: @alice\n", "[ref]", "[ref][]", "[x](g/p#1 \"t\")", "[x](0a1b2c3d)", "<https://a.example/#12>",
    "https://a.example/#12", "http://a.example/@alice ", "www.a.example/#12", "https://gl.example/g/p/-/issues/1",
    "[u](https://gl.example/g/p/-/issues/1)", "<https://gl.example/g/p/-/merge_requests/2>", "ftp://x/!1", "me@a.example",
    "0a1b2c3d@a.example", "https://a.example/0a1b2c3d).", "mailto:me@a.example", "[[#12]]", "foo://bar#12",
    "/uploads/0123456789abcdef0123456789abcdef/a.png", "![a](/uploads/0123456789abcdef0123456789abcdef/a.png){width=60%}",
    // Mentions and references.
    "@alice", "@all", "@a/b", "a@alice", "é@alice", "@.x", "@@a", "#12", "g/p#12", "x/y!3", "!3", "&4", "&amp;4", "&lt;", "&#64;bob",
    "&#64bob", "&commat;bob", "&#35;12", "&num;12", "%v1", "%5", "%\"a b\"", "50%", "5%x", "&percnt;v1", "~bug", "~\"a b\"",
    "~prio::high", "~1", "$7", "g/p$7", "^alert#8", "GL-12", "gl-3", "GL\\-12", "[vulnerability:9]", "\\[issue:9\\]", "[work_item:3]",
    "*iteration:4", "g/p>", "0a1b2c3d", "1234567", "0123456789abcdef0123456789abcdef01234567", "0a1b2c3d...1234567", "0A1B2C3D",
    "\\@alice", "\\#12", "\\\\@alice", "\\\\\\@alice", "\\", "\\~bug", "#12+", "[feature_flag:9]", "@al\\ice", "#\\12", "GL&#45;12",
    // Inline marks.
    "*", "**", "_", "__", "~", "~~", "***", "$", "$$", "$`", "{+", "+}", "{", "}", ":+1:", "!", "#", "@", "&", "%", "^", ";",
    "*a*", "**#12**", "~~@alice~~", "_0a1b2c3d_", "*@alice", "a*0a1b2c3d*b", "~#12~", "__!3__", "**a/b>**",
    // Words.
    "a", "b c", "word", "ü", "日本", "0", "12", "f", "x\ny", "1234",
];
